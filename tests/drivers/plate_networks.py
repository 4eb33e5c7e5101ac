"""Networks that see what a test painted: a plate is a magenta patch, and its shade of green says what stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import cv2
import numpy
from numpy.typing import NDArray

from domain.plate import PlateColour
from drivers.recogniser.scores import ALPHABET, COLOURS

Pixels = NDArray[numpy.uint8]
Floats = NDArray[numpy.float32]
STRIDES, COLUMNS = (8, 16, 32), 40
GREY = 110


def picture(width: int, height: int, *plates: tuple[int, int, int, int, int]) -> Pixels:
    """Grey, with a patch for each plate: left, top, right, bottom, green."""
    pixels = numpy.full((height, width, 3), GREY, numpy.uint8)
    for left, top, right, bottom, green in plates:
        pixels[top:bottom, left:right] = (250, green, 250)
    return pixels


@dataclass(slots=True)
class PatchFinder:
    """A detector's network. *least* and *most*: widths of patches it sees; *inputs*: width and height it was given."""

    least: int = 1
    most: int = 10_000
    score: float = 4.0  # logit
    two_rows: bool = False
    inputs: list[tuple[int, int]] = field(default_factory=list)

    def run(self, array: NDArray[numpy.uint8]) -> list[Floats]:
        """Maps of strides 8, 16, 32; every patch is told by the cell at its middle, of stride 8."""
        _, height, width, _ = array.shape
        self.inputs.append((width, height))
        maps = [numpy.full((1, 10, height // s, width // s), -9, numpy.float32) for s in STRIDES]
        for left, top, right, bottom in self._patches(array[0]):
            cell_x, cell_y = int((left + right) / 2 // 8), int((top + bottom) / 2 // 8)
            middle = numpy.array([cell_x * 8 + 4, cell_y * 8 + 4])
            corners = numpy.array([(left, top), (right, top), (right, bottom), (left, bottom)]) - middle
            maps[0][0, 0, cell_y, cell_x] = self.score
            maps[0][0, 1:9, cell_y, cell_x] = corners.ravel() / 32
            maps[0][0, 9, cell_y, cell_x] = 5 if self.two_rows else -5
        return maps

    def _patches(self, pixels: Pixels) -> Iterator[tuple[int, int, int, int]]:
        mask = (pixels[:, :, 0] > 200) & (pixels[:, :, 2] > 200)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(numpy.uint8))
        for left, top, wide, high, area in stats[1:count]:
            if area > 20 and self.least <= wide <= self.most:
                yield left, top, left + wide, top + high


@dataclass(slots=True)
class ShadeReader:
    """A character network: *texts* by shade of green. *doubt* is the share of another letter, one for each look."""

    texts: Mapping[int, str]
    colour: PlateColour = PlateColour.BLUE
    doubts: list[float] = field(default_factory=list)
    looks: int = 0

    def run(self, array: Floats) -> list[Floats]:
        """Logits of columns and colours for every strip."""
        answers = [self._one(strip) for strip in array]
        self.looks += 1
        columns, colours = zip(*answers, strict=True)
        return [numpy.stack(columns), numpy.stack(colours)]

    def _one(self, strip: Floats) -> tuple[Floats, Floats]:
        green = float(strip[1, 10:-10, 10:-10].mean())
        text = self.texts[min(self.texts, key=lambda shade: abs(shade - green))]
        doubt = self.doubts[min(self.looks, len(self.doubts) - 1)] if self.doubts else 0.001
        shares = numpy.full((COLUMNS, len(ALPHABET)), 1e-7, numpy.float32)
        shares[:, 0] = 1.0
        for place, letter in enumerate(text):
            column = shares[2 + 4 * place]
            column[0] = 1e-7
            column[ALPHABET.index(letter)] = 1 - doubt if place == len(text) - 1 else 1.0
            if place == len(text) - 1:
                column[ALPHABET.index("8" if letter != "8" else "3")] = doubt
        colours = numpy.full(len(COLOURS), 1e-6, numpy.float32)
        colours[COLOURS.index(self.colour)] = 1.0
        return numpy.log(shares / shares.sum(-1, keepdims=True)), numpy.log(colours)
