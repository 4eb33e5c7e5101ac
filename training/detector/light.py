"""The light of the place and the faults of the camera, over a whole picture."""

from __future__ import annotations

import cv2
import numpy as np

from training.data import Pixels
from training.plates.texts import Rng


def relight(pixels: Pixels, rng: Rng) -> Pixels:
    """Another exposure, contrast and colour of light; at times night, fog or other paint (hues turned)."""
    if rng.random() < 0.25:
        hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + int(rng.integers(0, 180))) % 180
        pixels = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.uint8)
    elif rng.random() < 0.1:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.uint8)
    values = np.arange(256, dtype=np.float32)[:, None] / 255
    gamma = np.exp(rng.normal(0, 0.35))
    gains = np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.08, 3))
    if rng.random() < 0.12:
        gains, gamma = gains * rng.uniform(0.15, 0.5), gamma * rng.uniform(1.0, 1.6)
    table = values**gamma * gains
    if rng.random() < 0.15:
        table = table + (rng.uniform(0.3, 0.9) - table) * rng.uniform(0.1, 0.6)
    pixels = cv2.LUT(pixels, np.clip(table * 255, 0, 255).astype(np.uint8)[None]).astype(np.uint8, copy=False)
    return _glare(pixels, rng) if rng.random() < 0.1 else pixels


def _glare(pixels: Pixels, rng: Rng) -> Pixels:
    """A lamp shining into the lens."""
    height, width = pixels.shape[:2]
    small = np.zeros((24, 32), np.float32)
    place = (int(rng.integers(0, 32)), int(rng.integers(0, 24)))
    cv2.circle(small, place, int(rng.integers(1, 5)), float(rng.uniform(80, 300)), -1)
    light = cv2.resize(cv2.GaussianBlur(small, (0, 0), rng.uniform(1, 5)), (width, height))
    return cv2.add(pixels, np.repeat(light[..., None], 3, axis=2), dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def shoot(pixels: Pixels, rng: Rng) -> Pixels:
    """One camera's focus, movement, noise, sharpening and JPEG."""
    if rng.random() < 0.3:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.8)).astype(np.uint8, copy=False)
    elif rng.random() < 0.15:
        pixels = _smeared(pixels, rng)
    elif rng.random() < 0.2:
        soft = cv2.GaussianBlur(pixels, (0, 0), 1.2)
        pixels = cv2.addWeighted(pixels, 1.8, soft, -0.8, 0).astype(np.uint8, copy=False)
    if rng.random() < 0.4:
        noise = np.empty((pixels.shape[0], pixels.shape[1], 3), np.int8)
        cv2.randn(noise, 0, float(rng.uniform(1, 14)))
        pixels = cv2.add(pixels, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
    if rng.random() < 0.3:
        packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])[1]
        pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8, copy=False)
    return pixels


def _smeared(pixels: Pixels, rng: Rng) -> Pixels:
    """Something moved while the shutter was open."""
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.7:
        kernel[length // 2] = 1 / length
    else:
        np.fill_diagonal(kernel, 1 / length)
    return cv2.filter2D(pixels, -1, kernel).astype(np.uint8, copy=False)
