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
from domain.plate_reading import Reading, Thresholds
from drivers.base import Box, PlateCandidate
from drivers.pictures import decode as pixels_of
from drivers.pictures import opencv
from drivers.recogniser.detector import USUAL_AREA, Detector, FoundPlate
from drivers.recogniser.networks import Network, model_figures, open_network
from drivers.recogniser.scores import read_scores
from drivers.recogniser.strip import as_input, strip, whole
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.pictures import Pixels
    from drivers.recogniser.strip import Corners

LEAST_SIDE = 10  # pixels of a picture in which a character could be told
CROP_LONGEST, CROP_ASPECTS = 500, (1.8, 6.0)  # a picture of this size and shape may be a plate to its very edges
SECOND_AREA = 4 * USUAL_AREA  # pixels the second look is taken with
VIEW = (384, 192)  # pixels of a closer look; the plate is expected in its middle
CLOSER = 3  # plates at most that are looked at more closely

AS_IT_IS = ((0.0, 0.0), (1.0, 1.0))  # a calibration that changes nothing


def _centred(width: int, height: int) -> Corners:
    left, top = (VIEW[0] - width) / 2, (VIEW[1] - height) / 2
    right, bottom = left + width, top + height
    return numpy.array([(left, top), (right, top), (right, bottom), (left, bottom)], numpy.float32)


VIEWED = {1: _centred(192, 61), 2: _centred(180, 90)}  # by rows: corners of the expected plate in a closer look


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


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """What was fitted on the validation pictures: *plates* for forms of GA 36, *foreign* for other Latin plates.

    *calibration*: raw and true probability, pair by pair, rising.
    """

    plates: Thresholds
    foreign: Thresholds
    calibration: tuple[tuple[float, float], ...] = AS_IT_IS

    @classmethod
    def of_models(cls) -> ReaderFigures:
        """The figures that came with the networks. Raises DeviceError."""
        figures = model_figures()
        pairs = tuple((float(raw), float(true)) for raw, true in figures["recogniser"].get("calibration", ()))
        found = figures["thresholds"]
        return cls(Thresholds(**found["plates"]), Thresholds(**found["foreign"]), pairs or AS_IT_IS)

    def calibrated(self, reading: Reading) -> Reading:
        """*reading* with the share of such readings that were right."""
        raw, true = zip(*self.calibration, strict=True)
        return replace(reading, probability=float(numpy.interp(reading.probability, raw, true)))

    def verdict(self, readings: Sequence[Reading]) -> PlateVerdict:
        """What may be done with the best of *readings*."""
        if not readings:
            return PlateVerdict.UNREAD
        return (self.plates if readings[0].kind else self.foreign).verdict(readings[0])


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
        seen = [self._read(pixels, found) for found in self._first(pixels)]
        if not any(plate.verdict is PlateVerdict.ACCEPT for plate in seen):
            seen = self._again(pixels, seen)
        return tuple(sorted(seen, key=lambda plate: importance(plate, width, height), reverse=True))

    def _first(self, pixels: Pixels) -> list[FoundPlate]:
        """Plates at the usual resolution; a picture of a plate's shape in which none is found is itself one."""
        found = list(self._detector.find(pixels))
        return found or ([uncut(pixels)] if is_crop(pixels) else [])

    def _again(self, pixels: Pixels, seen: Sequence[SeenPlate]) -> list[SeenPlate]:
        """Doubt: other cuts of what was found; nothing found: the whole picture at twice the usual resolution."""
        if is_crop(pixels):
            return [self._surest([*seen, self._read(pixels, uncut(pixels))])]
        if not seen:
            return [self._read(pixels, found) for found in self._detector.find(pixels, pixels_in=SECOND_AREA)]
        ranked = sorted(seen, key=lambda plate: plate.found.score, reverse=True)
        return [self._closer(pixels, plate) for plate in ranked[:CLOSER]] + ranked[CLOSER:]

    def _closer(self, pixels: Pixels, plate: SeenPlate) -> SeenPlate:
        """The surer of *plate* and what is seen of it in a straightened view, where its corners are easier to tell."""
        view, back = straightened(pixels, plate.found)
        cv2 = opencv()
        near = [
            self._read(pixels, replace(found, corners=cv2.perspectiveTransform(found.corners[None], back)[0]))
            for found in self._detector.find(view)
            if covers(VIEWED[plate.found.rows], found.corners)
        ]
        return self._surest([plate, *near])

    @staticmethod
    def _surest(plates: Sequence[SeenPlate]) -> SeenPlate:
        return max(plates, key=lambda plate: plate.probability)

    def _read(self, pixels: Pixels, found: FoundPlate) -> SeenPlate:
        cut = strip(pixels, found.corners, found.rows)
        columns, colours = self._characters.run(as_input([cut]))
        scores = read_scores(columns[0], colours[0])
        readings = decode(scores.columns, scores.colours)
        if not readings or readings[0].probability < self._figures.plates.ask:
            free = decode_freely(scores.columns, scores.colours)
            readings = max(readings, free, key=lambda those: those[0].probability if those else 0.0)
        calibrated = tuple(self._figures.calibrated(reading) for reading in readings)
        return SeenPlate(found, cut, calibrated, self._figures.verdict(calibrated))


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


def importance(plate: SeenPlate, width: int, height: int) -> tuple[bool, float]:
    """Which plate is meant: one that can be read before any other, then the larger, surer and more central."""
    corners = plate.found.corners
    middle = (corners.mean(0) - (width / 2, height / 2)) / (width / 2, height / 2)
    central = 1 - 0.5 * min(1.0, float(numpy.hypot(*middle)) / numpy.sqrt(2))
    return plate.verdict is not PlateVerdict.UNREAD, size(corners) * plate.found.score * central


def size(corners: Corners) -> float:
    """Side in pixels of a square as large as the plate."""
    x, y = corners.T
    return float(numpy.sqrt(0.5 * abs(numpy.dot(x, numpy.roll(y, -1)) - numpy.dot(y, numpy.roll(x, -1)))))


def covers(expected: Corners, found: Corners) -> bool:
    """Whether a find in a closer look is the plate that was expected: its middle lies within the other's bounds."""
    middle = found.mean(0)
    return bool(numpy.all((expected.min(0) <= middle) & (middle <= expected.max(0))))


def straightened(pixels: Pixels, plate: FoundPlate) -> tuple[Pixels, NDArray[numpy.float64]]:
    """The plate and its surroundings as if seen from straight ahead, and the way back into the picture."""
    cv2 = opencv()
    there = cv2.getPerspectiveTransform(plate.corners.astype(numpy.float32), VIEWED[plate.rows])
    view = cv2.warpPerspective(pixels, there, VIEW, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return view, numpy.linalg.inv(there)


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
