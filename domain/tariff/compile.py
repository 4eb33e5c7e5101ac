"""Resolving windows and caps into one row of spans per sort of day, once, at parse time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

from domain.calendar import HOLIDAY, MAKEUP, DayKey, labels
from domain.document import Place
from domain.fen import Fen
from domain.tariff.model import DAY_MINUTES, FOREVER, CapKind, DayKind, Free, Plan, Restart, VehicleClass, Window


@dataclass(frozen=True, slots=True)
class Entry:
    """A window as written: its hours and days, and its prices unless it is for other classes."""

    applies: bool
    begins: int
    ends: int
    days: tuple[str, ...]
    from_day: int
    window: Window | None
    place: Place


@dataclass(frozen=True, slots=True)
class CapEntry:
    """A cap as written; *length* is minutes from entry, 0 for natural days and stays."""

    applies: bool
    per: str
    length: int
    amounts: tuple[Fen, ...]
    days: tuple[str, ...]


def compile_plan(
    name: str,
    entries: Sequence[Entry],
    caps: Sequence[CapEntry],
    free: tuple[Free, ...],
    restart: Restart,
    turn: int,
    own_days: tuple[str, ...],
    reduced: tuple[int, bool],
    place: Place,
) -> Plan:
    """The plan of one class. Raises the document's error for hours no window covers or windows never reached."""
    kinds = [
        CapKind(f"cap:{per}", length)
        for per, length in {cap.per: cap.length for cap in caps if cap.per != "stay"}.items()
    ]
    days: list[dict[DayKey, DayKind]] = []
    known: dict[object, DayKind] = {}
    for day_of_stay in range(1, max(entry.from_day for entry in entries) + 1):
        days.append({})
        for key in _day_keys(own_days):
            names = labels(key)
            spans = _paint([_on(entry, day_of_stay) for entry in entries], names, turn, place, name)
            limits = tuple(_limit(caps, kind, names) for kind in kinds)
            days[-1][key] = known.setdefault((spans, limits), DayKind(len(known), spans, limits))
    reached = {window for kind in known.values() for _, window in kind.spans}
    for number, entry in enumerate(entries):
        if number not in reached:
            raise entry.place.fault(
                "is never reached: the windows before it cover all its hours (the first that fits is used)"
            )
    windows = tuple(cast(Window, entry.window) for entry in entries)
    stay_caps = [cap.amounts[0] for cap in caps if cap.per == "stay"]
    lengths = {kind.length for kind in kinds if kind.length} | ({restart.period} if restart.period > 0 else set())
    return Plan(
        vehicle=VehicleClass(name),
        windows=windows,
        days=tuple(days),
        free=free,
        caps=tuple(kinds),
        stay_cap=min(stay_caps) if stay_caps else None,
        restart=restart,
        percent=reduced[0],
        exempt=reduced[1],
        lengths=tuple(sorted(lengths)),
        uneven=tuple(sorted(length for length in lengths if DAY_MINUTES % length)),
        ladder=max((step.until for window in windows for step in window.steps if step.until < FOREVER), default=0)
        + max((window.steps[-2].until for window in windows if len(window.steps) > 1), default=0),
        growth=max((len(cap.amounts) for cap in caps), default=1) - 1,
        uniform=len(known) == 1,
    )


def _on(entry: Entry, day_of_stay: int) -> Entry:
    """The window as it is on that day of a stay: without hours before its first day."""
    return entry if entry.from_day <= day_of_stay else replace(entry, begins=0, ends=0)


def _day_keys(own_days: tuple[str, ...]) -> list[DayKey]:
    return [
        (weekday, special, own) for own in ("", *own_days) for special in ("", HOLIDAY, MAKEUP) for weekday in range(7)
    ]


def _paint(
    entries: Sequence[Entry], names: frozenset[str], turn: int, place: Place, vehicle: str
) -> tuple[tuple[int, int], ...]:
    """Give each minute of such a day, counted from the turning hour, to the first window that fits."""
    edges = {0, DAY_MINUTES}
    for entry in entries:
        edges |= {(entry.begins - turn) % DAY_MINUTES, (entry.ends - turn) % DAY_MINUTES}
    spans: list[tuple[int, int]] = []
    ordered = sorted(edges)
    for begin, end in pairwise(ordered):
        clock = (begin + turn) % DAY_MINUTES
        number = next((number for number, entry in enumerate(entries) if _fits(entry, names, clock)), None)
        if number is None:
            until = (end + turn - 1) % DAY_MINUTES + 1
            raise place.fault(
                f'no window covers {_hhmm(clock)}-{_hhmm(until)} on {_described(names)} for class "{vehicle}"; '
                "add one, or a window without from, to and days as the last"
            )
        if spans and spans[-1][1] == number:
            spans.pop()
        spans.append((end, number))
    return tuple(spans)


def _fits(entry: Entry, names: frozenset[str], clock: int) -> bool:
    if entry.days and names.isdisjoint(entry.days):
        return False
    return within(clock, entry.begins, entry.ends)


def within(clock: int, begins: int, ends: int) -> bool:
    """Whether the minute of the day lies in these hours, which go past midnight when they end before they begin."""
    return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends


def _limit(caps: Sequence[CapEntry], kind: CapKind, names: frozenset[str]) -> tuple[Fen, ...] | None:
    """The amounts of the first cap of this kind that fits the day."""
    for cap in caps:
        if f"cap:{cap.per}" == kind.rule and (not cap.days or not names.isdisjoint(cap.days)):
            return cap.amounts
    return None


def _hhmm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _described(names: frozenset[str]) -> str:
    return "a day that is " + " and ".join(f'"{name}"' for name in sorted(names))
