"""How wrong the network's answers are."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from drivers.recogniser.detector import CORNER_UNIT
from training.detector.targets import STRIDES

FINE: Final = 0.02  # corner errors are felt on a scale of this share of the plate's length


def loss_of(maps: tuple[Tensor, ...], wanted: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Losses of score, corners and rows over a batch, each comparable between batches."""
    score, corners, rows, weights = [], [], [], []
    for stride, got, want in zip(STRIDES, maps, wanted, strict=True):
        goal = want[:, 0]
        away = (got[:, 0].sigmoid() - goal).abs() ** 2  # quality focal loss (Li et al. 2020)
        judged = (goal >= 0).float()
        score.append((F.binary_cross_entropy_with_logits(got[:, 0], goal, reduction="none") * away * judged).sum())
        close = want[:, 11] > 0.3
        weight = want[:, 11][close]
        off = (got[:, 1:9] - want[:, 1:9]).permute(0, 2, 3, 1)[close] * (stride * CORNER_UNIT)
        corners.append((torch.log1p(off.abs() / (FINE * want[:, 10][close, None])).mean(1) * weight).sum())
        row_loss = F.binary_cross_entropy_with_logits(got[:, 9][close], want[:, 9][close], reduction="none")
        rows.append((row_loss * weight).sum())
        weights.append(weight.sum())
    total = torch.stack(weights).sum().clamp(min=1)
    return torch.stack(score).sum() / total, torch.stack(corners).sum() / total, torch.stack(rows).sum() / total
