"""Training strips: real plates, real plates with other characters, drawn plates, mixed into a pool on disk.

``python -m training.recogniser.samples POOL`` fills the pool and then goes on replacing its oldest strips, until
stopped. The trainer beside it draws from the pool at random, so neither waits for the other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.plate import PlateColour
from drivers.recogniser.scores import ALPHABET, COLOURS
from drivers.recogniser.strip import HEIGHT, WIDTH, strip, whole
from training.data import Photo, read_pixels
from training.plates.cells import RealPlate, explain, swap
from training.plates.draw import draw
from training.plates.texts import PlateSpec, random_plate
from training.plates.wear import wear
from training.recogniser.augment import degrade, jitter
from training.split import training_photos

Pixels = NDArray[np.uint8]
Corners = NDArray[np.float32]

LONGEST: Final = 9  # characters
CACHED_WIDTH: Final = 260  # pixels across a plate kept in memory; a strip is 160 wide
CHANCES: Final = {"lprnet-test": 2.0, "ccpd-green": 0.4, "ccpd-green-crop": 0.4}  # of a picture; 1 for all others
FORM_OF: Final = {PlateColour.BLUE: "blue", PlateColour.GREEN: "nev_small"}
CLASS_OF: Final = {character: number for number, character in enumerate(ALPHABET)}


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in (a part of) a picture. *corners*: its edge; *is_whole*: the picture is the plate, no corners known."""

    pixels: Pixels
    corners: Corners
    text: str
    colour: PlateColour
    rows: int = 1
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    strip: Pixels
    text: str
    colour: PlateColour


def cut_round(photo: Photo) -> Plate:
    """The plate of *photo* with some of its surroundings, small enough to keep in memory."""
    pixels = read_pixels(photo.file)
    if photo.corners is None:
        return Plate(pixels, whole(pixels), photo.text, photo.colour, photo.rows, is_whole=True)
    corners = photo.corner_array()
    low, high = corners.min(0), corners.max(0)
    pad = 0.2 * (high[0] - low[0])
    left, top = np.maximum(low - pad, 0).astype(int)
    right, bottom = np.ceil(high + pad).astype(int)
    part, corners = pixels[top:bottom, left:right], corners - (left, top)
    shrink = CACHED_WIDTH / (high[0] - low[0])
    if shrink < 1:
        part = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        corners = corners * shrink
    return Plate(np.ascontiguousarray(part), corners.astype(np.float32), photo.text, photo.colour, photo.rows)


def sample_of(plate: Plate, rng: np.random.Generator) -> Sample:
    """A strip of *plate*, cut and lit a little differently every time."""
    corners = jitter(plate.corners, rng, tightness=1.5 if plate.is_whole else 1.0)
    return Sample(degrade(strip(plate.pixels, corners, plate.rows), rng), plate.text, plate.colour)


class RealPlates:
    """Photographs that may be trained on, kept in memory."""

    def __init__(self) -> None:
        photos = [photo for photo in training_photos() if photo.corners or not photo.is_scene]
        self._plates = [cut_round(photo) for photo in photos]
        chances = np.array([CHANCES.get(photo.source, 1.0) for photo in photos])
        self._chances = chances / chances.sum()

    def any(self, rng: np.random.Generator) -> Plate:
        """One of them at random, by its source's chance."""
        return self._plates[int(rng.choice(len(self._plates), p=self._chances))]

    def __call__(self, rng: np.random.Generator) -> Sample:
        return sample_of(self.any(rng), rng)


