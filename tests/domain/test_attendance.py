"""When a lane has somebody at it: spans of the week, midnight, and when that changes."""

from __future__ import annotations

import pytest

from domain.attendance import is_attended, minutes_to_change, span_of

MON, FRI, SAT, SUN = 0, 4, 5, 6


def at(hour: int, minute: int = 0) -> int:
    return hour * 60 + minute


@pytest.mark.parametrize(
    ("span", "weekday", "minute", "attended"),
    [
        ("22:00-07:00", MON, at(21, 59), True),
        ("22:00-07:00", MON, at(22), False),
        ("22:00-07:00", MON, at(6, 59), False),  # begun on Sunday
        ("22:00-07:00", MON, at(7), True),
        ("mon-fri 22:00-07:00", SAT, at(3), False),  # Friday's night
        ("mon-fri 22:00-07:00", SUN, at(3), True),  # Saturday's would be
        ("mon-fri 22:00-07:00", MON, at(3), True),
        ("sat,sun 00:00-24:00", SAT, at(0), False),
        ("sat,sun 00:00-24:00", SUN, at(23, 59), False),
        ("sat,sun 00:00-24:00", MON, at(0), True),
        ("sun 22:00-07:00", MON, at(6), False),  # round the end of the week
        ("fri-mon 12:00-13:00", SUN, at(12, 30), False),
        ("08:00-08:00", MON, at(7), False),  # a whole day
    ],
)
def test_a_span_covers_its_hours_and_the_night_it_begins(span: str, weekday: int, minute: int, attended: bool) -> None:
    assert is_attended(attended=True, unattended=(span_of(span),), weekday=weekday, minute=minute) is attended


def test_a_lane_that_nobody_ever_attends_needs_no_hours() -> None:
    assert not is_attended(attended=False, unattended=(), weekday=MON, minute=at(12))
    assert is_attended(attended=True, unattended=(), weekday=MON, minute=at(3))


@pytest.mark.parametrize(
    ("spans", "weekday", "minute", "wait"),
    [
        (("22:00-07:00",), MON, at(21), 60),
        (("22:00-07:00",), MON, at(22), 9 * 60),
        (("sat,sun 00:00-24:00",), SAT, at(12), 36 * 60),  # the two days are one
        (("22:00-24:00", "00:00-07:00"), MON, at(23), 8 * 60),
        (("00:00-24:00",), MON, at(12), None),
        ((), MON, at(12), None),
    ],
)
def test_the_next_change_is_told(spans: tuple[str, ...], weekday: int, minute: int, wait: int | None) -> None:
    assert minutes_to_change(tuple(map(span_of, spans)), weekday, minute) == wait


@pytest.mark.parametrize(
    ("text", "says"),
    [("22:00", "not written like"), ("noday 22:00-07:00", "is no day"), ("25:00-07:00", "not a time"), ("", "written")],
)
def test_a_span_written_wrong_says_how(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        span_of(text)
