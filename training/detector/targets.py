"""What the network should answer for a picture whose plates are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.recogniser.detector import CORNER_UNIT

Floats = NDArray[np.float32]

STRIDES: Final = (8, 16, 32)  # input pixels per cell of each level's map
CHANNELS: Final = 10  # score, corners x y of TL TR BR BL, rows
LENGTHS: Final = ((0.0, 110.0), (70.0, 230.0), (150.0, 1e9))
"""Plate lengths in pixels that each level answers for; they overlap, so that no length falls between two."""
NEARLY: Final = 1.4  # a level is not blamed for answering to a length this factor outside its own
TOO_SMALL: Final = 26.0  # pixels: below this neither found nor missed
UNIT_SQUARE: Final = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in a picture. *certain* is false where an answer is neither right nor wrong (cut by the border)."""

    corners: Floats  # 4x2, TL TR BR BL as it reads, pixels
    rows: int
    certain: bool = True

    @property
    def length(self) -> float:
        tl, tr, br, bl = self.corners
        return float(np.hypot(*(tr - tl)) + np.hypot(*(br - bl))) / 2


def targets(plates: list[Plate], height: int, width: int) -> list[Floats]:
    """One map a level: score 0..1 (negative: do not judge), corner offsets, rows - 1, length in pixels."""
    maps = []
    for stride, (low, high) in zip(STRIDES, LENGTHS, strict=True):
        level = np.zeros((CHANNELS + 1, height // stride, width // stride), np.float32)
        for plate in plates:
            certain = plate.certain and low <= plate.length <= high and plate.length >= TOO_SMALL
            if certain or low / NEARLY <= plate.length <= high * NEARLY:
                _mark(level, plate, stride, certain=certain)
        maps.append(level)
    return maps


def _mark(level: Floats, plate: Plate, stride: int, *, certain: bool) -> None:
    """Write one plate into one level's map."""
    rows, columns = level.shape[1:]
    centres = np.mgrid[0:rows, 0:columns][::-1].reshape(2, -1).T.astype(np.float32) * stride + stride / 2
    inside = cv2.perspectiveTransform(
        centres[None], cv2.getPerspectiveTransform(plate.corners.astype(np.float32), UNIT_SQUARE)
    )[0]
    closeness = np.exp(-((inside[:, 0] / 0.4) ** 2 + (inside[:, 1] / 0.6) ** 2) / 2).astype(np.float32)
    closeness[closeness < 0.05] = 0
    middle = plate.corners.mean(axis=0)
    nearest = int(np.abs(centres - middle).sum(axis=1).argmin())
    if (np.abs(centres[nearest] - middle) <= stride).all():
        closeness[nearest] = 1
    score = level[0].reshape(-1)
    if not certain:
        score[(closeness > 0) & (score <= 0)] = -1
        return
    better = closeness > np.maximum(score, 0)
    score[better] = closeness[better]
    offsets = (plate.corners.reshape(1, 8) - np.tile(centres, 4)) / (stride * CORNER_UNIT)
    level.reshape(CHANNELS + 1, -1)[1:9, better] = offsets[better].T
    level.reshape(CHANNELS + 1, -1)[9, better] = plate.rows - 1
    level.reshape(CHANNELS + 1, -1)[10, better] = plate.length
