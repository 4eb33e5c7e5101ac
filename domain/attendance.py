"""When somebody attends a lane: by weekday and hours, and otherwise as a supervisor said for a while.

A span is written ``22:00-07:00`` for every night, or with its days: ``sat,sun 00:00-24:00``, ``mon-fri 22:00-07:00``.
One that passes midnight belongs to the day it begins on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.board import MINUTES_A_DAY, minute_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = 7 * MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class Span:
    """On each of *days* (0 is Monday) from *begins* for *length* minutes."""

    days: frozenset[int]
    begins: int
    length: int

    def covers(self, minute_of_week: int) -> bool:
        """Is this minute of the week within the span?"""
        return any((minute_of_week - day * MINUTES_A_DAY - self.begins) % WEEK < self.length for day in self.days)


@dataclass(frozen=True, slots=True)
class Override:
    """What a supervisor said, until *until_wall_ms*."""

    attended: bool
    until_wall_ms: int
    by: str


def span_of(text: str) -> Span:
    """Read one span. Raises ValueError, which says what is wrong with it."""
    days, _, hours = text.strip().rpartition(" ")
    first, dash, last = hours.partition("-")
    if not dash:
        raise ValueError(f'{text!r} is not written like "22:00-07:00" or "sat,sun 00:00-24:00"')
    begins, ends = minute_of(first), MINUTES_A_DAY if last == "24:00" else minute_of(last)
    length = ends - begins if ends > begins else ends - begins + MINUTES_A_DAY
    return Span(_days_of(days), begins, length)


def _days_of(text: str) -> frozenset[int]:
    if not text.strip():
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.strip().partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{part.strip()!r} is no day; there are {', '.join(DAYS)}, and mon-fri")
        begins = DAYS.index(first)
        found.update((begins + more) % 7 for more in range((DAYS.index(last) - begins) % 7 + 1 if dash else 1))
    return frozenset(found)


def is_attended(*, attended: bool, unattended: Sequence[Span], weekday: int, minute: int) -> bool:
    """Does the timetable put somebody there at this local time? A lane that is never attended has no hours."""
    return attended and not any(span.covers(weekday * MINUTES_A_DAY + minute) for span in unattended)


def minutes_to_change(unattended: Sequence[Span], weekday: int, minute: int) -> int | None:
    """In how many minutes the timetable changes, None when it never does."""
    now = weekday * MINUTES_A_DAY + minute

    def held(at: int) -> bool:
        return any(span.covers(at % WEEK) for span in unattended)

    bounds = {
        (day * MINUTES_A_DAY + span.begins + off) % WEEK
        for span in unattended
        for day in span.days
        for off in (0, span.length)
    }
    ahead = sorted((bound - now) % WEEK or WEEK for bound in bounds)
    return next((wait for wait in ahead if held(now + wait) != held(now)), None)
