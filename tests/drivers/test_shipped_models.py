"""The networks that come with the package, on drawn plates: two runtimes, one answer."""

from __future__ import annotations

import contextlib
import random

import numpy
import pytest

from drivers.base import BadFrameError
from drivers.pictures import decode
from drivers.recogniser.networks import MODELS
from drivers.recogniser.reader import LotgateOptions, PlateReader, new_reader
from lotgate.demo.scenes import draw_scene

PLATES = ("川A90T31", "苏E5K318", "鲁B7Q552", "粤BD12345")
LARGEST, ALL = 5_000_000, 10_000_000  # bytes


@pytest.fixture(scope="module")
def readers() -> tuple[PlateReader, PlateReader]:
    return new_reader(), new_reader(LotgateOptions("opencv"))


@pytest.mark.parametrize("plate", PLATES)
def test_both_runtimes_give_the_same_plates_the_same_scores(
    readers: tuple[PlateReader, PlateReader], plate: str
) -> None:
    pixels = decode(draw_scene(plate, len(plate)))

    ours, second = (reader.look(pixels) for reader in readers)

    assert len(ours) == len(second) > 0
    for one, other in zip(ours, second, strict=True):
        assert numpy.abs(one.found.corners - other.found.corners).max() < 0.5
        assert abs(one.found.score - other.found.score) < 0.01
        assert [reading.text for reading in one.readings[:1]] == [reading.text for reading in other.readings[:1]]
        assert abs(one.probability - other.probability) < 0.01
    assert ours[0].readings[0].text[1:] == plate[1:]  # the drawing's font is not the standard's


def test_mangled_frames_and_odd_shapes_never_do_more_than_be_refused(
    readers: tuple[PlateReader, PlateReader],
) -> None:
    frame, rng, read = draw_scene(PLATES[0], 1), random.Random(20261122), 0

    for _ in range(20):
        mangled = bytearray(frame)
        for _ in range(rng.choice((1, 5, 40))):
            mangled[rng.randrange(rng.choice((700, len(mangled))))] = rng.randrange(256)
        with contextlib.suppress(BadFrameError):
            readers[0].recognise(bytes(mangled))
            read += 1
    for width, height in ((1, 1), (10, 3000), (3000, 10), (31, 33)):
        assert all(plate.probability <= 1 for plate in readers[0].look(numpy.zeros((height, width, 3), numpy.uint8)))

    assert 0 < read < 20


def test_the_networks_are_small() -> None:
    sizes = [file.stat().st_size for file in MODELS.glob("*.onnx")]

    assert len(sizes) == 2
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= ALL
