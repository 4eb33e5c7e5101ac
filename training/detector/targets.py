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
LENGTHS: Final = ((0.0, 150.0), (60.0, 320.0), (130.0, 1e9))
"""Plate lengths in pixels that each level answers for; they overlap, so that no length falls between two."""
NEARLY: Final = 1.4  # a level may answer to a length this factor outside its own, and then with the right corners
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
    """One map a level: score 0..1 (negative: do not judge), corner offsets, rows - 1, length in pixels, closeness 0..1.

    *closeness* is that of the cell to the middle of the plate that its corners, rows and length belong to.
    """
    maps = []
    for stride, (low, high) in zip(STRIDES, LENGTHS, strict=True):
        level = np.zeros((CHANNELS + 2, height // stride, width // stride), np.float32)
        for plate in plates:
            if low / NEARLY <= plate.length <= high * NEARLY:
                own = low <= plate.length <= high and plate.length >= TOO_SMALL
                _mark(level.reshape(CHANNELS + 2, -1), plate, _middles(level, stride), stride, own=own)
        maps.append(level)
    return maps


def _middles(level: Floats, stride: int) -> Floats:
    """The middles of a map's cells, x y in input pixels."""
    rows, columns = level.shape[1:]
    return np.mgrid[0:rows, 0:columns][::-1].reshape(2, -1).T.astype(np.float32) * stride + stride / 2


def _mark(cells: Floats, plate: Plate, middles: Floats, stride: int, *, own: bool) -> None:
    """Write one plate into one level's cells; *own*: the level answers for plates of this length."""
    closeness = _closeness(plate, middles, stride)
    score, known = cells[0], cells[-1]
    if not (own and plate.certain):
        score[(closeness > 0) & (score <= 0)] = -1
    better = closeness > known
    if plate.certain and own:
        score[better] = closeness[better]
    if plate.certain:
        offsets = (plate.corners.reshape(1, 8) - np.tile(middles, 4)) / (stride * CORNER_UNIT)
        cells[1:9, better] = offsets[better].T
        cells[9, better] = plate.rows - 1
        cells[10, better] = plate.length
        known[better] = closeness[better]


def _closeness(plate: Plate, middles: Floats, stride: int) -> Floats:
    """How near each cell is to the plate's middle, in the plate's own measures: 1 in the middle, 0 from its edge on."""
    square = cv2.getPerspectiveTransform(plate.corners.astype(np.float32), UNIT_SQUARE)
    inside = cv2.perspectiveTransform(middles[None], square)[0]
    closeness = np.exp(-((inside[:, 0] / 0.4) ** 2 + (inside[:, 1] / 0.6) ** 2) / 2).astype(np.float32)
    closeness[closeness < 0.05] = 0
    away = np.abs(middles - plate.corners.mean(axis=0))
    nearest = int(away.sum(axis=1).argmin())
    if (away[nearest] <= stride).all():
        closeness[nearest] = 1
    return closeness
