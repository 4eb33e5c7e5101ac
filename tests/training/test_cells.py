"""Ground and ink of a cell come out of the picture again. The character is a plain cross: no glyphs needed."""

from __future__ import annotations

import cv2
import numpy as np

from training.plates.cells import REACH, _soft, _solve

CROSS = np.zeros((54, 27), np.uint8)
CROSS[:, 10:17] = 255
CROSS[23:30] = 255
GROUND = np.array((150, 60, 20), np.float32)
INK = np.array((240, 235, 230), np.float32)


def test_ground_and_ink_of_a_blurred_character_are_found() -> None:
    share = _soft(CROSS, 1.5, REACH)[..., None]
    light = np.linspace(0.8, 1.1, share.shape[0], dtype=np.float32)[:, None, None]
    image = np.zeros((100, 80, 3), np.uint8)
    image[20:82, 30:65] = GROUND * light * (1 - share) + INK * share

    cell = _solve(image, CROSS, (30 + REACH, 20 + REACH), 1.5, np.random.default_rng(0))

    assert np.abs(cell.ink - INK).max() < 12
    assert np.abs(cell.ground - GROUND * light).mean() < 6


def test_the_old_character_leaves_no_trace() -> None:
    share = _soft(CROSS, 1.0, REACH)[..., None]
    image = np.zeros((100, 80, 3), np.uint8)
    image[20:82, 30:65] = GROUND * (1 - share) + INK * share

    cell = _solve(image, CROSS, (30 + REACH, 20 + REACH), 1.0, np.random.default_rng(0))

    bare = cv2.cvtColor(np.clip(cell.ground + cell.rest, 0, 255).astype(np.uint8), cv2.COLOR_BGR2GRAY)
    assert np.ptp(cv2.blur(bare, (5, 5)).astype(int)) < 25
