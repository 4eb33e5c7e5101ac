from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from domain.plate_reading import Thresholds
from training.recogniser.calibrate import Outcome, calibrated, choose, fit, lowest_accepted, table, write
from training.recogniser.reliability import diagram, wilson

ONE = Outcome("plates/crops/c.jpg", "皖A12345", "皖A12345", 0.9, True, False, False, False)
UNSURE = (1.0, 0.0)  # the curve that changes nothing


def outcomes(*pairs: tuple[float, bool], has_form: bool = True) -> list[Outcome]:
    return [
        replace(ONE, probability=probability, read=ONE.truth if right else "皖A12346", has_form=has_form)
        for probability, right in pairs
    ]


def test_the_curve_learns_that_a_reader_is_too_sure_of_itself() -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.05, 0.95, 4000)
    said = 1 / (1 + np.exp(-3 * np.log(true / (1 - true))))  # thrice the log odds
    read = outcomes(*zip(map(float, said), map(bool, rng.random(4000) < true), strict=True))

    curve = fit(read)

    assert np.abs(calibrated(said, curve) - true).max() < 0.05


def test_the_table_never_falls() -> None:
    pairs = table((0.5, 0.3))

    assert pairs == sorted(pairs)
    assert [true for _, true in pairs] == sorted(true for _, true in pairs)


def test_acceptance_starts_above_the_errors() -> None:
    read = outcomes(*[(0.999, True)] * 50, (0.98, True), (0.97, False), (0.9, True))

    assert lowest_accepted(read, UNSURE, worst=0.0) == pytest.approx(0.98)
    assert lowest_accepted(read, UNSURE, worst=0.02) == pytest.approx(0.9)


def test_nothing_is_accepted_when_the_surest_read_is_wrong() -> None:
    assert lowest_accepted(outcomes((0.999, False), (0.9, True)), UNSURE, worst=0.0) > 1


def test_pictures_made_worse_can_only_make_acceptance_stricter() -> None:
    seen = outcomes((0.99, True), (0.9, True))
    worse = [replace(one, is_worse=True) for one in outcomes((0.95, True), (0.93, False))]

    alone, _ = choose([*seen, *worse[:1]], UNSURE)
    both, _ = choose([*seen, *worse], UNSURE)

    assert (alone.accept, both.accept) == (0.95, 0.95)
    assert choose([*seen, *worse[1:]], UNSURE)[0].accept > 1


def test_foreign_plates_are_never_taken_more_lightly_than_others() -> None:
    worse = [replace(one, is_worse=True) for one in outcomes((0.97, True))]
    plates, foreign = choose([*outcomes((0.99, True)), *worse, *outcomes((0.6, True), has_form=False)], UNSURE)

    assert plates.accept == 0.99
    assert foreign.accept == 0.99


def test_a_plate_is_in_one_half_whatever_the_picture() -> None:
    halves = {replace(ONE, truth=f"皖A{n:05}", file=name).is_fitted for n in range(40) for name in "ab"}

    assert halves == {True, False}
    assert replace(ONE, file="a").is_fitted == replace(ONE, file="b", is_worse=True).is_fitted


def test_writing_twice_leaves_one_calibration_and_the_hashes(tmp_path: Path) -> None:
    figures = tmp_path / "models.toml"
    figures.write_text(
        '[detector]\nsha256 = "aa"\n\n[recogniser]\nsha256 = "bb"\n\n[thresholds]\nplates = 1\n', "utf-8"
    )

    for accept in (0.9, 0.95):
        write(tmp_path, UNSURE, Thresholds(accept, 0.25), Thresholds(0.99, 0.3))

    found = tomllib.loads(figures.read_text("utf-8"))
    assert found["detector"] == {"sha256": "aa"}
    assert found["recogniser"]["sha256"] == "bb"
    assert found["recogniser"]["calibration"][-1] == pytest.approx([1.0, 1.0], abs=1e-3)
    assert found["thresholds"] == {
        "plates": {"accept": 0.95, "ask": 0.25},
        "foreign": {"accept": 0.99, "ask": 0.3},
    }


def test_few_plates_leave_a_wide_interval() -> None:
    assert wilson(10, 10)[0] == pytest.approx(0.7225, abs=1e-3)
    assert wilson(1000, 1000)[0] > 0.99


def test_the_diagram_counts_every_plate_once() -> None:
    svg = diagram(np.array([0.0, 0.1, 0.95, 0.999, 1.0]), np.array([False, False, True, True, True]))

    assert [part.split("</title>")[0] for part in svg.split("<title>")[1:]] == ["0 of 2", "1 of 1", "2 of 2"]
