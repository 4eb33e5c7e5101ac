"""How the shipped weights read drawn plates of every form: a figure for kinds of which there is hardly a photograph.

``python -m training.exam [--each 60]`` hangs drawn plates over the plates of held-back photographs, has the whole
reader look at the pictures, and prints a table. It says what the reader knows of a form, not what it reaches on a road.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from domain.plate import PlateVerdict
from drivers.base import PlateCandidate
from drivers.recogniser.reader import PlateReader, new_reader
from training.data import Pixels, read_pixels
from training.plates.draw import draw
from training.plates.paste import paste
from training.plates.texts import FORMS, Rng, random_plate
from training.split import validation_photos

SEED: Final = 20261122


def pictures(form: str, count: int, rng: Rng) -> Iterator[tuple[str, bytes]]:
    """The text and the JPEG of *count* held-back scenes that now show a plate of *form*."""
    scenes = [photo for photo in validation_photos() if photo.is_scene and photo.corners]
    for _ in range(count):
        scene = scenes[rng.integers(len(scenes))]
        spec = random_plate(rng, form)
        pixels, _ = paste(read_pixels(scene.file), scene.corner_array(), draw(spec, rng), rng)
        yield spec.text, as_jpeg(pixels)


def as_jpeg(pixels: Pixels) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def outcome(text: str, candidates: tuple[PlateCandidate, ...]) -> Iterator[str]:
    """What to count of one picture: read, accepted, wrongly accepted."""
    if not candidates:
        return
    is_right = candidates[0].text == text
    if is_right:
        yield "read"
    if candidates[0].verdict is PlateVerdict.ACCEPT:
        yield "accepted"
        if not is_right:
            yield "wrong"


def examine(reader: PlateReader, form: str, each: int, seed: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text, jpeg in pictures(form, each, np.random.default_rng(seed)):
        counts.update(outcome(text, reader.recognise(jpeg)))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=60, help="pictures a form")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    reader = new_reader()
    print("| form | read | accepted, of these wrong |\n|---|---|---|")
    for number, form in enumerate(FORMS):
        counts = examine(reader, form, asked.each, SEED + number)
        name = form.replace("_", " ")
        print(f"| {name} | {counts['read']} of {asked.each} | {counts['accepted']}, {counts['wrong']} |", flush=True)


if __name__ == "__main__":
    main()
