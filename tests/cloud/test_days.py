"""Days as people write them, in zones that change their clocks and in one that does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.days import began_ms, day_at, day_began, parse_day, span_ms, today_began_ms

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOUR = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-18", date(2026, 11, 18)),
        ("0206-11-18", None),
        ("2201-01-01", None),
        ("9999-12-31", None),
        ("2026-02-30", None),
        ("18.11.2026", None),
        ("", None),
    ],
)
def test_a_day_is_what_is_written_like_one_and_can_be_meant(text: str, day: date | None) -> None:
    assert parse_day(text) == day


def test_a_day_begins_at_midnight_of_its_place() -> None:
    assert began_ms(date(2026, 11, 18), SHANGHAI) == ms("2026-11-17T16:00:00")
    assert day_at(ms("2026-11-17T16:00:00"), SHANGHAI) == date(2026, 11, 18)
    assert day_at(ms("2026-11-17T15:59:59.999"), SHANGHAI) == date(2026, 11, 17)
    assert today_began_ms(ms("2026-11-18T15:59:59.999"), SHANGHAI) == ms("2026-11-17T16:00:00")


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        (date(2026, 11, 18), date(2026, 11, 18), 24),
        (date(2026, 11, 16), date(2026, 11, 18), 72),
        (date(2026, 3, 29), date(2026, 3, 29), 23),
        (date(2026, 10, 25), date(2026, 10, 25), 25),
    ],
)
def test_days_last_until_the_one_after_begins(first: date, last: date, hours: int) -> None:
    start, end = span_ms(first, last, BERLIN)

    assert end - start == hours * HOUR
    assert start == began_ms(first, BERLIN)


@pytest.mark.parametrize(
    ("text", "days", "began"),
    [
        ("2026-11-18", 0, "2026-11-17T16:00:00"),
        ("2026-11-18", 1, "2026-11-18T16:00:00"),
        ("9999-12-31", 1, None),
        ("yesterday", 0, None),
    ],
)
def test_what_somebody_typed_begins_so_many_days_later_or_is_no_day(text: str, days: int, began: str | None) -> None:
    assert day_began(text, SHANGHAI, days) == (began and ms(began))
