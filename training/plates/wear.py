"""What weather, light and the camera do to a plate: a clean face becomes a snapshot with known corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from training.data import Corners, Pixels
from training.plates.draw import Face
from training.plates.texts import PlateSpec, Rng

TIGHT: Final = (94, 24)  # pixels of the squeezed crops many recognisers are fed with


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A plate as photographed. *corners*: TL TR BR BL, pixels; *is_crop*: cut at the plate's own box."""

    pixels: Pixels
    corners: Corners
    spec: PlateSpec
    is_crop: bool


def wear(face: Face, rng: Rng) -> Snapshot:
    """*face* as some camera saw it; all randomness from *rng*."""
    image = weather(face.image, rng)
    snapshot = _view(image, face.spec, rng)
    return Snapshot(camera(snapshot.pixels, rng), snapshot.corners, snapshot.spec, snapshot.is_crop)


def weather(image: Pixels, rng: Rng) -> Pixels:
    """Light across the face, a shadow's edge, fading and dirt."""
    height, width = image.shape[:2]
    light = np.full((height, width), rng.uniform(0.75, 1.15), np.float32)
    if rng.random() < 0.6:
        slope = np.linspace(-1, 1, width, dtype=np.float32)[None] * rng.normal(0, 0.15)
        light += slope + np.linspace(-1, 1, height, dtype=np.float32)[:, None] * rng.normal(0, 0.15)
    if rng.random() < 0.25:
        _shadow(light, rng)
    if rng.random() < 0.3:
        blotches = cv2.resize(rng.random((4, 12), dtype=np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        light *= 1 - rng.uniform(0.1, 0.4) * np.clip(blotches - 0.4, 0, 1)
    if rng.random() < 0.06:
        _glare(light, rng)
    lit = image * light[..., None]
    if rng.random() < 0.25:
        lit = lit + (rng.uniform(60, 150) - lit) * rng.uniform(0.05, 0.45)  # faded, hazy or dusty
    if rng.random() < 0.12:
        lit = _worn_away(lit.astype(np.float32), rng)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _worn_away(lit: np.ndarray, rng: Rng) -> np.ndarray:
    """Paint rubbed off or mud caked on in one part, most often at an end: characters there hardly show."""
    width = lit.shape[1]
    bare = cv2.blur(lit, (width // 6, width // 6))
    middle = rng.choice((0.0, 1.0, rng.random())) * width
    near = np.exp(-(((np.arange(width, dtype=np.float32) - middle) / (width * rng.uniform(0.1, 0.25))) ** 2))
    share = (near * rng.uniform(0.3, 0.85))[None, :, None]
    return lit + (bare - lit) * share


def _glare(light: np.ndarray, rng: Rng) -> None:
    """A lamp or the sun mirrored in one spot."""
    height, width = light.shape
    spot = np.zeros((height, width), np.float32)
    cv2.circle(spot, (int(rng.integers(width)), int(rng.integers(height))), height // 5, 1.0, -1)
    light += cv2.blur(spot, (height // 2, height // 2)) * rng.uniform(0.5, 3)


def _shadow(light: np.ndarray, rng: Rng) -> None:
    height, width = light.shape
    points = np.array([[0, height * rng.uniform(-0.5, 1)], [width, height * rng.uniform(-0.5, 1)]])
    edge = points[1] if rng.random() < 0.5 else np.array([width * rng.uniform(0.2, 1.2), 0])
    area = np.array([[0, 0], points[0], edge, [width, 0]], np.int32)
    cv2.fillPoly(light, [area], float(light.mean() * rng.uniform(0.35, 0.8)))


def _view(image: Pixels, spec: PlateSpec, rng: Rng) -> Snapshot:
    """Seen by a camera: size, tilt, perspective, and what is around."""
    height, width = image.shape[:2]
    kind = rng.random()
    is_crop = kind < 0.35
    size = 94 if is_crop and kind < 0.2 else float(np.exp(rng.uniform(np.log(70), np.log(240))))
    tall = size * height / width
    flat = np.array([(0, 0), (size, 0), (size, tall), (0, tall)], np.float32)
    strength = 0.4 if rng.random() < 0.6 else 1.0
    turn = rng.normal(0, 5) * strength
    shear, yaw = rng.normal(0, 0.1) * strength, 1 - abs(rng.normal(0, 0.12)) * strength
    angle = np.deg2rad(turn)
    matrix = np.array([[np.cos(angle) * yaw, -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]], np.float32)
    corners = flat @ matrix.T
    corners += rng.normal(0, 0.008 * size * strength, (4, 2)).astype(np.float32)
    margin = (0.01 if is_crop else 0.12) * size + 1
    corners -= corners.min(axis=0) - margin * rng.uniform(0.6, 1.4)
    extent = corners.max(axis=0) + margin * rng.uniform(0.6, 1.4)
    if is_crop and size == 94:
        corners *= np.array(TIGHT, np.float32) / extent
        extent = np.array(TIGHT, np.float32)
    return _warp(
        image, corners.astype(np.float32), (round(float(extent[0])), round(float(extent[1]))), spec, is_crop, rng
    )


def _warp(image: Pixels, corners: Corners, size: tuple[int, int], spec: PlateSpec, is_crop: bool, rng: Rng) -> Snapshot:
    height, width = image.shape[:2]
    shrink = max(np.linalg.norm(corners[1] - corners[0]) / width, np.linalg.norm(corners[3] - corners[0]) / height)
    if shrink < 0.6:
        image = cv2.resize(image, None, fx=shrink * 1.3, fy=shrink * 1.3, interpolation=cv2.INTER_AREA).astype(np.uint8)
        height, width = image.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, corners - 0.5)
    around = surroundings(size, rng)
    if rng.random() < 0.3:
        _holder(around, corners, rng)
    cv2.warpPerspective(image, matrix, size, dst=around, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return Snapshot(around, corners, spec, is_crop)


def _holder(around: Pixels, corners: Corners, rng: Rng) -> None:
    """A dealer's frame round the plate, or a bumper's recess."""
    middle = corners.mean(axis=0)
    outline = middle + (corners - middle) * np.array([rng.uniform(1.01, 1.06), rng.uniform(1.04, 1.3)])
    shade = float(rng.uniform(5, 60) if rng.random() < 0.7 else rng.uniform(120, 230))
    cv2.fillConvexPoly(around, np.round(outline).astype(np.int32), (shade, shade, shade), cv2.LINE_AA)


def surroundings(size: tuple[int, int], rng: Rng) -> Pixels:
    """A car's skin, bumper or shadow: smooth, dark or bright, some edges."""
    small = rng.uniform(0, 255, 3) * 0.7 + rng.normal(0, 30, (int(rng.integers(2, 5)), int(rng.integers(2, 5)), 3))
    if rng.random() < 0.5:
        small = small.mean(axis=2, keepdims=True).repeat(3, axis=2)
    interpolation = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_NEAREST
    return cv2.resize(np.clip(small, 0, 255).astype(np.uint8), size, interpolation=interpolation).astype(np.uint8)


def camera(pixels: Pixels, rng: Rng) -> Pixels:
    """Focus, movement, lack of pixels, exposure, colour balance, noise, JPEG."""
    height, width = pixels.shape[:2]
    if rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.3) * width / 130)
    if rng.random() < 0.2:
        pixels = _smear(pixels, rng)
    if rng.random() < 0.35:
        fine = rng.uniform(0.35, 0.9)
        if min(height, width) * fine > 12:
            small = cv2.resize(pixels, None, fx=fine, fy=fine, interpolation=cv2.INTER_AREA)
            pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = _develop(pixels, rng)
    values = np.arange(256, dtype=np.float32)
    gamma = float(np.exp(rng.normal(0, 0.3)))
    gains = np.clip(np.exp(rng.normal(0, 0.3)), 0.35, 2) * np.exp(rng.normal(0, 0.12, 3))
    table = np.clip(255 * (values[:, None] / 255) ** gamma * gains + rng.normal(0, 10), 0, 255).astype(np.uint8)
    pixels = cv2.LUT(pixels, table[None])
    if rng.random() < 0.6:
        noise = np.empty(pixels.shape, np.int16)
        cv2.randn(noise, 0, float(rng.uniform(1, 12)))
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return pixels.astype(np.uint8, copy=False)


def _develop(pixels: Pixels, rng: Rng) -> Pixels:
    """What the camera's own processing does: paler or stronger colours, sharpened edges."""
    if rng.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = float(rng.uniform(0.2, 0.7))
        pixels = cv2.addWeighted(pixels, 1 - share, grey, share, 0).astype(np.uint8, copy=False)
    if rng.random() < 0.15:  # fog, night, a dirty lens: little contrast left
        contrast = float(rng.uniform(0.2, 0.7))
        level = float(pixels.mean()) * float(rng.uniform(0.4, 1.3)) * (1 - contrast)
        pixels = cv2.convertScaleAbs(pixels, alpha=contrast, beta=level).astype(np.uint8, copy=False)
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(pixels, (0, 0), pixels.shape[1] / 130)
        amount = float(rng.uniform(0.4, 1.6))
        pixels = cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0).astype(np.uint8, copy=False)
    return pixels


def _smear(pixels: Pixels, rng: Rng) -> Pixels:
    length = int(rng.integers(3, max(4, pixels.shape[1] // 16)))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.4 else rng.normal(0, 0.2)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    start, end = (length - 1) / 2 - reach, (length - 1) / 2 + reach
    cv2.line(kernel, (round(start[0]), round(start[1])), (round(end[0]), round(end[1])), 1.0)
    return cv2.filter2D(pixels, -1, kernel / max(1.0, float(kernel.sum()))).astype(np.uint8, copy=False)
