"""Put a plate into a picture, and a picture with its plates into another frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data import Corners, Pixels
from training.detector.targets import Plate
from training.plates.draw import Face
from training.plates.texts import Rng
from training.plates.wear import weather

Matrix = NDArray[np.float64]

WHOLE: Final = 0.98  # share of a plate that must be in the frame for it to be found
TRACE: Final = 0.35  # below this share it is no plate any more


@dataclass(frozen=True, slots=True)
class Board:
    """A drawn plate, worn, perhaps in a holder. *margins*: the holder beside and above it, shares of the plate."""

    image: Pixels
    margins: tuple[float, float]
    shape: float  # the plate's height by its width
    rows: int


def board(face: Face, rng: Rng) -> Board:
    """*face* after some years on the road; every other one in a dark, bright or coloured holder."""
    image = weather(face.image, rng)
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        return Board(image, (0.0, 0.0), height / width, face.spec.rows)
    beside, above = int(rng.integers(1, 12)), int(rng.integers(1, 12))
    shade = (
        rng.uniform(0, 255, 3) if rng.random() < 0.2 else np.full(3, rng.uniform(5, 80) if rng.random() < 0.7 else 200)
    )
    held = cv2.copyMakeBorder(image, above, above, beside, beside, cv2.BORDER_CONSTANT, value=shade.tolist())
    return Board(held.astype(np.uint8, copy=False), (beside / width, above / height), height / width, face.spec.rows)


def quad_over(corners: Corners, hung: Board, rng: Rng) -> Corners:
    """Where a plate lies when it is screwed on over the one at *corners*, in its plane, hiding all of it."""
    length = float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3]))
    height = float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1]))
    real = min(max(height / max(length, 1e-6), 0.2), 0.6)
    wide = max(1.0, real / hung.shape) * rng.uniform(1.03, 1.1)
    half = np.array([wide / 2, wide * hung.shape / 2 / real])
    flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half + 0.5
    return _in_plane(corners, flat)


def _in_plane(corners: Corners, flat: NDArray[np.float64]) -> Corners:
    """*flat* points, in widths and heights of the plate at *corners*, as pixels."""
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    plane = cv2.getPerspectiveTransform(unit, corners.astype(np.float32))
    return cv2.perspectiveTransform(flat[None].astype(np.float32), plane)[0].astype(np.float32)


def free_quad(hung: Board, middle: tuple[float, float], length: float, rng: Rng) -> Corners:
    """A plate *length* pixels long hung anywhere: turned, sheared and seen from the side."""
    flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array([length / 2, length * hung.shape / 2])
    angle = np.deg2rad(rng.normal(0, 8) if rng.random() < 0.75 else rng.uniform(-30, 30))
    slant = np.array([[rng.uniform(0.65, 1), rng.normal(0, 0.12)], [rng.normal(0, 0.08), 1]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flat = flat @ slant.T @ turn.T * (1 + rng.normal(0, 0.03, (4, 1)))
    return (flat + middle).astype(np.float32)


def light_at(pixels: Pixels, corners: Corners) -> float:
    """How bright white is at the place of a plate, 0..1.3."""
    left, top = np.clip(corners.min(axis=0), 0, None).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    region = pixels[top:bottom, left:right]
    return float(np.percentile(region.max(axis=2), 96)) / 245 if region.size else 0.8


def put(pixels: Pixels, hung: Board, plate: Corners, light: float, rng: Rng) -> None:
    """Draw a plate into *pixels* with its corners at *plate*, the edge blended, its white at *light*."""
    height, width = hung.image.shape[:2]
    beside, above = hung.margins
    corners = _in_plane(
        plate, np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * (1 + 2 * beside, 1 + 2 * above) - hung.margins
    )
    left, top = np.floor(corners.min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, pixels.shape[1]), min(bottom, pixels.shape[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    image, shrink = hung.image, float(np.linalg.norm(corners[1] - corners[0])) / width
    if shrink < 0.6:
        image = cv2.resize(image, None, fx=shrink * 1.2, fy=shrink * 1.2, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, corners - np.array([x0, y0], np.float32) - 0.5)
    size = (int(x1 - x0), int(y1 - y0))
    warped = cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    mask = cv2.warpPerspective(np.full((height, width), 1, np.float32), matrix, size)
    slope = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :, None] * rng.normal(0, 0.1)
    warped = warped * (light * rng.uniform(0.8, 1.15) * (1 + slope)) * rng.normal(1, 0.05, 3).astype(np.float32)
    warped += rng.normal(0, 8)
    blur = rng.uniform(0, 1.4) * max(0.25, size[0] / 250)
    if blur > 0.35:
        warped, mask = cv2.GaussianBlur(warped, (0, 0), blur), cv2.GaussianBlur(mask, (0, 0), min(blur, 1.0))
    place = pixels[y0:y1, x0:x1]
    place[:] = np.clip(place + (warped - place) * mask[..., None], 0, 255).astype(np.uint8)


def seen_in(plates: list[Plate], matrix: Matrix, size: tuple[int, int]) -> list[Plate]:
    """*plates* moved by *matrix*; those mostly outside a frame of *size* go, those cut by its border are uncertain."""
    frame = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    kept = []
    for plate in plates:
        corners = cv2.perspectiveTransform(plate.corners[None].astype(np.float32), matrix)[0].astype(np.float32)
        area = cv2.contourArea(corners)
        share = cv2.intersectConvexConvex(corners, frame)[0] / area if area > 20 else 0.0
        if share > TRACE:
            kept.append(Plate(corners, plate.rows, plate.certain and share > WHOLE))
    return kept