class SwappedPlates:
    """Real plates with other provinces and characters written into their cells; each explained when first wanted."""

    def __init__(self, real: RealPlates) -> None:
        self._real = real
        self._explained: dict[int, RealPlate | None] = {}

    def __call__(self, rng: np.random.Generator) -> Sample:
        while (plate := self._explain(self._real.any(rng))) is None:
            pass
        shot = swap(plate, rng)
        return sample_of(Plate(shot.pixels, shot.corners, shot.spec.text, shot.spec.colour), rng)

    def _explain(self, plate: Plate) -> RealPlate | None:
        key = id(plate)  # the plates live as long as this does
        if key not in self._explained:
            form = FORM_OF.get(plate.colour) if plate.rows == 1 else None
            spec = PlateSpec(plate.text, form, plate.colour) if form else None
            self._explained[key] = explain(plate.pixels, plate.corners, spec) if spec else None
        return self._explained[key]


def drawn(rng: np.random.Generator) -> Sample:
    """A plate of any kind and province, drawn and worn. A foreign one has no Chinese ground colour."""
    spec = random_plate(rng)
    shot = wear(draw(spec, rng), rng)
    if shot.is_crop and rng.random() < 0.5:
        corners = jitter(whole(shot.pixels), rng, tightness=1.5)
    else:
        corners = jitter(shot.corners, rng)
    colour = PlateColour.UNKNOWN if spec.is_foreign else spec.colour
    return Sample(strip(shot.pixels, corners, spec.rows), spec.text, colour)


Maker = Callable[[np.random.Generator], Sample]


def mixed(makers: list[tuple[float, Maker]], rng: np.random.Generator) -> Iterator[Sample]:
    """Samples without end, each from one of *makers* by its share."""
    shares = np.array([share for share, _ in makers])
    while True:
        _, make = makers[int(rng.choice(len(makers), p=shares / shares.sum()))]
        yield make(rng)


class Pool:
    """Strips and labels in two files that one process writes and another reads."""

    def __init__(self, folder: Path, size: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        strips, labels = folder / "strips.npy", folder / "labels.npy"
        if size is not None and not strips.exists():
            np.lib.format.open_memmap(strips, "w+", np.uint8, (size, HEIGHT, WIDTH, 3))
            np.lib.format.open_memmap(labels, "w+", np.uint8, (size, LONGEST + 2))
        self._strips = np.load(strips, mmap_mode="r+" if size else "r")
        self._labels = np.load(labels, mmap_mode="r+" if size else "r")

    def __len__(self) -> int:
        return len(self._labels)

    def filled(self) -> int:
        return int(np.count_nonzero(self._labels[:, 0]))

    def filled_at(self, place: int) -> bool:
        return bool(self._labels[place, 0])

    def put(self, place: int, sample: Sample) -> None:
        """Label: number of characters (0 = empty place), colour, the characters' classes."""
        self._labels[place, 0] = 0
        self._strips[place] = sample.strip
        self._labels[place, 1] = COLOURS.index(sample.colour)
        self._labels[place, 2 : 2 + len(sample.text)] = [CLASS_OF[character] for character in sample.text]
        self._labels[place, 0] = len(sample.text)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        """*count* strips [N, HEIGHT, WIDTH, 3] and their labels, at random."""
        full = np.flatnonzero(self._labels[:, 0])
        chosen = np.sort(rng.choice(full, count))
        return self._strips[chosen], self._labels[chosen]


def fill(pool: Pool, samples: Iterator[Sample], pace: float) -> None:
    """Fill *pool* as fast as can be, then replace its oldest strips, at most *pace* a second."""
    place = pool.filled() % len(pool)
    for sample in samples:
        pool.put(place, sample)
        place = (place + 1) % len(pool)
        if pool.filled_at(place):
            time.sleep(1 / pace)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--size", type=int, default=60_000, help="strips in the pool (23 kB each)")
    parser.add_argument("--pace", type=float, default=100, help="strips replaced a second once the pool is full")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(asked.seed)
    real = RealPlates()
    makers: list[tuple[float, Maker]] = [(0.3, real), (0.3, SwappedPlates(real)), (0.4, drawn)]
    fill(Pool(asked.pool, asked.size), mixed(makers, rng), asked.pace)


if __name__ == "__main__":
    main()
