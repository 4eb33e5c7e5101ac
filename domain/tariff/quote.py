"""Pricing a stay: the fee as lines that sum to it. Times are naive and local to the lot; nothing here reads a clock.

China keeps one time without daylight saving, so a lot's local day always has 1440 minutes; the caller converts
UTC to the lot's zone. All work is on whole minutes since day 0 of the proleptic calendar, so the machine's zone
plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.calendar import CalendarSet, labels
from domain.fen import Fen
from domain.tariff.compile import within
from domain.tariff.model import DAY_MINUTES, Free, Plan, Tariff, VehicleClass
from domain.tariff.walk import Row, Walk

_NOTHING = Fen(0)
_DAY_ONE = datetime(1, 1, 1)  # noqa: DTZ001  naive on purpose: lot-local


class Line(NamedTuple):
    """One line of a quote: from *begins* to *ends* the rule *rule* makes *fen* (negative where a cap cuts).

    *zone* is said only where a stay was in more than one.
    """

    begins: datetime
    ends: datetime
    rule: str
    fen: Fen
    zone: str = ""


@dataclass(frozen=True, slots=True)
class StayFacts:
    """What a tariff may ask about a stay beside its times: *charged_before* counts against the first caps."""

    first_stay_of_day: bool = True
    charging_minutes: int = 0
    charged_before: Fen = _NOTHING


@dataclass(frozen=True, slots=True)
class TariffRef:
    """Which price list was used: code, version and the digest of its canonical form."""

    code: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a stay; ``fee`` is the sum of the lines. Notes are codes such as ``calendar_missing:2027``."""

    entered: datetime
    left: datetime
    vehicle: VehicleClass
    lines: tuple[Line, ...]
    tariffs: tuple[TariffRef, ...]
    calendars: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fee(self) -> Fen:
        """What the stay costs, in fen: the sum of the lines."""
        return Fen(sum(line.fen for line in self.lines))

    def plus(self, rule: str, fen: int) -> Quote:
        """The same quote with one more line over the whole stay; unchanged when *fen* is 0."""
        if fen == 0:
            return self
        return replace(self, lines=(*self.lines, Line(self.entered, self.left, rule, Fen(fen))))

    def to_values(self) -> dict[str, Any]:
        """JSON values; ``from_values`` gives an equal quote back."""
        return {
            "entered": _iso(self.entered),
            "left": _iso(self.left),
            "vehicle": self.vehicle,
            "lines": [[_iso(line.begins), _iso(line.ends), line.rule, line.fen] for line in self.lines],
            "tariffs": [[ref.code, ref.version, ref.digest] for ref in self.tariffs],
            "calendars": list(self.calendars),
            "notes": list(self.notes),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Quote:
        """The quote that gave *values*."""
        when = datetime.fromisoformat
        return cls(
            entered=when(values["entered"]),
            left=when(values["left"]),
            vehicle=VehicleClass(values["vehicle"]),
            lines=tuple(Line(when(begins), when(ends), rule, Fen(fen)) for begins, ends, rule, fen in values["lines"]),
            tariffs=tuple(TariffRef(*ref) for ref in values["tariffs"]),
            calendars=tuple(values["calendars"]),
            notes=tuple(values["notes"]),
        )


def quote(
    tariff: Tariff,
    entered: datetime,
    left: datetime,
    vehicle: VehicleClass,
    calendar: CalendarSet,
    facts: StayFacts = StayFacts(),
) -> Quote:
    """Price the stay from *entered* to *left*, naive and lot-local. Raises ValueError if reversed."""
    return price_part(tariff, entered, left, vehicle, calendar, facts)


def price_part(
    tariff: Tariff,
    entered: datetime,
    left: datetime,
    vehicle: VehicleClass,
    calendar: CalendarSet,
    facts: StayFacts,
    *,
    real_end: datetime | None = None,
    grants_free: bool = True,
) -> Quote:
    """One part of a stay under one tariff: counted free minutes look at *real_end* when given."""
    begin, end = _minute(entered), _minute(left)
    if end < begin:
        raise ValueError(f"left {left} is before entered {entered}")
    plan = tariff.plan(vehicle)
    rows = _rows(tariff, plan, begin, end, end if real_end is None else _minute(real_end), calendar, facts, grants_free)
    years = (entered.year, left.year)
    return Quote(
        entered=_moment(begin),
        left=_moment(end),
        vehicle=vehicle,
        lines=tuple([Line(_moment(start), _moment(stop), rule, Fen(fen)) for start, stop, rule, fen in rows]),
        tariffs=(TariffRef(tariff.code, tariff.version, tariff.digest),),
        calendars=calendar.used(*years),
        notes=_notes(tariff, vehicle, calendar.missing(*years)),
    )


def _rows(
    tariff: Tariff,
    plan: Plan,
    begin: int,
    end: int,
    real_end: int,
    calendar: CalendarSet,
    facts: StayFacts,
    grants_free: bool,
) -> list[Row]:
    if begin == end:
        return []
    if plan.exempt:
        return [(begin, end, "exempt", 0)]
    free = _free(plan, tariff, begin, calendar, facts) if grants_free else None
    allowance = 0
    if free is not None:
        allowance = free.minutes + min(free.charging, facts.charging_minutes)
        if real_end - begin < allowance + free.inclusive:
            return [(begin, end, "free_minutes", 0)]
    walk = Walk(plan, calendar, tariff.day_begins, begin, end, real_end, free, allowance, facts.charged_before)
    rows = walk.price()
    fee = walk.fee
    if plan.percent != 100:
        reduced = fee * plan.percent // 100
        rows.append((begin, end, f"class:{plan.vehicle}", reduced - fee))
        fee = reduced
    if plan.stay_cap is not None and fee > plan.stay_cap:
        rows.append((begin, end, "cap:stay", plan.stay_cap - fee))
    return rows


def _free(plan: Plan, tariff: Tariff, begin: int, calendar: CalendarSet, facts: StayFacts) -> Free | None:
    """The first free rule whose conditions hold."""
    for free in plan.free:
        if free.first_stay_of_day and not facts.first_stay_of_day:
            continue
        if not within(begin % DAY_MINUTES, free.begins, free.ends):
            continue
        if free.days and labels(calendar.day((begin - tariff.day_begins) // DAY_MINUTES)).isdisjoint(free.days):
            continue
        return free
    return None


def _notes(tariff: Tariff, vehicle: VehicleClass, missing: tuple[int, ...]) -> tuple[str, ...]:
    unknown = () if vehicle in tariff.plans else (f"class_unknown:{vehicle}",)
    return (*unknown, *[f"calendar_missing:{year}" for year in missing])


def _minute(moment: datetime) -> int:
    """Whole minutes since day 0; seconds are cut off."""
    if moment.tzinfo is not None:
        raise ValueError("times must be naive and local to the lot")
    return moment.toordinal() * DAY_MINUTES + moment.hour * 60 + moment.minute


def _moment(minute: int) -> datetime:
    return _DAY_ONE + timedelta(minutes=minute - DAY_MINUTES)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
