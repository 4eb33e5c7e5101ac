"""A closer look at a plate: it and its surroundings as if seen from straight ahead, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

from drivers.pictures import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.pictures import Pixels
    from drivers.recogniser.strip import Corners

SIZE: Final = (384, 192)  # pixels of a view


def _centred(width: int, height: int) -> Corners:
    left, top = (SIZE[0] - width) / 2, (SIZE[1] - height) / 2
    right, bottom = left + width, top + height
    return numpy.array([(left, top), (right, top), (right, bottom), (left, bottom)], numpy.float32)


EXPECTED: Final = {1: _centred(192, 61), 2: _centred(180, 90)}  # by rows: where in the view the plate should be


@dataclass(frozen=True, slots=True)
class View:
    """*back* is the homography from the view's pixels to the picture's; *expected* the plate's corners in the view."""

    pixels: Pixels
    back: NDArray[numpy.float64]
    expected: Corners

    def in_picture(self, corners: Corners) -> Corners:
        """Where in the picture the view's *corners* lie."""
        return opencv().perspectiveTransform(corners[None], self.back)[0]  # type: ignore[no-any-return]

    def shows(self, corners: Corners) -> bool:
        """Whether a find is the plate the view was made for: its middle lies within the expected one's bounds."""
        return lies_within(corners, self.expected)


def lies_within(corners: Corners, others: Corners) -> bool:
    """Whether the middle of a plate lies within another's bounds."""
    middle = corners.mean(0)
    return bool(numpy.all((others.min(0) <= middle) & (middle <= others.max(0))))


def straightened(pixels: Pixels, corners: Corners, rows: int) -> View:
    """The view of a plate that was found at *corners*."""
    cv2 = opencv()
    there = cv2.getPerspectiveTransform(corners.astype(numpy.float32), EXPECTED[rows])
    seen = cv2.warpPerspective(pixels, there, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return View(seen, numpy.linalg.inv(there), EXPECTED[rows])
