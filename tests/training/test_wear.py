"""A snapshot's corners are where the plate is, whatever was done to it. The face is a plain board: no glyphs needed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from domain.plate import PlateColour
from training.plates.draw import Face
from training.plates.paste import paste
from training.plates.texts import PlateSpec
from training.plates.wear import wear

BOARD = Face(
    np.full((84, 264, 3), (0, 0, 255), np.uint8),
    PlateSpec("京A12345", "blue", PlateColour.BLUE),
    np.zeros((7, 4), np.float32),
)


def redness(pixels: np.ndarray, corners: np.ndarray) -> tuple[float, float]:
    """Mean of red minus green inside a little smaller outline, and outside a little larger one."""
    middle = corners.mean(axis=0)
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, (middle + (corners - middle) * 0.8).astype(np.int32), 1)
    outside = np.ones(pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(outside, (middle + (corners - middle) * 1.25).astype(np.int32), 0)
    red = pixels[..., 2].astype(np.float32) - pixels[..., 1]
    return float(red[inside == 1].mean()), float(red[outside == 1].mean()) if outside.any() else 0.0


def test_the_same_seed_wears_a_plate_the_same_way() -> None:
    first = wear(BOARD, np.random.default_rng(5))
    again = wear(BOARD, np.random.default_rng(5))

    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.corners, again.corners)


def test_the_plate_is_inside_its_corners_and_the_corners_inside_the_picture() -> None:
    rng = np.random.default_rng(3)
    redder = 0
    for _ in range(60):
        shot = wear(BOARD, rng)
        height, width = shot.pixels.shape[:2]
        inside, outside = redness(shot.pixels, shot.corners)
        redder += inside > outside + 20

        assert shot.corners.min() >= -1
        assert shot.corners[:, 0].max() <= width + 1
        assert shot.corners[:, 1].max() <= height + 1
    assert redder >= 54


@pytest.mark.parametrize("height", [84, 132])
def test_a_pasted_plate_hangs_where_the_new_corners_say(height: int) -> None:
    scene = np.full((300, 400, 3), 128, np.uint8)
    old = np.array([(100, 120), (220, 130), (220, 170), (100, 158)], np.float32)
    face = Face(np.full((height, 264, 3), (0, 0, 255), np.uint8), BOARD.spec, BOARD.cells)

    pasted, corners = paste(scene, old, face, np.random.default_rng(2))

    inside, outside = redness(pasted, corners)
    assert inside > 25
    assert abs(outside) < 2
    assert np.abs(corners.mean(axis=0) - old.mean(axis=0)).max() < 3
    assert np.array_equal(scene, np.full_like(scene, 128))
