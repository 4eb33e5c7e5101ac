"""One month more of a monthly pass."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.fen import Fen
from domain.monthly import month_after, month_price


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("begins", "ends", "then"),
    [
        ("2026-05-01", "2026-06-01", "2026-07-01"),  # good through May, then through June
        ("2026-05-15", "2026-12-15", "2027-01-15"),
        ("2026-01-31", "2026-01-31", "2026-02-28"),
        ("2026-01-31", "2026-02-28", "2026-03-31"),  # the day it began on comes back
        ("2026-01-30", "2026-02-28", "2026-03-30"),
        ("2026-01-28", "2026-02-28", "2026-03-28"),
        ("2027-12-31", "2028-01-31", "2028-02-29"),
        ("2026-05-31T18:00", "2026-06-30T18:00", "2026-07-31T18:00"),
    ],
)
def test_a_month_more_ends_on_the_same_day_of_the_next_month(begins: str, ends: str, then: str) -> None:
    assert month_after(day(ends), day(begins)) == day(then)


def test_without_a_first_day_the_last_one_counts() -> None:
    assert month_after(day("2026-01-31")) == day("2026-02-28")


def test_twelve_months_are_a_year_on_whatever_day_it_began() -> None:
    for number in range(1, 32):
        begins = ends = day(f"2026-01-{number:02d}")
        for _ in range(12):
            ends = month_after(ends, begins)
        assert ends == day(f"2027-01-{number:02d}")


def test_a_month_costs_by_the_place() -> None:
    assert (month_price(Fen(30_000), 3, 2), month_price(Fen(30_000), 3, 0)) == (60_000, 90_000)
