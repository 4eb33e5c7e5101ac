"""The network files that are shipped, as they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("onnxruntime")

from domain.plate_grammar import decode
from drivers.recogniser.networks import model_figures, open_network
from drivers.recogniser.scores import ALPHABET, COLOURS, read_scores
from drivers.recogniser.strip import HEIGHT, WIDTH, as_input, strip
from training.data import photo_root, read_pixels
from training.split import validation_photos

LARGEST = 5_000_000  # bytes of a network file


@pytest.mark.parametrize("count", [1, 3])
def test_both_runtimes_give_the_same_scores(count: int) -> None:
    strips = np.random.default_rng(1).integers(0, 255, (count, HEIGHT, WIDTH, 3)).astype(np.uint8)
    array = as_input(list(strips))

    usual, second = (open_network("recogniser", runtime).run(array) for runtime in ("onnxruntime", "opencv"))

    assert [one.shape for one in usual] == [(count, 40, len(ALPHABET)), (count, len(COLOURS))]
    for one, other in zip(usual, second, strict=True):
        assert np.abs(one - other).max() < 1e-3


def test_the_calibration_rises_and_the_thresholds_are_in_order() -> None:
    figures = model_figures()

    pairs = figures["recogniser"]["calibration"]

    assert pairs == sorted(pairs)
    assert [true for _, true in pairs] == sorted(true for _, true in pairs)
    assert pairs[0][0] == 0
    assert pairs[-1][0] == 1
    for name in ("plates", "foreign"):
        assert 0 < figures["thresholds"][name]["ask"] < figures["thresholds"][name]["accept"]


@pytest.mark.skipif(not (photo_root() / "plates").is_dir(), reason="needs the photographs in ../shared")
def test_photographs_that_were_held_back_are_read() -> None:
    cornered = [photo for photo in validation_photos() if photo.corners and photo.rows == 1][:60]
    network = open_network("recogniser")
    strips = [strip(read_pixels(photo.file), photo.corner_array()) for photo in cornered]

    columns, colours = network.run(as_input(strips))

    read = [decode(scores.columns, scores.colours) for scores in map(read_scores, columns, colours)]
    right = sum(bool(best) and best[0].text == photo.text for photo, best in zip(cornered, read, strict=True))
    assert right >= 55
