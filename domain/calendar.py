"""Which days are holidays, make-up workdays or the lot's own days; read from ``config/calendar/cn-YYYY.toml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from domain.document import DocumentError, Place, Table, load, plain_date

WORKDAY, WEEKEND, HOLIDAY = "workday", "weekend", "holiday"
MAKEUP = "makeup"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DayKey = tuple[int, str, str]
"""Weekday 0-6, what the calendar says ("" for nothing, ``holiday``, ``makeup``), own day ("" for none)."""


class CalendarError(DocumentError):
    """A calendar file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """One file: a year's public schedule, or a lot's own days, by day ordinal."""

    name: str
    version: int
    year: int
    public: bool
    special: dict[int, str] = field(hash=False)
    own: dict[int, str] = field(hash=False)

    @property
    def label(self) -> str:
        """How a quote names it: ``cn-2026 v1``."""
        return f"{self.name}-{self.year} v{self.version}"


class CalendarSet:
    """All calendars a lot uses; a later one overrides an earlier one on the same day."""

    __slots__ = ("_own", "_special", "calendars", "public_years")

    def __init__(self, calendars: Iterable[Calendar] = ()) -> None:
        """Merges the calendars in the order given."""
        self.calendars = tuple(calendars)
        self.public_years = frozenset(calendar.year for calendar in self.calendars if calendar.public)
        self._special: dict[int, str] = {}
        self._own: dict[int, str] = {}
        for calendar in self.calendars:
            self._special.update(calendar.special)
            self._own.update(calendar.own)

    def day(self, ordinal: int) -> DayKey:
        """The key of the day with proleptic *ordinal*; a year nobody scheduled has plain weekdays only."""
        return (ordinal - 1) % 7, self._special.get(ordinal, ""), self._own.get(ordinal, "")

    def used(self, first_year: int, last_year: int) -> tuple[str, ...]:
        """Labels of the calendars that touch these years."""
        return tuple(calendar.label for calendar in self.calendars if first_year <= calendar.year <= last_year)

    def missing(self, first_year: int, last_year: int) -> tuple[int, ...]:
        """Years without a public schedule."""
        return tuple(year for year in range(first_year, last_year + 1) if year not in self.public_years)


def labels(key: DayKey) -> frozenset[str]:
    """Every name a tariff may call this day by: exactly one of workday, weekend, holiday, and the rest."""
    weekday, special, own = key
    worked = WORKDAY if special == MAKEUP or weekday < 5 else WEEKEND
    kind = HOLIDAY if special == HOLIDAY else worked
    return frozenset(label for label in (kind, special, own, WEEKDAYS[weekday]) if label)


def parse_calendar(text: str, source: str) -> Calendar:
    """Read a calendar file. Raises CalendarError naming file and key."""
    data, place = load(text, source, CalendarError)
    top = Table(data, place, ("name", "version", "year", "published", "holidays", "makeup_workdays", "own_days"))
    year = top.number("year", least=1900, most=9998)
    special: dict[int, str] = {}
    for raw, where in _named(top, "holidays"):
        _mark(special, _days(raw, where, year), HOLIDAY, where)
    for raw, where in _named(top, "makeup_workdays"):
        _mark(special, _days(raw, where, year), MAKEUP, where)
    own: dict[int, str] = {}
    for raw, where in _named(top, "own_days"):
        name = where.path.rpartition(".")[2]
        if name in (WORKDAY, WEEKEND, HOLIDAY, MAKEUP, *WEEKDAYS):
            raise where.fault("is a name the calendar already uses; give own days a name of their own")
        _mark(own, _days(raw, where, year), name, where)
    top.text("published", "")
    return Calendar(top.text("name"), top.number("version", least=1), year, "holidays" in top, special, own)


def _named(top: Table, key: str) -> list[tuple[Any, Place]]:
    table = Table(top.data.get(key, {}), top.at(key), top.data.get(key, {}))
    return [(value, table.at(name)) for name, value in table.data.items()]


def _days(raw: object, where: Place, year: int) -> list[date]:
    """A date, a list of dates, or ``{from, to}`` with both ends in it."""
    if isinstance(raw, dict):
        span = Table(raw, where, ("from", "to"))
        first, last = plain_date(span.need("from"), span.at("from")), plain_date(span.need("to"), span.at("to"))
        if last < first:
            raise span.at("to").fault("is before from")
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    elif isinstance(raw, list):
        days = [plain_date(item, where.item(number)) for number, item in enumerate(raw, 1)]
    else:
        days = [plain_date(raw, where)]
    for day in days:
        if day.year != year:
            raise where.fault(f"{day} is not in the year {year} of this file")
    return days


def _mark(marks: dict[int, str], days: list[date], name: str, where: Place) -> None:
    for day in days:
        if day.toordinal() in marks:
            raise where.fault(f"{day} is named twice")
        marks[day.toordinal()] = name
