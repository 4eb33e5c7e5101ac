from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from drivers.recogniser.strip import BANDS, HEIGHT, WIDTH, as_input, strip, whole

RED, GREEN, WHITE = (0, 0, 255), (0, 255, 0), (255, 255, 255)


def plate(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 60, np.uint8)


def test_a_plate_turned_by_a_quarter_comes_out_upright() -> None:
    picture = plate(400, 200)
    picture[20:50, 60:140] = RED  # the plate reads downwards: its left end is at the top
    corners = np.array([(140, 20), (140, 340), (60, 340), (60, 20)], np.float32)

    cut = strip(picture, corners)

    assert cut.shape == (HEIGHT, WIDTH, 3)
    assert tuple(cut[HEIGHT // 2, 9]) == RED
    assert tuple(cut[HEIGHT // 2, WIDTH - 9]) == (60, 60, 60)


def test_a_strip_shows_a_margin_beyond_the_corners() -> None:
    picture = plate(140, 440)
    picture[20:120, 40:400] = WHITE

    cut = strip(picture, np.array([(40, 20), (400, 20), (400, 120), (40, 120)], np.float32))

    assert tuple(cut[1, 1]) == (60, 60, 60)
    assert tuple(cut[HEIGHT // 2, WIDTH // 2]) == WHITE


def test_two_rows_stand_side_by_side_upper_row_first() -> None:
    picture = plate(220, 440)
    picture[15:75] = RED
    picture[90:200] = GREEN

    cut = strip(picture, whole(picture), rows=2)

    upper = BANDS[2][0].width
    assert cut.shape == (HEIGHT, WIDTH, 3)
    assert tuple(cut[HEIGHT // 2, upper // 2]) == RED
    assert tuple(cut[HEIGHT // 2, upper + 40]) == GREEN


def test_a_large_plate_is_shrunk_without_aliasing() -> None:
    picture = plate(480, 1600)
    picture[:, ::2] = 255
    picture[:, 1::2] = 0

    cut = strip(picture, whole(picture)).astype(int)

    assert abs(cut[10:-10, 10:-10] - 127).max() < 40


def test_corners_outside_the_picture_repeat_its_edge() -> None:
    picture = np.full((50, 100, 3), 200, np.uint8)

    cut = strip(picture, np.array([(-50, -20), (150, -20), (150, 70), (-50, 70)], np.float32))

    assert cut.min() == 200


def test_strips_become_planes_of_blue_green_red() -> None:
    picture = plate(HEIGHT, WIDTH)
    picture[:] = (1, 2, 3)

    array = as_input([strip(picture, whole(picture))])

    assert array.shape == (1, 3, HEIGHT, WIDTH)
    assert array.dtype == np.float32
    assert [float(array[0, plane, 5, 5]) for plane in range(3)] == [1, 2, 3]
