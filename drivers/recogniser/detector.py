"""Finds number plates and their four corners in a picture.

The network's input is the picture as it is: uint8, 1×H×W×3, blue green red, H and W multiples of 32. It answers
with one map 1×10×h×w for each of the strides 8, 16 and 32: per cell the logit of "a plate's middle is here", the four
corners as offsets from the cell's middle (x, y; TL TR BR BL as the plate reads; in units of 4 strides) and the logit
of "two rows".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.pictures import opencv

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy
    from numpy.typing import NDArray

    from drivers.recogniser.networks import Network

    Floats = NDArray[numpy.float32]
    Pixels = NDArray[numpy.uint8]

USUAL_AREA: Final = 640 * 384  # pixels of the network's input
MULTIPLE: Final = 32
SMALL: Final = 320  # a picture no longer than this is taken for one cut round a plate
LONG_ENOUGH: Final = 192  # pixels: small pictures are enlarged to this length
MARGIN: Final = 24  # pixels round a small picture, so that its plate does not touch the border
CORNER_UNIT: Final = 4.0
FLOOR: Final = 0.25  # scores below are nobody's plate
SAME_PLATE: Final = 0.3  # overlap (intersection over union of the boxes) from which two answers mean one plate
MOST: Final = 16  # plates reported of one picture
MOST_CELLS: Final = 256  # cells looked at, best first: a picture full of plates costs bounded time


@dataclass(frozen=True, slots=True)
class FoundPlate:
    """Where a plate is. *corners*: float32 4×2, pixels of the picture, TL TR BR BL as the plate reads."""

    corners: Floats
    score: float  # 0..1
    rows: int  # 1 or 2 lines of characters


class Detector:
    """The plates of a picture. Safe to call from several threads."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def find(self, pixels: Pixels, *, pixels_in: int = USUAL_AREA) -> tuple[FoundPlate, ...]:
        """The plates in *pixels* (BGR, H×W×3), best first; *pixels_in*: how many pixels to look at it with."""
        canvas, scale, shift = fit(pixels, pixels_in)
        maps = self._network.run(canvas[None])
        return tuple(
            FoundPlate((plate.corners - shift) / scale, plate.score, plate.rows)
            for plate in merge(*decode(maps, height=canvas.shape[0]))
        )


def fit(pixels: Pixels, pixels_in: int) -> tuple[Pixels, Floats, Floats]:
    """The picture scaled to about *pixels_in* on a black canvas; its scale and its shift there, x and y.

    Only small pictures are enlarged, and get a margin: they are what cameras cut out round a plate.
    """
    import numpy

    height, width = pixels.shape[:2]
    small = max(height, width) <= SMALL
    scale = max(1.0, LONG_ENOUGH / max(height, width)) if small else min(1.0, (pixels_in / (height * width)) ** 0.5)
    inner, scales = _scaled(pixels, scale)
    tall, wide = inner.shape[:2]
    outer = [-(-(side + 2 * MARGIN * small) // MULTIPLE) * MULTIPLE for side in (tall, wide)]
    top, left = (outer[0] - tall) // 2, (outer[1] - wide) // 2
    canvas = numpy.zeros((*outer, 3), numpy.uint8)
    canvas[top : top + tall, left : left + wide] = inner
    return canvas, scales, numpy.array([left, top], numpy.float32)


def _scaled(pixels: Pixels, scale: float) -> tuple[Pixels, Floats]:
    """The picture at about *scale*, and the exact scales, x and y.

    Halves and thirds are many times quicker to make than what lies between, so they are preferred.
    """
    import numpy

    cv2 = opencv()
    step = min(max(1, int(1 / scale + 0.2)), *pixels.shape[:2])
    height, width = (side // step for side in pixels.shape[:2])
    if step > 1:
        whole = pixels[: height * step, : width * step]
        pixels = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    rest = scale * step
    if rest > 0.93 and scale < 1:
        return pixels, numpy.full(2, 1 / step, numpy.float32)
    size = max(1, round(width * rest)), max(1, round(height * rest))
    scales = numpy.array([size[0] / width, size[1] / height], numpy.float32) / step
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), scales


def decode(maps: Sequence[Floats], height: int) -> tuple[Floats, Floats, Floats]:
    """The cells that say "plate", best first: corners n×4×2 in input pixels, scores n, probabilities of two rows n."""
    import numpy

    found = [_cells_of(level[0], height / level.shape[2]) for level in maps]
    corners, scores, rows = (numpy.concatenate(parts) for parts in zip(*found, strict=True))
    order = numpy.argsort(-scores, kind="stable")[:MOST_CELLS]
    return corners[order], scores[order], rows[order]


def _cells_of(level: Floats, stride: float) -> tuple[Floats, Floats, Floats]:
    """The cells of one map above FLOOR."""
    import numpy

    ys, xs = numpy.nonzero(level[0] > numpy.log(FLOOR / (1 - FLOOR)))
    cells = level[:, ys, xs].T
    middles = numpy.stack([xs, ys], axis=1).astype(numpy.float32) * stride + stride / 2
    corners = cells[:, 1:9].reshape(-1, 4, 2) * (stride * CORNER_UNIT) + middles[:, None]
    return corners.astype(numpy.float32), _sigmoid(cells[:, 0]), _sigmoid(cells[:, 9])


def merge(corners: Floats, scores: Floats, two_rows: Floats) -> list[FoundPlate]:
    """One plate for each group of overlapping answers: the best one's score, everyone's corners by weight."""
    boxes = _boxes(corners)
    plates: list[FoundPlate] = []
    while len(scores) and len(plates) < MOST:
        same = _overlap(boxes[0], boxes) >= SAME_PLATE
        same[0] = True
        weight = scores[same] ** 2 / (scores[same] ** 2).sum()
        middle = (corners[same] * weight[:, None, None]).sum(axis=0)
        plates.append(FoundPlate(middle, float(scores[0]), 2 if (two_rows[same] * weight).sum() > 0.5 else 1))
        corners, scores, two_rows, boxes = corners[~same], scores[~same], two_rows[~same], boxes[~same]
    return plates


def _boxes(corners: Floats) -> Floats:
    """The upright boxes round the corners: left, top, right, bottom."""
    import numpy

    return numpy.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of *box* with each of *boxes*."""
    import numpy

    sides = numpy.minimum(box[2:], boxes[:, 2:]) - numpy.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    overlap: Floats = (shared / numpy.maximum(areas + (box[2:] - box[:2]).prod() - shared, 1e-6)).astype(numpy.float32)
    return overlap


def _sigmoid(logits: Floats) -> Floats:
    import numpy

    probability: Floats = (1 / (1 + numpy.exp(-logits))).astype(numpy.float32)
    return probability
