"""Finding plates: how the detector's maps become plates, with maps made by hand."""

import cv2
import numpy as np
import pytest

from drivers.recogniser.detector import Detector, FoundPlate, decode, fit, merge
from drivers.recogniser.networks import open_network
from tests.drivers.scenes import with_plate

TALL, WIDE = 128, 256
NO = -9.0


class Answering:
    """A network that gives the same maps whatever it is shown, and keeps what it was shown."""

    def __init__(self, maps: list[np.ndarray]) -> None:
        self.maps = maps
        self.shown: list[np.ndarray] = []

    def run(self, array: np.ndarray) -> list[np.ndarray]:
        self.shown.append(array)
        return self.maps


def blank_maps() -> list[np.ndarray]:
    maps = [np.zeros((1, 10, TALL // stride, WIDE // stride), np.float32) for stride in (8, 16, 32)]
    for level in maps:
        level[:, 0] = NO
    return maps


def write(level: np.ndarray, x: int, y: int, corners: list[tuple[float, float]], logit: float, rows: int = 1) -> None:
    """Let the cell at column *x*, row *y* answer with *corners* (input pixels)."""
    stride = TALL / level.shape[2]
    offsets = (np.array(corners) - (np.array([x, y]) + 0.5) * stride) / (stride * 4)
    level[0, :, y, x] = [logit, *offsets.reshape(-1), 5.0 if rows == 2 else -5.0]


TILTED = [(60.0, 50.0), (120.0, 40.0), (122.0, 60.0), (62.0, 70.0)]


def shifted(by: float) -> list[tuple[float, float]]:
    return [(x + by, y) for x, y in TILTED]


def plates_of(maps: list[np.ndarray]) -> list[FoundPlate]:
    return merge(*decode(maps, height=TALL))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_cell_of_any_level_gives_its_corners_in_input_pixels_in_reading_order(level: int) -> None:
    maps = blank_maps()
    write(maps[level], 2, 1, TILTED, logit=3.0)

    (plate,) = plates_of(maps)

    assert plate.corners == pytest.approx(np.array(TILTED), abs=1e-3)
    assert plate.score == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_maps_may_come_in_any_order() -> None:
    maps = blank_maps()
    write(maps[2], 2, 1, TILTED, logit=3.0)

    (plate,) = plates_of(maps[::-1])

    assert plate.corners == pytest.approx(np.array(TILTED), abs=1e-3)


def test_answers_for_one_plate_are_averaged_by_weight_and_two_plates_stay_two() -> None:
    maps = blank_maps()
    write(maps[0], 11, 6, shifted(0), logit=9.0)
    write(maps[0], 12, 6, shifted(2), logit=9.0)
    write(maps[1], 12, 3, shifted(100), logit=2.0)

    first, second = plates_of(maps)

    assert first.corners == pytest.approx(np.array(shifted(1)), abs=1e-2)
    assert second.corners == pytest.approx(np.array(shifted(100)), abs=1e-2)
    assert first.score > second.score


def test_a_doubtful_cell_moves_the_corners_little_and_a_hopeless_one_not_at_all() -> None:
    maps = blank_maps()
    write(maps[0], 11, 6, shifted(0), logit=9.0)
    write(maps[0], 12, 6, shifted(6), logit=-0.5)
    write(maps[0], 13, 6, shifted(9), logit=-3.0)

    (plate,) = plates_of(maps)

    assert 0 < plate.corners[0, 0] - 60 < 1


def test_rows_are_the_verdict_of_the_group() -> None:
    maps = blank_maps()
    write(maps[0], 11, 6, shifted(0), logit=3.0, rows=2)
    write(maps[0], 12, 6, shifted(1), logit=3.0, rows=2)
    write(maps[0], 13, 6, shifted(1), logit=0.0, rows=1)

    assert [plate.rows for plate in plates_of(maps)] == [2]


def test_an_empty_street_has_no_plates() -> None:
    assert plates_of(blank_maps()) == []


def test_a_picture_full_of_plates_is_answered_with_the_best_sixteen() -> None:
    maps = blank_maps()
    for x in range(32):
        for y in range(16):
            left, top = x * 8.0 + 1, y * 8.0 + 3
            corners = [(left, top), (left + 6, top), (left + 6, top + 2), (left, top + 2)]
            write(maps[0], x, y, corners, logit=1 + x / 10)

    plates = plates_of(maps)

    assert len(plates) == 16
    assert {round(plate.score, 3) for plate in plates} == {0.984}  # the rightmost column's


def test_corners_come_back_in_pixels_of_the_picture_given() -> None:
    maps = blank_maps()
    write(maps[0], 11, 6, TILTED, logit=3.0)
    network = Answering(maps)
    picture = np.full((480, 960, 3), 200, np.uint8)

    (plate,) = Detector(network).find(picture, pixels_in=240 * 120)

    assert network.shown[0].shape == (1, 128, 256, 3)
    assert network.shown[0].dtype == np.uint8
    assert plate.corners == pytest.approx((np.array(TILTED) - (8, 4)) * 4, abs=1e-2)


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (1160, 720), (3000, 40), (40, 3000), (360, 640)])
def test_a_picture_of_any_shape_fits_the_network_without_being_enlarged(height: int, width: int) -> None:
    canvas, scale, shift = fit(np.full((height, width, 3), 255, np.uint8), 640 * 384)

    assert canvas.shape[0] % 32 == canvas.shape[1] % 32 == 0
    assert (scale <= 1.0).all()
    assert canvas.shape[0] * canvas.shape[1] <= 640 * 384 * 1.25 + 32 * (height + width)
    ys, xs = np.nonzero(canvas[..., 0])
    assert (xs.min(), ys.min()) == tuple(shift)


@pytest.mark.parametrize(("height", "width"), [(24, 94), (1, 1), (90, 300)])
def test_a_plate_cut_out_small_is_enlarged_and_gets_a_margin(height: int, width: int) -> None:
    canvas, scale, shift = fit(np.full((height, width, 3), 255, np.uint8), 640 * 384)

    assert canvas.shape[0] % 32 == canvas.shape[1] % 32 == 0
    assert max(height, width) * scale.max() >= 192
    assert shift.min() >= 24


def test_the_network_finds_a_drawn_plate_and_both_runtimes_agree() -> None:
    scene = with_plate("A12345")
    drawn = np.array([(210, 200), (430, 200), (430, 270), (210, 270)], np.float32)
    tilt = cv2.getRotationMatrix2D((320, 235), 12, 0.8)
    tilted = cv2.warpAffine(scene, tilt, (640, 360), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    expected = cv2.transform(drawn[None], tilt)[0]

    (one, *_), (other, *_) = (Detector(open_network("detector", way)).find(tilted) for way in ("onnxruntime", "opencv"))

    assert one.rows == 1
    assert np.abs(one.corners - expected).max() < 0.1 * 220
    assert other.corners == pytest.approx(one.corners, abs=0.01)
    assert other.score == pytest.approx(one.score, abs=1e-4)
