"""Where a billing period begins, by local days."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.billing import EVERY, began, billing_of

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "now", "first"),
    [
        ("month:1", "2026-11-30 23:59", "2026-11-01"),
        ("month:1", "2026-12-01 00:00", "2026-12-01"),
        ("month:28", "2026-03-27 12:00", "2026-02-28"),  # a short month has it too
        ("month:28", "2026-03-28 00:00", "2026-03-28"),
        ("month:15", "2027-01-14 12:00", "2026-12-15"),
        ("half", "2026-11-15 23:59", "2026-11-01"),
        ("half", "2026-11-16 00:00", "2026-11-16"),
        ("half", "2027-03-01 00:00", "2027-03-01"),
        ("week:1", "2026-11-22 23:59", "2026-11-16"),  # a Sunday
        ("week:1", "2026-11-23 00:00", "2026-11-23"),
        ("week:7", "2026-11-22 00:00", "2026-11-22"),
        ("week:3", "2027-01-01 12:00", "2026-12-30"),
    ],
)
def test_a_period_begins_on_its_day(text: str, now: str, first: str) -> None:
    billing = billing_of(text)
    assert billing is not None

    begin = began(billing, datetime.fromisoformat(now).replace(tzinfo=SHANGHAI))

    assert begin == datetime.fromisoformat(first).replace(tzinfo=SHANGHAI)


def test_a_day_of_the_clocks_change_begins_at_its_own_midnight() -> None:
    billing = billing_of("week:7")
    assert billing is not None

    begin = began(billing, datetime(2026, 3, 8, 12, 0, tzinfo=NEW_YORK))  # clocks went ahead at two

    assert begin.isoformat() == "2026-03-08T00:00:00-05:00"


@pytest.mark.parametrize(
    "text", ["", "month", "month:0", "month:29", "week:0", "week:8", "half:1", "year:1", "month:01"]
)
def test_other_texts_mean_nothing(text: str) -> None:
    assert billing_of(text) is None


def test_every_choice_is_kept_as_a_text_of_its_own() -> None:
    assert [billing_of(each.text) for each in EVERY] == list(EVERY)
    assert len({each.text for each in EVERY}) == 36
