"""Pictures drawn for tests: a lane, and a plate of our own drawing in it."""

from __future__ import annotations

import cv2
import numpy
from numpy.typing import NDArray

from drivers.pictures import jpeg

Pixels = NDArray[numpy.uint8]
BLUE, WHITE = (200, 80, 20), (255, 255, 255)


def lane() -> Pixels:
    """An empty lane, 640 x 360."""
    return numpy.full((360, 640, 3), 110, numpy.uint8)


def with_plate(text: str, pixels: Pixels | None = None, left: int = 210, top: int = 200) -> Pixels:
    """*pixels* with a car and, at *left*, *top*, its blue plate of 220 x 70; the province is a block."""
    scene = (lane() if pixels is None else pixels).copy()
    cv2.rectangle(scene, (left - 110, top - 140), (left + 330, top + 110), (60, 60, 70), -1)
    cv2.rectangle(scene, (left, top), (left + 220, top + 70), BLUE, -1)
    cv2.rectangle(scene, (left + 8, top + 15), (left + 30, top + 55), WHITE, -1)
    for place, letter in enumerate(text):
        cv2.putText(scene, letter, (left + 38 + 29 * place, top + 54), cv2.FONT_HERSHEY_SIMPLEX, 1.5, WHITE, 4)
    return scene


def plate_jpeg(text: str) -> bytes:
    """The same as a JPEG."""
    return jpeg(with_plate(text))
