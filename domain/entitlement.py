"""Who may park without paying for it, and which part of a stay that covers (docs/entitlements.md).

Times are lot-local and whole minutes; lengths are minutes since entry, the end not included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
Span = tuple[int, int]


class Grant(StrEnum):
    """Why somebody parks without paying each time."""

    MONTHLY = "monthly"  # 月租
    VISITOR = "visitor"
    FREE = "free"
    STAFF = "staff"


class WhenFull(StrEnum):
    """What becomes of a car whose entitlement has all its places taken (一位多车)."""

    TEMPORARY = "temporary"  # it pays like anyone until a place is free
    WHOLE_STAY = "whole_stay"  # it pays for its whole stay
    REFUSE = "refuse"  # it is not let in
    ASK = "ask"  # the attendant says; let in, it pays until a place is free


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some weekdays (0 Monday; empty: all). Minutes of the day; *ends* at or before *begins*: the next day.

    A window past midnight belongs to the weekday on which it begins. (0, 1440) is the whole day.
    """

    begins: int = 0
    ends: int = 1440
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Plates × places × zones × times. *places*: how many of its plates are covered at once (0: all of them).

    Empty *zones* means every zone, empty *windows* any time. Good from *begins* until before *ends* and *grace_days*
    more; None has no bound.
    """

    id: str
    grant: Grant
    plates: frozenset[str]
    places: int = 0
    zones: frozenset[str] = frozenset()
    begins: datetime | None = None
    ends: datetime | None = None
    windows: tuple[Window, ...] = ()
    grace_days: int = 0
    when_full: WhenFull = WhenFull.TEMPORARY

    @property
    def good_until(self) -> datetime | None:
        """The end with its days of grace."""
        return self.ends + self.grace_days * _DAY if self.ends else None


@dataclass(frozen=True, slots=True)
class ZoneSpan:
    """A part of a stay spent in one zone."""

    zone: str
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Covered:
    """A part of a stay that *entitlement* pays for."""

    begins: int
    ends: int
    entitlement: str


@dataclass(frozen=True, slots=True)
class CutStay:
    """A stay cut at the bounds of its entitlements: both lists in order, together every minute once."""

    covered: tuple[Covered, ...]
    uncovered: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Welcome:
    """How a car at the entry stands: *by* covers it from here on, or *full* says what its lack of a place means."""

    by: Entitlement | None = None
    full: WhenFull | None = None


def welcome(
    plate: str,
    zone: str,
    at: datetime,
    entitlements: Iterable[Entitlement],
    others: Mapping[str, Sequence[Span]] | None = None,
) -> Welcome:
    """Who pays for the first minute of *plate* in *zone*; *others* as for ``cut_stay``."""
    known = {one.id: one for one in entitlements}
    minute = [ZoneSpan(zone, 0, 1)]
    for covered in cut_stay(plate, at, minute, known.values(), others).covered:
        return Welcome(known[covered.entitlement])
    for covered in cut_stay(plate, at, minute, known.values()).covered:
        return Welcome(full=known[covered.entitlement].when_full)
    return Welcome()


def places_held(stays: Iterable[Span], places: int, when_full: WhenFull) -> list[Span]:
    """Which of these *stays* of other cars hold a place: a car that is temporary for its whole stay holds none."""
    held: list[Span] = []
    for begins, ends in sorted(stays):
        taken = sum(from_ <= begins < to for from_, to in held)
        if when_full is not WhenFull.WHOLE_STAY or not places or taken < places:
            held.append((begins, ends))
    return held


def cut_stay(
    plate: str,
    entered: datetime,
    zones: Sequence[ZoneSpan],
    entitlements: Iterable[Entitlement],
    others: Mapping[str, Sequence[Span]] | None = None,
) -> CutStay:
    """Cut the stay of *plate* into covered and uncovered spans; an earlier entitlement wins over a later one.

    *others* are the times other cars held a place of an entitlement, by id, in minutes since this car entered: while
    all places are held this car is not covered, and it is again once one is free.
    """
    covered: list[Covered] = []
    left: list[Span] = joined((part.begins, part.ends) for part in zones)
    for one in entitlements:
        if plate not in one.plates:
            continue
        good = intersect(left, _in_zone(one, zones))
        good = intersect(good, list(_in_time(one, entered, left)))
        full = _full((others or {}).get(one.id, ()), one.places)
        if one.when_full is WhenFull.WHOLE_STAY and _begins_in(good, full):
            continue
        good = subtract(good, full)
        covered += [Covered(begins, ends, one.id) for begins, ends in good]
        left = subtract(left, good)
    return CutStay(tuple(sorted(covered, key=lambda part: part.begins)), tuple(left))


def _begins_in(good: Sequence[Span], full: Sequence[Span]) -> bool:
    """Is every place taken in the first minute it would be good?"""
    return bool(good) and any(begins <= good[0][0] < ends for begins, ends in full)


def _in_zone(one: Entitlement, zones: Sequence[ZoneSpan]) -> list[Span]:
    return joined((part.begins, part.ends) for part in zones if not one.zones or part.zone in one.zones)


def _in_time(one: Entitlement, entered: datetime, within: Sequence[Span]) -> Iterator[Span]:
    """The spans of *within*'s reach at which the entitlement is good, in order, none touching another."""
    if not within:
        return
    first, last = within[0][0], within[-1][1]
    begins = max(first, _minutes(entered, one.begins)) if one.begins else first
    until = one.good_until
    ends = min(last, _minutes(entered, until)) if until else last
    if begins >= ends:
        return
    if not one.windows:
        yield begins, ends
        return
    open_spans = joined(_daily(one.windows, entered, begins, ends))
    yield from intersect(open_spans, [(begins, ends)])


def _daily(windows: Sequence[Window], entered: datetime, begins: int, ends: int) -> Iterator[Span]:
    """Every occurrence of a window that can reach into the span, from the evening before on."""
    day = datetime.combine((entered + begins * _MINUTE).date(), time()) - _DAY
    while (midnight := _minutes(entered, day)) < ends:
        for window in windows:
            if not window.weekdays or day.weekday() in window.weekdays:
                length = window.ends - window.begins
                opens = midnight + window.begins
                yield opens, opens + (length if length > 0 else length + 1440)
        day += _DAY


def _full(held: Sequence[Span], places: int) -> list[Span]:
    """When at least *places* of the spans hold at once; 0 places never fill."""
    if not places:
        return []
    bounds = sorted({bound for span in held for bound in span})
    return joined(
        (begins, ends)
        for begins, ends in pairwise(bounds)
        if sum(from_ <= begins and ends <= to for from_, to in held) >= places
    )


def _minutes(entered: datetime, at: datetime) -> int:
    return (at - entered) // _MINUTE


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same minutes as ordered spans that neither touch nor overlap; empty ones are dropped."""
    joined: list[Span] = []
    for begins, ends in sorted(spans):
        if begins >= ends:
            continue
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


def intersect(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The minutes both have; both ordered."""
    return subtract(one, subtract(one, other))


def subtract(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Minutes of *one* that are not in *other*; both ordered."""
    left: list[Span] = []
    for span_begins, ends in one:
        begins = span_begins
        for cut_begins, cut_ends in other:
            if cut_ends <= begins or cut_begins >= ends:
                continue
            if cut_begins > begins:
                left.append((begins, cut_begins))
            begins = max(begins, cut_ends)
        if begins < ends:
            left.append((begins, ends))
    return left
