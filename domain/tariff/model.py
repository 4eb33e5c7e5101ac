"""A parsed tariff: values only, resolved for each vehicle class so that pricing looks nothing up by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NewType

from domain.calendar import DayKey
from domain.document import DocumentError
from domain.fen import Fen

VehicleClass = NewType("VehicleClass", str)
"""A class the tariff names: ``small``, ``large``, ``coach``, ``nev`` …"""

FOREVER = 1 << 40
"""Minutes: later than any stay."""

DAY_MINUTES = 1440


class TariffError(DocumentError):
    """A tariff file that cannot be used; the text names file, key path and what is allowed."""


class Method(StrEnum):
    """How the due is paid; rounding may differ."""

    CASH = "cash"
    ELECTRONIC = "electronic"


@dataclass(frozen=True, slots=True)
class Step:
    """Up to minute *until* each *unit* costs *price* once *grace* is over; a flat step costs it once."""

    until: int
    unit: int
    price: Fen
    grace: int
    flat: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the day with its own steps; *cap* limits one visit to it."""

    name: str
    steps: tuple[Step, ...]
    cap: Fen | None
    cap_rule: str


@dataclass(frozen=True, slots=True)
class Free:
    """Free minutes, with up to *charging* more while the car charges, and when they are given."""

    minutes: int
    charging: int
    deducted: bool
    inclusive: bool
    every_period: bool
    first_stay_of_day: bool
    days: tuple[str, ...]
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Restart:
    """What begins anew at a window edge and at a period edge; *period* is minutes from entry, 0 never, -1 each day."""

    window_units: bool
    window_steps: bool
    period: int
    period_units: bool
    period_steps: bool
    own_count: bool


@dataclass(frozen=True, slots=True)
class CapKind:
    """One kind of cap: buckets of *length* minutes from entry, or natural days when *length* is 0."""

    rule: str
    length: int


@dataclass(frozen=True, slots=True)
class DayKind:
    """How one sort of day is priced: ``(end, window)`` spans from the turning hour, and the amounts per cap kind."""

    number: int
    spans: tuple[tuple[int, int], ...]
    limits: tuple[tuple[Fen, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to price one vehicle class; *days* by days since entry, the last for all later ones.

    *walked* remembers what whole charging days came to (``walk.py``): a cache, the same for every stay.
    """

    vehicle: VehicleClass
    windows: tuple[Window, ...]
    days: tuple[Mapping[DayKey, DayKind], ...]
    free: tuple[Free, ...]
    caps: tuple[CapKind, ...]
    stay_cap: Fen | None
    restart: Restart
    percent: int
    exempt: bool
    lengths: tuple[int, ...]
    uneven: tuple[int, ...]
    ladder: int
    growth: int
    uniform: bool
    walked: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def day(self, key: DayKey, since_entry: int) -> DayKind:
        """The sort of day *key* is, so many days after entry; own days this tariff does not know are ordinary."""
        days = self.days[since_entry] if since_entry < len(self.days) else self.days[-1]
        kind = days.get(key)
        return kind if kind is not None else days[key[0], key[1], ""]


@dataclass(frozen=True, slots=True)
class Prepaid:
    """Minutes to leave after paying ahead; afterwards a new stay, or the difference to the whole fee.

    *own_time* is False where the price list names no minutes, so that a lot's own setting may stand in.
    """

    leave_within: int
    late: str
    own_time: bool = True


@dataclass(frozen=True, slots=True)
class Rounding:
    """The due is a multiple of *to* fen; *mode* is down, up or nearest."""

    to: int
    mode: str

    def of(self, fen: int) -> Fen:
        """*fen* rounded."""
        if self.mode == "up":
            return Fen(-(-fen // self.to) * self.to)
        return Fen((fen + (self.to // 2 if self.mode == "nearest" else 0)) // self.to * self.to)


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a price list. *digest* is the SHA-256 of its canonical form, *text* its source."""

    code: str
    version: int
    name: str
    starts: date
    across_start: str
    day_begins: int
    classes: tuple[VehicleClass, ...]
    uses_calendar: bool
    plans: Mapping[VehicleClass, Plan]
    prepaid: Prepaid
    rounding: Mapping[Method, Rounding]
    digest: str
    text: str

    def plan(self, vehicle: VehicleClass) -> Plan:
        """The plan of *vehicle*; a class this tariff does not name pays as the first one."""
        return self.plans.get(vehicle) or self.plans[self.classes[0]]


def looks_at_hour(tariff: Tariff) -> bool:
    """Does what a minute costs depend on its hour or its day?"""
    plans = tariff.plans.values()
    kinds = (kind for plan in plans for days in plan.days for kind in days.values())
    return any(not plan.uniform for plan in plans) or any(len(kind.spans) > 1 for kind in kinds)
