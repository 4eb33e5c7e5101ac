"""Hang a drawn plate where a photograph shows a real one, in the light of that place."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from training.data import Corners, Pixels
from training.plates.draw import Face
from training.plates.texts import Rng
from training.plates.wear import surroundings, weather

WIDEST: Final = 1.25  # a new plate is at most this much larger than the old one, along each side


def paste(scene: Pixels, corners: Corners, face: Face, rng: Rng) -> tuple[Pixels, Corners]:
    """*scene* with *face* over the plate at *corners* (TL TR BR BL), and the new plate's corners."""
    new = _new_corners(corners, face, rng)
    around = _grown(new, corners, rng)
    left, top = np.floor(around.min(axis=0)).astype(int).clip(0) - 3
    left, top = max(0, int(left)), max(0, int(top))
    right, bottom = (np.ceil(around.max(axis=0)).astype(int) + 4).tolist()
    result = scene.copy()
    place = result[top:bottom, left:right]
    if min(place.shape[:2]) < 4:
        return scene, corners
    origin = np.array((left, top), np.float32)
    image = _lit(weather(face.image, rng), scene, corners)
    if rng.random() < 0.5:
        _lay(place, _holder(rng), around - origin)
    _lay(place, image, new - origin)
    if rng.random() < 0.5:
        place[:] = cv2.GaussianBlur(place, (0, 0), float(rng.uniform(0.3, 0.9)))
    return result, new


def _new_corners(corners: Corners, face: Face, rng: Rng) -> Corners:
    """The old place, made as tall or as wide as the new plate must be."""
    height, width = face.image.shape[:2]
    across = (np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2
    down = (np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    tall = float(np.clip(across * height / width / down, 0.8, 2.2))
    wide = float(rng.uniform(0.97, WIDEST)) if rng.random() < 0.3 else 1.03
    middle = corners.mean(axis=0)
    x, y = (
        (corners[1] + corners[2] - corners[0] - corners[3]) / 2,
        (corners[2] + corners[3] - corners[0] - corners[1]) / 2,
    )
    flat = corners - middle
    basis = np.stack([x, y], axis=1)
    if abs(np.linalg.det(basis)) < 1:
        return corners
    local = np.linalg.solve(basis, flat.T).T * np.array([wide, max(tall * wide, 0.8)])
    return (local @ basis.T + middle).astype(np.float32)


def _grown(new: Corners, old: Corners, rng: Rng) -> Corners:
    """A holder's outline: a little larger than both plates."""
    middle = new.mean(axis=0)
    reach = max(1.0, float((np.linalg.norm(old - middle, axis=1) / np.linalg.norm(new - middle, axis=1)).max()))
    return (middle + (new - middle) * (reach + float(rng.uniform(0.02, 0.1)))).astype(np.float32)


def _holder(rng: Rng) -> Pixels:
    if rng.random() < 0.6:
        shade = float(rng.uniform(5, 70) if rng.random() < 0.7 else rng.uniform(120, 220))
        return np.full((8, 24, 3), shade, np.uint8)
    return surroundings((24, 8), rng)


def _lit(image: Pixels, scene: Pixels, corners: Corners) -> Pixels:
    """*image* under the light that fell on the old plate: its white, its haze, and light to shade across it."""
    height, width = image.shape[:2]
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), flat)
    old = cv2.warpPerspective(scene, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    white = np.percentile(old.reshape(-1, 3), 96, axis=0)
    haze = max(0.0, float(np.percentile(old.min(axis=2), 8)) - 12) * 0.7
    grey = cv2.resize(old.mean(axis=2).astype(np.float32), (6, 2), interpolation=cv2.INTER_AREA)
    shade = cv2.resize(np.clip(grey / max(8.0, float(grey.mean())), 0.6, 1.5), (width, height))
    gain = np.clip((white.mean() * 0.6 + white * 0.4 - haze) / 235, 0.15, 1.1)
    return np.clip(image * gain * shade[..., None] + haze, 0, 255).astype(np.uint8)


def _lay(place: Pixels, image: Pixels, corners: Corners) -> None:
    """Warp *image* into *place* at *corners*, soft at the edge and without aliasing."""
    height, width = image.shape[:2]
    shrink = float(np.linalg.norm(corners[1] - corners[0])) / width
    if shrink < 0.75:
        smaller = (max(8, round(width * shrink * 1.2)), max(6, round(height * shrink * 1.2)))
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        height, width = image.shape[:2]
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    size = (place.shape[1], place.shape[0])
    warped = cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros(place.shape[:2], np.uint8)
    cv2.fillConvexPoly(cover, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(cover, (0, 0), 0.6)[..., None] / np.float32(255)
    place[:] = (place * (1 - share) + warped * share).astype(np.uint8)
