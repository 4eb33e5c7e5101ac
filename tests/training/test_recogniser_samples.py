from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from domain.plate import PlateColour
from drivers.recogniser.strip import HEIGHT, WIDTH
from training.recogniser.augment import degrade, jitter, upright_box
from training.recogniser.samples import CLASS_OF, Pool, Sample, mixed


def sample(text: str, shade: int) -> Sample:
    return Sample(np.full((HEIGHT, WIDTH, 3), shade, np.uint8), text, PlateColour.GREEN)


def test_a_pool_gives_back_only_what_was_put_in(tmp_path: Path) -> None:
    written = Pool(tmp_path, 5)
    written.put(3, sample("皖A12345", 40))

    strips, labels = Pool(tmp_path).draw(4, np.random.default_rng(1))

    assert written.filled() == 1
    assert (strips == 40).all()
    assert labels[0, :2].tolist() == [7, 4]
    assert labels[0, 2:9].tolist() == [CLASS_OF[one] for one in "皖A12345"]


def test_makers_are_asked_by_their_shares() -> None:
    makers = [(3.0, lambda rng: sample("皖A12345", 1)), (1.0, lambda rng: sample("京B12345", 2))]

    texts = [made.text for made in islice(mixed(makers, np.random.default_rng(1)), 400)]

    assert 270 < texts.count("皖A12345") < 330


def test_missed_corners_stay_near_the_plate() -> None:
    corners = np.array([(100, 100), (300, 130), (300, 195), (100, 165)], np.float32)
    rng = np.random.default_rng(1)

    missed = np.stack([jitter(corners, rng) for _ in range(300)])

    assert np.abs(missed.mean(0) - corners).max() < 12
    assert np.abs(missed - corners).max() < 80
    assert missed.std(0).min() > 1


def test_the_upright_box_holds_the_plate_and_its_margin() -> None:
    corners = np.array([(100, 100), (300, 130), (300, 195), (100, 165)], np.float32)

    assert upright_box(corners, 0.1).tolist() == [[80, 80], [320, 80], [320, 215], [80, 215]]


def test_a_worse_camera_keeps_the_shape() -> None:
    rng = np.random.default_rng(1)
    strip = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)

    for _ in range(50):
        worse = degrade(strip, rng)
        assert worse.shape == strip.shape
        assert worse.dtype == np.uint8
