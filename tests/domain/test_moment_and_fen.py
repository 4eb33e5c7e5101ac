"""Points in time, and money for people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fen import fen_from_yuan, yuan
from domain.moment import Anchor, Elapsed, Moment, Quality, anchored, elapsed


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (-5, "-0.05"), (-1250, "-12.50")])
def test_fen_read_as_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text
    assert fen_from_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "1.234", "abc", "NaN", "inf", "1e-9", "1,5", "1e999990", "1e9999999999"])
def test_what_is_not_a_whole_number_of_fen_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        fen_from_yuan(text)


def at(boot: str, boot_ms: int, wall_ms: int, uncertainty_ms: int = 0) -> Moment:
    return Moment(boot, boot_ms, wall_ms, Quality.NTP, uncertainty_ms)


@given(st.integers(-(10**12), 10**12))
def test_within_a_boot_the_wall_clock_has_no_say(step: int) -> None:
    assert elapsed(at("a", 1_000, 5_000), at("a", 61_000, 65_000 + step)) == Elapsed(timedelta(minutes=1), False)


@pytest.mark.parametrize(
    ("entry", "leave", "minutes"),
    [
        (at("a", 0, 0), at("b", 0, 600_000), 10),
        (at("a", 0, 0, 60_000), at("b", 0, 600_000, 60_000), 8),  # in the driver's favour by both uncertainties
        (at("a", 0, 600_000), at("b", 0, 0), 0),  # never below zero
    ],
)
def test_across_boots_time_is_estimated_in_the_drivers_favour(entry: Moment, leave: Moment, minutes: int) -> None:
    assert elapsed(entry, leave) == Elapsed(timedelta(minutes=minutes), True)
    assert leave.since(entry) == timedelta(minutes=minutes)


def test_the_nearest_anchor_of_the_same_boot_gives_the_time() -> None:
    anchors = [Anchor("a", 0, 1_000_000, 40), Anchor("a", 50_000, 1_050_100, 20), Anchor("b", 59_000, 7, 1)]

    assert anchored(at("a", 60_000, 3), anchors) == Moment("a", 60_000, 1_060_100, Quality.CLOUD, 20)
    assert anchored(at("c", 60_000, 3), anchors) == at("c", 60_000, 3)
