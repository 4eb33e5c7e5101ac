"""A stay through several zones (场中场): where its car was when, and whose clock ran meanwhile (docs/zones.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product
from typing import Final

from domain.entitlement import ZoneSpan, joined

Span = tuple[int, int]
MS_A_MINUTE: Final = 60_000
MOST_GUESSED: Final = 5
"""So many missed reads are tried both ways; further ones count as told."""


class Charge(StrEnum):
    """What the zone around it charges while a car is in an inner zone."""

    REPLACES = "replaces"  # the outer clock stands still
    BOTH = "both"  # it runs on: those minutes are charged by both
    SHARED_CAP = "shared_cap"  # it stands still, and one cap holds over what both come to


class CapPer(StrEnum):
    """What one shared cap is for."""

    STAY = "stay"
    HOURS_24 = "24h"  # each 24 hours from entry
    DAY = "day"  # each day by the calendar


@dataclass(frozen=True, slots=True)
class Move:
    """The car came into *zone*. *guessed*: nobody saw it; it was any time since the move before."""

    zone: str
    after_ms: int
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """How one zone is charged; *inside* is the zone around it, "" where that is the street."""

    zone: str
    inside: str
    charge: str
    cap_fen: int
    cap_per: str


@dataclass(frozen=True, slots=True)
class Nested:
    """A stay that moved: its moves in order, the rules of every zone it touches, and what is covered there.

    *covered* has (zone, from minute, to minute): when an entitlement would pay if the car were in that zone.
    """

    moves: tuple[Move, ...]
    zones: tuple[ZoneRule, ...]
    covered: tuple[tuple[str, int, int], ...]


def readings(first: str, moves: Sequence[Move], into_ms: int, ends: int) -> list[tuple[ZoneSpan, ...]]:
    """Where the car was from minute 0 to *ends*: once, and with guessed moves once for each way it may have been.

    A guessed move was made right after the move before it, or just when it was noticed. *into_ms* is how far into its
    minute the stay began.
    """
    guessed = [place for place, move in enumerate(moves) if move.guessed][:MOST_GUESSED]
    found = []
    for early in product((False, True), repeat=len(guessed)):
        at = [(into_ms + move.after_ms) // MS_A_MINUTE for move in moves]
        for place, is_early in zip(guessed, early, strict=True):
            at[place] = (at[place - 1] if place else 0) if is_early else at[place]
        found.append(_segments(first, moves, at, ends))
    return list(dict.fromkeys(found))


def _segments(first: str, moves: Sequence[Move], at: Sequence[int], ends: int) -> tuple[ZoneSpan, ...]:
    bounds = [0]
    for minute in (*at, ends):
        bounds.append(min(max(minute, bounds[-1]), ends))
    zones = [first, *(move.zone for move in moves)]
    spans = zip(zones, pairwise(bounds), strict=True)
    return tuple(ZoneSpan(zone, begins, until) for zone, (begins, until) in spans if begins < until)


def clocks(segments: Iterable[ZoneSpan], rules: Sequence[ZoneRule]) -> dict[str, list[Span]]:
    """When the clock of each zone ran, zones in the order their clocks began; spans that touch are one."""
    around = {rule.zone: rule.inside for rule in rules if rule.inside and rule.charge == Charge.BOTH}
    ran: dict[str, list[Span]] = {}
    for part in segments:
        for zone in filter(None, (around.get(part.zone, ""), part.zone)):
            spans = ran.setdefault(zone, [])
            if spans and spans[-1][1] == part.begins:
                spans[-1] = (spans[-1][0], part.ends)
            else:
                spans.append((part.begins, part.ends))
    return ran


def joined_clocks(
    first: str, moves: Sequence[Move], into_ms: int, ends: int, rules: Sequence[ZoneRule]
) -> dict[str, list[Span]]:
    """When the clock of each zone ran by any reading: the most there can be for an entitlement to cover."""
    most: dict[str, list[Span]] = {}
    for way in readings(first, moves, into_ms, ends):
        for zone, spans in clocks(way, rules).items():
            most[zone] = joined([*most.get(zone, ()), *spans])
    return most


def clipped(spans: Iterable[Span], begins: int, ends: int) -> list[Span]:
    """What of *spans* lies between two minutes."""
    inside = ((max(begins, first), min(ends, last)) for first, last in spans)
    return [(first, last) for first, last in inside if first < last]
