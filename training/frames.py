"""What several frames of one car are worth: held-back scenes, shaken as a camera's frames are, read and joined.

``python -m training.frames [--frames 5] [--every 1]``. Frames of one photograph share its light, its dirt and its
angle, as those of a car that stands at a barrier do; of a car that moves they would differ more.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from domain.plate import PlateVerdict, classify
from domain.plate_reading import Thresholds
from drivers.camera.looks import FrameLook, is_enough, joined
from drivers.recogniser.reader import new_reader
from training.data import Pixels, read_pixels
from training.plates.texts import Rng
from training.split import validation_photos

SEED: Final = 20261122
SHAKE: Final = 0.01  # of the picture
TURN: Final = 1.5  # degrees
GROW: Final = 0.06
LIGHT: Final = (0.8, 1.15)
NOISE: Final = 4.0  # of 255
MOVING: Final = 0.3  # share of frames blurred by movement
QUALITY: Final = (60, 90)  # JPEG


def frame(pixels: Pixels, rng: Rng) -> bytes:
    """The picture as another frame of the same car."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-TURN, TURN), rng.uniform(1 - GROW, 1 + GROW))
    turn[:, 2] += rng.uniform(-SHAKE, SHAKE, 2) * (width, height)
    seen = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    seen = seen * rng.uniform(*LIGHT) + rng.normal(0, NOISE, seen.shape)
    if rng.random() < MOVING:
        seen = cv2.blur(seen, (int(rng.choice((3, 5))), 1))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*QUALITY))]
    return cv2.imencode(".jpg", np.clip(seen, 0, 255).astype(np.uint8), quality)[1].tobytes()


def until_sure(looks: Sequence[FrameLook], thresholds: Thresholds) -> tuple[FrameLook, int]:
    """What a video camera would pass on, and after how many frames."""
    for count in range(1, len(looks) + 1):
        look = joined(looks[:count], thresholds)
        if is_enough(looks[:count], look):
            break
    return look, count


def row(name: str, answers: Sequence[tuple[str, FrameLook]]) -> str:
    exact = accepted = wrong = 0
    for text, look in answers:
        main = look.candidates[0] if look.candidates else None
        is_right = bool(main and main.readings and main.readings[0].text == text)
        exact += is_right
        if main and main.verdict is PlateVerdict.ACCEPT:
            accepted += 1
            wrong += not is_right
    count = len(answers)
    return f"| {name} | {count} | {exact / count:.1%} | {accepted / count:.1%} | {wrong} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th scene")
    args = parser.parse_args()
    reader, rng = new_reader(), np.random.default_rng(SEED)
    scenes = [photo for photo in validation_photos() if photo.is_scene and classify(photo.text)][:: args.every]
    cars: list[tuple[str, list[FrameLook]]] = []
    for scene in scenes:
        pixels = read_pixels(scene.file)
        frames = [frame(pixels, rng) for _ in range(args.frames)]
        cars.append((scene.text, [FrameLook(reader.recognise(jpeg), b"") for jpeg in frames]))
    ended = [(text, *until_sure(looks, reader.thresholds)) for text, looks in cars]
    print("| answer of | n | exact | accepted | wrong among accepted |\n|---|---|---|---|---|")
    print(row("each frame", [(text, look) for text, looks in cars for look in looks]))
    print(row(f"{args.frames} frames joined", [(text, joined(looks, reader.thresholds)) for text, looks in cars]))
    print(row("frames until sure", [(text, look) for text, look, _ in ended]))
    print(f"frames until sure: {sum(count for *_, count in ended) / len(ended):.2f} a car")


if __name__ == "__main__":
    main()
