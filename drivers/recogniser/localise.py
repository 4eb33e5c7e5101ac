"""Where a plate may be: patches of plate colour and patches of close upright edges. OpenCV, no learning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.plate import PlateColour
from drivers.base import Box
from drivers.pictures import opencv

if TYPE_CHECKING:
    from drivers.pictures import Pixels

WORK_WIDTH = 960  # pixels; plates of a lane camera are 100 to 300 of them wide
ASPECTS = (1.8, 6.5)  # 440 x 140 mm seen straight is 3.1, two-line plates 2.0
LEAST_AREA, MOST_AREA = 0.001, 0.4  # of the picture
CROP_ASPECTS = (2.0, 5.0)  # a picture of this shape may be a plate and nothing else

HUES = {  # OpenCV hue 0-179, then least saturation and value
    PlateColour.BLUE: ((100, 90, 50), (128, 255, 255)),
    PlateColour.GREEN: ((35, 35, 70), (90, 255, 255)),
    PlateColour.YELLOW: ((14, 90, 80), (34, 255, 255)),
}


@dataclass(frozen=True, slots=True)
class Patch:
    """A place worth reading, in pixels of the whole picture, and the colour that made it stand out."""

    box: Box
    colour: PlateColour


def patches(pixels: Pixels, most: int) -> list[Patch]:
    """At most *most* places, the likeliest first."""
    height, width = pixels.shape[:2]
    if CROP_ASPECTS[0] <= width / height <= CROP_ASPECTS[1] and width < WORK_WIDTH // 2:
        return [Patch(Box(0, 0, width, height), ground_colour(pixels))]
    cv2 = opencv()
    scale = min(1.0, WORK_WIDTH / width)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = sorted(_scored(cv2, small), key=lambda item: -item[0])
    kept: list[Patch] = []
    for _, patch in found:
        if not any(_overlap(patch.box, other.box) for other in kept):
            kept.append(patch)
    return [Patch(_grown(patch.box, scale, width, height), patch.colour) for patch in kept[:most]]


def ground_colour(pixels: Pixels) -> PlateColour:
    """The plate colour that covers most of *pixels*, UNKNOWN when none covers a third."""
    cv2 = opencv()
    hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    shares = {colour: cv2.inRange(hsv, low, high).mean() / 255 for colour, (low, high) in HUES.items()}
    best = max(shares, key=lambda colour: shares[colour])
    return best if shares[best] > 0.33 else PlateColour.UNKNOWN


def _scored(cv2: Any, small: Pixels) -> Iterator[tuple[float, Patch]]:
    edges = _edges(cv2, small)
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    for colour, (low, high) in HUES.items():
        mask = cv2.inRange(hsv, low, high)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (15, 5)))
        for box in _boxes(cv2, closed):
            fill = mask[box.top : box.bottom, box.left : box.right].mean() / 255
            yield fill * _density(edges, box), Patch(box, colour)
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (19, 5)))
    opened = cv2.morphologyEx(joined, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (9, 5)))
    for box in _boxes(cv2, opened):
        inside = small[box.top : box.bottom, box.left : box.right]
        yield 0.5 * _density(edges, box), Patch(box, ground_colour(inside))


def _edges(cv2: Any, small: Pixels) -> Any:
    """Strong upright edges as 0 or 255: characters have many, close together."""
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    upright = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0))
    return cv2.threshold(upright, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]


def _density(edges: Any, box: Box) -> float:
    return float(edges[box.top : box.bottom, box.left : box.right].mean() / 255)


def _boxes(cv2: Any, mask: Any) -> Iterator[Box]:
    whole = mask.shape[0] * mask.shape[1]
    for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        left, top, width, height = cv2.boundingRect(contour)
        if (
            ASPECTS[0] <= width / height <= ASPECTS[1]
            and LEAST_AREA <= width * height / whole <= MOST_AREA
            and height >= 10
        ):
            yield Box(left, top, left + width, top + height)


def _overlap(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return across > 0 and down > 0


def _grown(box: Box, scale: float, width: int, height: int) -> Box:
    """*box* in the full picture, a little larger, so that a tight mask does not cut a character."""
    side, rim = round((box.right - box.left) * 0.03), round((box.bottom - box.top) * 0.06)
    return Box(
        max(0, round((box.left - side) / scale)),
        max(0, round((box.top - rim) / scale)),
        min(width, round((box.right + side) / scale)),
        min(height, round((box.bottom + rim) / scale)),
    )
