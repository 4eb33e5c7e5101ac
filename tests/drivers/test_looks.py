"""Frames of one vehicle as one read."""

from __future__ import annotations

import pytest

from domain.plate import PlateColour, PlateVerdict, classify
from domain.plate_reading import NEVER_ALONE, Reading, Thresholds
from drivers.base import PlateCandidate
from drivers.camera.looks import FrameLook, is_enough, joined

FIGURES = Thresholds(accept=0.95, ask=0.2)


def frame(text: str, probability: float, image: bytes = b"") -> FrameLook:
    reading = Reading(text, classify(text), PlateColour.BLUE, probability, (0.99,) * len(text))
    verdict = FIGURES.verdict(reading)
    shown = "" if verdict is PlateVerdict.UNREAD else text
    return FrameLook((PlateCandidate(shown, 100 * probability, verdict=verdict, readings=(reading,)),), image)


def test_frames_that_agree_are_accepted_together_with_the_picture_of_the_surest() -> None:
    look = joined([frame("京A12345", 0.9, b"far"), frame("京A12345", 0.94, b"near"), FrameLook((), b"gone")], FIGURES)

    main = look.candidates[0]
    assert (main.text, main.verdict, look.image) == ("京A12345", PlateVerdict.ACCEPT, b"near")
    assert main.confidence == pytest.approx(100 * main.readings[0].probability)
    assert is_enough([frame("京A12345", 0.9)] * 2, look)


def test_frames_that_disagree_are_put_to_a_person_with_every_text() -> None:
    main = joined([frame("京A12345", 0.94), frame("沪B99999", 0.94)], FIGURES).candidates[0]

    assert main.verdict is PlateVerdict.ASK
    assert {reading.text for reading in main.readings} == {"京A12345", "沪B99999"}


def test_frames_too_poor_to_read_stay_unread_and_are_no_guess() -> None:
    main = joined([frame("京A12345", 0.05), frame("沪B99999", 0.05)], FIGURES).candidates[0]

    assert (main.text, main.verdict) == ("", PlateVerdict.UNREAD)


def test_a_text_of_no_form_is_for_a_person_however_sure() -> None:
    main = joined([frame("LOT8KI", 0.94)] * 3, FIGURES).candidates[0]

    assert (main.text, main.verdict) == ("LOT8KI", PlateVerdict.ASK)


def test_a_reader_that_gives_no_readings_is_taken_at_its_first_word() -> None:
    plain = FrameLook((PlateCandidate("京A12345", 80),), b"2")

    look = joined([FrameLook((), b"1"), plain, FrameLook((PlateCandidate("京A1234S", 99),), b"3")], NEVER_ALONE)

    assert look == plain
    assert is_enough([plain], look)
    assert not is_enough([FrameLook((), b"1")], FrameLook((), b"1"))
    assert joined([FrameLook((), b"1"), FrameLook((), b"2")], NEVER_ALONE).image == b"2"


@pytest.mark.parametrize(
    ("looks", "enough"),
    [
        ([frame("京A12345", 0.96)] * 2, True),
        ([frame("京A12345", 0.999)], False),  # one frame alone is wrong too often
        ([frame("京A12345", 0.999), FrameLook((), b"")], False),
        ([frame("京A12345", 0.5)] * 2, False),
        ([frame("京A12345", 0.1)] * 2, False),
    ],
)
def test_two_frames_are_read_before_a_plate_is_acted_upon(looks: list[FrameLook], enough: bool) -> None:
    assert is_enough(looks, joined(looks, FIGURES)) is enough
