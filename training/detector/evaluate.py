"""How well plates are found: ``python -m training.detector.evaluate [--models FOLDER] [--draw FOLDER]``.

Over the validation scenes: the share of labelled plates that some answer overlaps by half and by 0.7 (CCPD: outlines
against corners; EasyPR: boxes against boxes, which for a tilted plate are rough), how far corners are off in percent
of the plate's length, how many answers are nobody's plate, and milliseconds a picture.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from drivers.recogniser.detector import Detector, FoundPlate
from drivers.recogniser.networks import MODELS, open_network
from training.data import Corners, Photo, Pixels, read_pixels
from training.split import validation_photos

NAN: Final = float("nan")
GREEN: Final = (0, 255, 0)
RED: Final = (0, 0, 255)


@dataclass(frozen=True, slots=True)
class Result:
    """One scene. *overlap* and *error* (percent of the plate's length) are NaN where no label tells them."""

    overlap: float
    error: float
    score: float  # of the answer that overlaps most
    others: int  # answers that are not the labelled plate
    ms: float


def overlap(one: Corners, other: Corners) -> float:
    """Intersection over union of two outlines."""
    shared = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))[0]
    return float(shared / max(cv2.contourArea(one) + cv2.contourArea(other) - shared, 1e-6))


def boxed(corners: Corners) -> Corners:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def compare(photo: Photo, plate: FoundPlate) -> tuple[float, float]:
    """Overlap with the label, and the mean corner error in percent of the plate's length where corners are known."""
    if photo.corners is None:
        return overlap(boxed(plate.corners), boxed(np.array(photo.box, np.float32).reshape(2, 2))), NAN
    truth = photo.corner_array()
    length = float(np.linalg.norm(truth[1] - truth[0]))
    return overlap(plate.corners, truth), float(np.linalg.norm(plate.corners - truth, axis=1).mean()) / length * 100


def judge(photo: Photo, plates: tuple[FoundPlate, ...], ms: float) -> Result:
    if photo.box is None and photo.corners is None:
        answers = ", ".join(f"{plate.score:.2f} rows {plate.rows}" for plate in plates)
        print(f"no label of the place: {photo.file} {photo.category}: {answers}")
        return Result(NAN, NAN, NAN, 0, ms)
    measured = [(*compare(photo, plate), plate.score) for plate in plates]
    fit, error, score = max(measured, key=lambda one: one[0], default=(0.0, NAN, 0.0))
    if fit < 0.5:
        print(f"missed: {photo.file} {photo.source}, best overlap {fit:.2f} of {len(plates)} answers")
    return Result(fit, error if fit >= 0.5 else NAN, score, len(plates) - int(fit >= 0.3), ms)


def report(source: str, results: list[Result]) -> str:
    overlaps, errors = np.array([r.overlap for r in results]), np.array([r.error for r in results])
    lowest = np.sort([r.score for r in results])[:3].round(2).tolist()
    text = (
        f"{source:14} {len(results):3} scenes: IoU>=0.5 {(overlaps >= 0.5).sum()}, >=0.7 {(overlaps >= 0.7).sum()},"
        f" lowest scores {lowest}, others {sum(r.others for r in results)}, {np.median([r.ms for r in results]):.0f} ms"
    )
    known = errors[~np.isnan(errors)]
    return text + (f", corners off {known.mean():.2f} % (median {np.median(known):.2f})" if len(known) else "")


def draw(pixels: Pixels, plates: tuple[FoundPlate, ...], file: Path) -> None:
    for plate in plates:
        outline = plate.corners.round().astype(np.int32)
        cv2.polylines(pixels, [outline], True, GREEN, 2)
        cv2.circle(pixels, outline[0].tolist(), 4, RED, -1)
        cv2.putText(pixels, f"{plate.score:.2f} {plate.rows}", outline[1].tolist(), 0, 0.8, RED, 2)
    scale = 480 / max(pixels.shape[:2])
    cv2.imwrite(str(file), cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pixels-in", type=int, default=640 * 384)
    parser.add_argument("--draw", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    detector = Detector(open_network("detector", folder=asked.models))
    results: dict[str, list[Result]] = defaultdict(list)
    for photo in validation_photos():
        if photo.is_scene:
            pixels = read_pixels(photo.file)
            start = time.perf_counter()
            plates = detector.find(pixels, pixels_in=asked.pixels_in)
            results[photo.source].append(judge(photo, plates, (time.perf_counter() - start) * 1000))
            if asked.draw:
                asked.draw.mkdir(parents=True, exist_ok=True)
                draw(pixels, plates, asked.draw / Path(photo.file).name)
    for source, found in sorted(results.items()):
        print(report(source, found))


if __name__ == "__main__":
    main()
