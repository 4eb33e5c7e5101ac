"""The calendar of holidays, make-up workdays and a lot's own days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.calendar import CalendarError, CalendarSet, labels, parse_calendar
from tests.domain.tariff.test_golden import CALENDAR

HEAD = 'name = "cn"\nversion = 1\nyear = 2026\n'


def names(day: str, calendars: CalendarSet = CALENDAR) -> set[str]:
    return set(labels(calendars.day(date.fromisoformat(day).toordinal())))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-01", {"holiday", "thursday"}),
        ("2026-01-04", {"workday", "makeup", "sunday"}),
        ("2026-02-14", {"workday", "makeup", "saturday"}),
        ("2026-02-15", {"holiday", "sunday"}),
        ("2026-02-23", {"holiday", "monday"}),
        ("2026-02-24", {"workday", "tuesday"}),
        ("2026-03-07", {"weekend", "saturday"}),
        ("2026-10-10", {"workday", "makeup", "saturday"}),
        ("2027-01-01", {"workday", "friday"}),
    ],
)
def test_a_day_has_the_names_of_the_published_schedule(day: str, expected: set[str]) -> None:
    assert names(day) == expected


def test_the_schedule_of_2026_has_33_days_off_and_6_made_up() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]

    assert sum("holiday" in names(day.isoformat()) for day in days) == 33
    assert sum("makeup" in names(day.isoformat()) for day in days) == 6


def test_a_lots_own_day_is_added_to_what_the_day_is_anyway() -> None:
    own = parse_calendar('name = "lot"\nversion = 2\nyear = 2026\n[own_days]\nevent = 2026-10-01', "lot.toml")

    both = CalendarSet([*CALENDAR.calendars, own])

    assert names("2026-10-01", both) == {"holiday", "thursday", "event"}
    assert both.missing(2026, 2027) == (2027,)
    assert CalendarSet([own]).missing(2026, 2026) == (2026,)


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        (HEAD + "[holiday]", "holiday", 'did you mean "holidays"?'),
        (HEAD + "[holidays]\nx = { from = 2026-05-01, to = 2026-04-01 }", "holidays.x.to", "before from"),
        (HEAD + "[holidays]\nx = [2025-05-01]", "holidays.x", "not in the year 2026"),
        (HEAD + "[holidays]\nx = '2026-05-01'", "holidays.x", "write it bare"),
        (HEAD + "[holidays]\na = 2026-05-01\nb = 2026-05-01", "holidays.b", "named twice"),
        (HEAD + "[own_days]\nweekend = 2026-05-01", "own_days.weekend", "name of their own"),
        ("version = 1\nyear = 2026", "name", "is required"),
    ],
)
def test_a_wrong_calendar_names_the_place(text: str, path: str, hint: str) -> None:
    with pytest.raises(CalendarError) as caught:
        parse_calendar(text, "cn.toml")

    assert str(caught.value).startswith(f"cn.toml: {path}: ")
    assert hint in str(caught.value)
