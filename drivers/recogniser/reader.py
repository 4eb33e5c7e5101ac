"""Our own plate engine: find plates, straighten each, read its characters, and know how sure that is.

``docs/plate-reading.md`` has the whole rule. A picture that reads surely at the first look costs one pass of each
network; only doubt costs more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy

from domain.plate import PlateColour, PlateVerdict
from domain.plate_grammar import decode, decode_freely
from domain.plate_reading import Reading
from domain.plate_votes import join
from drivers.base import Box, PlateCandidate
from drivers.pictures import decode as pixels_of
from drivers.recogniser.detector import USUAL_AREA, Detector, FoundPlate
from drivers.recogniser.figures import ReaderFigures
from drivers.recogniser.networks import Network, open_network
from drivers.recogniser.scores import read_scores
from drivers.recogniser.strip import as_input, strip, whole
from drivers.recogniser.views import lies_within, straightened
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.pictures import Pixels
    from drivers.recogniser.strip import Corners

LEAST_SIDE = 10  # pixels of a picture in which a character could be told
CROP_LONGEST, CROP_ASPECTS = 500, (1.8, 6.0)  # a picture of this size and shape may be a plate to its very edges
OTHER_AREAS = (4 * USUAL_AREA, USUAL_AREA // 4)  # pixels of further looks: for far plates, then for very near ones
CLOSER = 3  # plates at most that are looked at more closely
CUTS = 4  # of a plate in doubt: its corners as found, and moved a little
MOVED = numpy.random.default_rng(36).normal(0, 0.012, (CUTS - 1, 4, 2)).astype(numpy.float32)  # in plate widths


@dataclass(frozen=True, slots=True)
class LotgateOptions:
    """*runtime* runs the networks; both give the same answers, onnxruntime is the quicker one."""

    runtime: Literal["onnxruntime", "opencv"] = "onnxruntime"


@dataclass(frozen=True, slots=True)
class SeenPlate:
    """A plate and all that led to its verdict; *corners* in pixels of the picture, *strip* what was read."""

    found: FoundPlate
    strip: Pixels
    readings: tuple[Reading, ...]
    verdict: PlateVerdict

    @property
    def probability(self) -> float:
        """Of the best reading, 0-1."""
        return self.readings[0].probability if self.readings else 0.0


class PlateReader:
    """Holds nothing between pictures; several threads may call it at once."""

    def __init__(self, detector: Detector, characters: Network, figures: ReaderFigures) -> None:
        self._detector = detector
        self._characters = characters
        self._figures = figures
        self.thresholds = figures.plates

    def recognise(self, image: bytes) -> tuple[PlateCandidate, ...]:
        """The main plate first. Raises BadFrameError on a broken picture."""
        return tuple(candidate(seen) for seen in self.look(pixels_of(image)))

    def look(self, pixels: Pixels) -> tuple[SeenPlate, ...]:
        """Every plate in *pixels*, the main one first."""
        height, width = pixels.shape[:2]
        if min(height, width) < LEAST_SIDE:
            return ()
        seen = self._plates(pixels, USUAL_AREA)
        if is_crop(pixels) and not any(plate.verdict is PlateVerdict.ACCEPT for plate in seen):
            seen = [surest([*seen, self._read(pixels, uncut(pixels), cuts=CUTS)])]
        for area in OTHER_AREAS:
            if any(plate.verdict is not PlateVerdict.UNREAD for plate in seen):
                break
            seen = distinct([*seen, *self._plates(pixels, area)])
        return tuple(sorted(seen, key=lambda plate: importance(plate, width, height), reverse=True))

    def _plates(self, pixels: Pixels, area: int) -> list[SeenPlate]:
        """What a look of *area* pixels finds; each gets a closer look, the most prominent first, until one is sure."""
        height, width = pixels.shape[:2]
        finds = self._detector.find(pixels, pixels_in=area)
        ranked = sorted(finds, key=lambda found: prominence(found, width, height), reverse=True)
        seen = [self._read(pixels, found) for found in ranked]
        for place, plate in enumerate(seen[:CLOSER]):
            if plate.verdict is not PlateVerdict.ACCEPT:
                seen[place] = self._closer(pixels, plate)
            if seen[place].verdict is PlateVerdict.ACCEPT:
                break
        return seen

    def _closer(self, pixels: Pixels, plate: SeenPlate) -> SeenPlate:
        """*plate* read more carefully, where it was found and where a straightened view of it says that it is."""
        view = straightened(pixels, plate.found.corners, plate.found.rows)
        near = [found for found in self._detector.find(view.pixels) if view.shows(found.corners)]
        places = [plate.found, *(replace(found, corners=view.in_picture(found.corners)) for found in near[:1])]
        return surest([self._read(pixels, found, cuts=CUTS) for found in places])

    def _read(self, pixels: Pixels, found: FoundPlate, *, cuts: int = 1) -> SeenPlate:
        """What stands on a plate. Of several *cuts*, with corners a little aside, each is read and all are joined."""
        strips = [strip(pixels, corners, found.rows) for corners in aside(found.corners, cuts)]
        columns, colours = self._characters.run(as_input(strips))
        scores = [read_scores(*one) for one in zip(columns, colours, strict=True)]
        readings = self._figures.calibrated(join([decode(one.columns, one.colours) for one in scores]))
        if self._figures.verdict(readings) is PlateVerdict.UNREAD:
            free = self._figures.calibrated(join([decode_freely(one.columns, one.colours) for one in scores]))
            readings = max(readings, free, key=lambda those: those[0].probability if those else 0.0)
        return SeenPlate(found, strips[0], readings, self._figures.verdict(readings))


def candidate(seen: SeenPlate) -> PlateCandidate:
    """A plate as lanes know it: without a text when it counts as unread."""
    best = seen.readings[0] if seen.readings and seen.verdict is not PlateVerdict.UNREAD else None
    left, top = seen.found.corners.min(0)
    right, bottom = seen.found.corners.max(0)
    return PlateCandidate(
        best.text if best else "",
        100 * seen.probability,
        best.colour if best else PlateColour.UNKNOWN,
        Box(round(float(left)), round(float(top)), round(float(right)), round(float(bottom))),
        seen.verdict,
        seen.readings,
        tuple((float(x), float(y)) for x, y in seen.found.corners),
    )


def surest(plates: Sequence[SeenPlate]) -> SeenPlate:
    """The one with the likeliest reading."""
    return max(plates, key=lambda plate: plate.probability)


def aside(corners: Corners, cuts: int) -> list[Corners]:
    """*corners*, and *cuts* - 1 times a little beside them."""
    width = numpy.linalg.norm(corners[1] - corners[0])
    return [corners, *(corners + MOVED[: cuts - 1] * width)]


def distinct(plates: Sequence[SeenPlate]) -> list[SeenPlate]:
    """*plates* without those that a surer one has its bounds around the middle of: one plate, found twice."""
    kept: list[SeenPlate] = []
    for plate in sorted(plates, key=lambda plate: plate.probability, reverse=True):
        if not any(lies_within(plate.found.corners, other.found.corners) for other in kept):
            kept.append(plate)
    return kept


def importance(plate: SeenPlate, width: int, height: int) -> tuple[bool, bool, float]:
    """Which plate is meant: what can be read first, then what GA 36 knows, then the more prominent."""
    read = plate.verdict is not PlateVerdict.UNREAD
    return read, read and plate.readings[0].kind is not None, prominence(plate.found, width, height)


def prominence(found: FoundPlate, width: int, height: int) -> float:
    """The more the larger, surer and more central it is in a picture of that size."""
    middle = (found.corners.mean(0) - (width / 2, height / 2)) / (width / 2, height / 2)
    central = 1 - 0.5 * min(1.0, float(numpy.hypot(*middle)) / numpy.sqrt(2))
    return float(size(found.corners) * found.score * central)


def size(corners: Corners) -> float:
    """Side in pixels of a square as large as the plate."""
    x, y = corners.T
    return float(numpy.sqrt(0.5 * abs(numpy.dot(x, numpy.roll(y, -1)) - numpy.dot(y, numpy.roll(x, -1)))))


def is_crop(pixels: Pixels) -> bool:
    """Whether the picture's size and shape say that it may be a plate to its very edges."""
    height, width = pixels.shape[:2]
    return bool(max(height, width) <= CROP_LONGEST and CROP_ASPECTS[0] <= width / height <= CROP_ASPECTS[1])


def uncut(pixels: Pixels) -> FoundPlate:
    """The whole picture as a plate of one row."""
    return FoundPlate(whole(pixels), 1.0, 1)


def new_reader(options: LotgateOptions | None = None) -> PlateReader:
    """The engine with the networks of this installation. Raises DeviceError."""
    runtime = (options or LotgateOptions()).runtime
    detector = Detector(open_network("detector", runtime))
    return PlateReader(detector, open_network("recogniser", runtime), ReaderFigures.of_models())


async def open_reader(options: LotgateOptions, wiring: Wiring) -> PlateReader:
    """The engine, loaded once in a thread. Raises DeviceError."""
    return await asyncio.to_thread(new_reader, options)
