"""A plate cut out of a picture and straightened into the strip that the character network reads.

A one-row plate fills the strip. A two-row plate is split: the upper row stands at the left, the lower one at the
right, so that the network reads both kinds from left to right. Training cuts its strips with the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.pictures import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Corners = NDArray[np.float32]

HEIGHT: Final = 48
WIDTH: Final = 160
FINEST: Final = 4  # a large plate is warped at up to this many times the strip's size, then shrunk without aliasing


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a plate (fractions of its width and height, beyond 0..1 is margin) and its width in the strip."""

    left: float
    top: float
    right: float
    bottom: float
    width: int


BANDS: Final = {
    1: (Band(-0.03, -0.09, 1.03, 1.09, WIDTH),),
    2: (Band(0.06, -0.05, 0.94, 0.41, 64), Band(-0.03, 0.33, 1.03, 1.05, 96)),
}
"""By rows. The rows of a 440 x 220 mm plate: characters from 0.07 to 0.34 and from 0.41 to 0.91 of its height."""


def strip(pixels: Pixels, corners: Corners, rows: int = 1) -> Pixels:
    """uint8 [HEIGHT, WIDTH, 3]. *corners*: float32 [4, 2], TL TR BR BL of the plate's own edge as it reads, in pixels.

    *rows* is 1 or 2. Corners may lie outside the picture; what is missing repeats the picture's edge.
    """
    parts = [_band(pixels, np.asarray(corners, np.float32), band) for band in BANDS[rows]]
    return parts[0] if len(parts) == 1 else np.hstack(parts)


def whole(pixels: Pixels) -> Corners:
    """Corners of a picture that is nothing but a plate."""
    height, width = pixels.shape[:2]
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)


def as_input(strips: Sequence[Pixels]) -> NDArray[np.float32]:
    """The network's input [N, 3, HEIGHT, WIDTH], BGR, 0..255."""
    return np.ascontiguousarray(np.stack(strips).transpose(0, 3, 1, 2), np.float32)


def _band(pixels: Pixels, corners: Corners, band: Band) -> Pixels:
    cv2 = opencv()
    quad = _part_of(cv2, corners, band)
    finer = _times_finer(quad, band.width)
    width, height = band.width * finer, HEIGHT * finer
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    half = np.float32(0.5)  # corners count from the picture's edge, OpenCV from the centre of its first pixel
    warp = cv2.getPerspectiveTransform(quad - half, target - half)
    cut = cv2.warpPerspective(pixels, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if finer > 1:
        cut = cv2.resize(cut, (band.width, HEIGHT), interpolation=cv2.INTER_AREA)
    return cut  # type: ignore[no-any-return]


def _part_of(cv2: Any, corners: Corners, band: Band) -> Corners:
    """The corners of *band* in the picture."""
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    left, top, right, bottom = band.left, band.top, band.right, band.bottom
    part = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float32)
    return cv2.perspectiveTransform(part, cv2.getPerspectiveTransform(unit, corners))[0]  # type: ignore[no-any-return]


def _times_finer(quad: Corners, width: int) -> int:
    across = max(np.linalg.norm(quad[1] - quad[0]) / width, np.linalg.norm(quad[3] - quad[0]) / HEIGHT)
    return int(np.clip(np.ceil(across), 1, FINEST))
