"""The character network: a strip in, per column a score for every character (CTC), and the ground colour."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from drivers.recogniser.scores import ALPHABET, COLOURS

COLUMNS: Final = 40
WIDTHS: Final = (32, 48, 96, 128)


class ConvNorm(nn.Sequential):
    """A convolution and its batch norm, ``fused`` into one convolution for export."""

    def __init__(
        self,
        into: int,
        out: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__(nn.Conv2d(into, out, kernel, stride, padding, bias=False), nn.BatchNorm2d(out))

    def fused(self) -> nn.Module:
        return fuse_conv_bn_eval(self[0], self[1])


class Residual(nn.Module):
    def __init__(self, channels: int, kernel: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.first = ConvNorm(channels, channels, kernel, padding=padding)
        self.second = ConvNorm(channels, channels, kernel, padding=padding)

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.second(torch.relu(self.first(features))))


class Recogniser(nn.Module):
    """[N, 3, 48, 160] BGR 0..255 -> columns [N, 40, characters] and colours [N, colours], both unnormalised."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.stem = nn.Sequential(
            ConvNorm(3, a, stride=(2, 2)), nn.ReLU(), ConvNorm(a, b, stride=(2, 2)), nn.ReLU(), Residual(b)
        )  # 12 x 40
        self.middle = nn.Sequential(ConvNorm(b, c, stride=(2, 1)), nn.ReLU(), Residual(c))  # 6 x 40
        self.low = nn.Sequential(ConvNorm(c, d, stride=(2, 1)), nn.ReLU(), Residual(d))  # 3 x 40
        self.row = nn.Sequential(
            ConvNorm(d, d, padding=(0, 1)), nn.ReLU(), nn.Dropout2d(dropout / 2), Residual(d, (1, 3))
        )  # 1 x 40
        self.dropout = nn.Dropout(dropout)
        self.characters = nn.Conv2d(d, len(ALPHABET), 1)
        self.colours = nn.Linear(c + d, len(COLOURS))

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor]:
        features = self.middle(self.stem(strips * (1 / 127.5) - 1))
        row = self.row(self.low(features))
        columns = self.characters(self.dropout(row))
        ground = torch.cat([features.mean((2, 3)), row.mean((2, 3))], 1)  # hues, and whether the characters are Chinese
        return columns.squeeze(2).permute(0, 2, 1), self.colours(ground)


def fuse(module: nn.Module) -> nn.Module:
    """*module* (in eval mode) with every batch norm folded into its convolution, in place."""
    for name, child in module.named_children():
        setattr(module, name, child.fused() if isinstance(child, ConvNorm) else fuse(child))
    return module
