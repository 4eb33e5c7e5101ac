"""The part of a camera's picture that belongs to its lane: a car beside it or across the road is not this lane's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from drivers.base import Box, PlateCandidate

if TYPE_CHECKING:
    from drivers.pictures import Pixels

Region: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the picture."""

WHOLE: Region = (0.0, 0.0, 1.0, 1.0)
LEAST = 0.05  # of the picture's width and height


def check_region(region: Region) -> None:
    """Raises ValueError that says what is wrong and shows one that is right."""
    left, top, right, bottom = region
    inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    if not inside or right - left < LEAST or bottom - top < LEAST:
        raise ValueError(
            f"region {list(region)} must be left, top, right, bottom as fractions of the picture, each side at least "
            f"{LEAST}; [0.2, 0.3, 0.9, 1.0] leaves out the left fifth and the upper third"
        )


def bounds(pixels: Pixels, region: Region) -> Box:
    """*region* in the pixels of a picture."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = region
    return Box(round(left * width), round(top * height), round(right * width), round(bottom * height))


def cut(pixels: Pixels, box: Box) -> Pixels:
    """What lies in *box*, a view of the same memory."""
    return pixels[box.top : box.bottom, box.left : box.right]


def shifted(candidate: PlateCandidate, left: int, top: int) -> PlateCandidate:
    """A plate found in a part of a picture, with its place in the whole."""
    box, corners = candidate.box, candidate.corners
    return replace(
        candidate,
        box=Box(box.left + left, box.top + top, box.right + left, box.bottom + top) if box else None,
        corners=tuple((x + left, y + top) for x, y in corners),
    )
