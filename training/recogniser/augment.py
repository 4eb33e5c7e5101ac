"""Label-preserving changes: corners as a detector would miss them, and strips under other light, lenses and files."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Corners = NDArray[np.float32]


def jitter(corners: Corners, rng: np.random.Generator, tightness: float = 1.0) -> Corners:
    """*corners* missed as a detector misses them: moved, scaled, tilted, each corner off by a little.

    One time in five they are the plate's upright box with a margin, as in a plain crop; higher *tightness*, less error.
    """
    if tightness <= 1 and rng.random() < 0.2:
        corners = upright_box(corners, margin=rng.uniform(0, 0.05))
    size = np.array([_length(corners[1] - corners[0]), _length(corners[3] - corners[0])], np.float32)
    error = (2.0 if rng.random() < 0.1 else 1.0) / tightness
    centre = corners.mean(0)
    scale = 1 + error * rng.normal(0, (0.02, 0.035))
    shift = error * rng.normal(0, (0.008, 0.03)) * size
    each = error * np.clip(rng.normal(0, 1, (4, 2)), -2.5, 2.5) * (0.008, 0.025) * size
    return np.asarray((corners - centre) * scale + centre + shift + each, np.float32)


def upright_box(corners: Corners, margin: float = 0.0) -> Corners:
    """The upright rectangle round *corners*, wider on every side by *margin* of the plate's width."""
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    pad = margin * (right - left)
    left, top, right, bottom = left - pad, top - pad, right + pad, bottom + pad
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def degrade(strip: Pixels, rng: np.random.Generator) -> Pixels:
    """*strip* as a worse camera at another hour would have taken it."""
    if rng.random() < 0.25:
        strip = coarser(strip, rng.uniform(1.2, 2.8), rng)
    if rng.random() < 0.25:
        strip = cv2.GaussianBlur(strip, (0, 0), rng.uniform(0.4, 1.6)).astype(np.uint8)
    if rng.random() < 0.1:
        strip = moved(strip, int(rng.integers(2, 6)))
    if rng.random() < 0.3:
        strip = paler(strip, rng.uniform(0.1, 0.8))
    if rng.random() < 0.85:
        strip = relit(strip, rng)
    if rng.random() < 0.3:
        strip = np.clip(strip + rng.normal(0, rng.uniform(2, 14), strip.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        ok, data = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 75))])
        strip = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if ok else strip
    return strip


def coarser(strip: Pixels, times: float, rng: np.random.Generator) -> Pixels:
    """*strip* as if the plate had been *times* smaller in the picture."""
    height, width = strip.shape[:2]
    how = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR]))
    small = cv2.resize(strip, (round(width / times), round(height / times)), interpolation=how)
    back = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.uint8)


def moved(strip: Pixels, length: int) -> Pixels:
    """Blurred by a car that moved *length* strip pixels to the side while the shutter was open."""
    return np.asarray(cv2.blur(strip, (length, 1)), np.uint8)


def paler(strip: Pixels, share: float) -> Pixels:
    """With *share* of its colour gone: old paint, haze, a camera in poor light."""
    grey = strip.mean(2, keepdims=True)
    return np.asarray(strip + share * (grey - strip), np.uint8)


def relit(strip: Pixels, rng: np.random.Generator) -> Pixels:
    """Other exposure, contrast, white balance, and now and then light from one side."""
    light = np.float32(1) if rng.random() < 0.8 else _slope(strip.shape[1], rng)
    gain = rng.uniform(0.55, 1.4) * rng.normal(1, 0.06, 3)
    unit = np.clip(strip.astype(np.float32) / 255 * light * gain + rng.uniform(-0.08, 0.12), 0, 1)
    return np.asarray(np.power(unit, rng.uniform(0.7, 1.5)) * 255, np.uint8)


def _slope(width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    ends = rng.uniform(0.5, 1.3, 2)
    return np.linspace(ends[0], ends[1], width, dtype=np.float32)[None, :, None]


def _length(vector: NDArray[np.float32]) -> float:
    return float(np.hypot(vector[0], vector[1]))
