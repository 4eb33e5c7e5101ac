"""The character network that is shipped, and the figures that belong to it."""

from __future__ import annotations

import pytest

pytest.importorskip("cv2")
pytest.importorskip("onnxruntime")

from domain.plate_grammar import decode
from drivers.recogniser.networks import model_figures, open_network
from drivers.recogniser.scores import read_scores
from drivers.recogniser.strip import as_input, strip
from training.data import photo_root, read_pixels
from training.split import validation_photos


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
