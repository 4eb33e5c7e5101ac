"""The fee of a stay through several zones: each zone by its own price list and clock, then caps over both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from domain.calendar import CalendarSet
from domain.entitlement import intersect, subtract
from domain.fen import Fen
from domain.tariff import Line, Quote, StayFacts, TariffBook, VehicleClass
from domain.tariff.model import looks_at_hour
from domain.zones import CapPer, Charge, Nested, Span, ZoneRule, clipped, clocks, readings

_MINUTE = timedelta(minutes=1)
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class ZonePrices:
    """Prices one stay: *first* is where it entered, *entered* its minute 0, *again* a new stay after a payment."""

    nested: Nested
    books: Mapping[str, TariffBook]
    calendar: CalendarSet
    vehicle: VehicleClass
    first: str
    entered: datetime
    into_ms: int
    facts: StayFacts
    again: bool

    def quote(self, begins: datetime, left: datetime) -> Quote:
        """The lines of the cheapest way the car may have gone; they name their zones and sum to the fee."""
        first, last = self._minute(begins), self._minute(left)
        ways = readings(self.first, self.nested.moves, self.into_ms, last)
        quotes = [self._way(clocks(way, self.nested.zones), first, last) for way in ways]
        cheapest = min(quotes, key=lambda one: one.fee)
        return replace(cheapest, notes=(*cheapest.notes, "missed_read")) if len(ways) > 1 else cheapest

    def _way(self, ran: Mapping[str, Sequence[Span]], first: int, last: int) -> Quote:
        parts = [self._zone(zone, clipped(spans, first, last)) for zone, spans in ran.items() if zone in self.books]
        lines = [line for part in parts for line in part.lines]
        lines += [line for rule in self._shared(ran) if (line := self._cut(rule, ran, first, last)) is not None]
        return Quote(
            entered=self._at(first),
            left=self._at(last),
            vehicle=self.vehicle,
            lines=tuple(lines),
            tariffs=tuple(dict.fromkeys(ref for part in parts for ref in part.tariffs)),
            calendars=tuple(dict.fromkeys(name for part in parts for name in part.calendars)),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )

    def _zone(self, zone: str, spans: Sequence[Span]) -> Quote:
        """The zone's own stay: its clock runs only while the car is there and nothing else pays."""
        free = intersect(spans, [(begins, ends) for name, begins, ends in self.nested.covered if name == zone])
        paid = subtract(spans, free)
        aside = [Line(self._at(begins), self._at(ends), "covered", Fen(0), zone) for begins, ends in free]
        aside += [
            Line(self._at(ends), self._at(begins), "paused", Fen(0), zone) for (_, ends), (begins, _) in pairwise(spans)
        ]
        if not paid:
            return Quote(self.entered, self.entered, self.vehicle, tuple(aside), ())
        quote = self._priced(zone, paid)
        lines = sorted([*quote.lines, *aside], key=lambda line: (line.begins, line.fen < 0))
        return replace(quote, lines=tuple(lines))

    def _priced(self, zone: str, spans: Sequence[Span]) -> Quote:
        """One stay; where the hour matters the cheapest of: at its beginning, at its end, each visit by itself."""
        length = sum(ends - begins for begins, ends in spans)
        whole = self._as_one(zone, spans, spans[0][0], length)
        if len(spans) == 1 or not any(map(looks_at_hour, self.books[zone].versions)):
            return whole
        at_end = self._as_one(zone, spans, spans[-1][1] - length, length)
        return min(whole, at_end, self._apart(zone, spans), key=lambda one: one.fee)

    def _as_one(self, zone: str, spans: Sequence[Span], start: int, length: int) -> Quote:
        """Visits with pauses between as one stay of their length from *start* on."""
        facts = self.facts if zone == self.first else replace(self.facts, charged_before=Fen(0))
        price = self.books[zone].quote_again if self.again else self.books[zone].quote
        quote = price(self._at(start), self._at(start + length), self.vehicle, self.calendar, facts)
        return replace(quote, lines=tuple([self._placed(line, zone, start, spans) for line in quote.lines]))

    def _apart(self, zone: str, spans: Sequence[Span]) -> Quote:
        """Each visit at its own hours; without free minutes, or driving in and out would give them again."""
        facts = replace(self.facts, charged_before=Fen(0))
        quotes = [
            self.books[zone].quote_again(self._at(begins), self._at(ends), self.vehicle, self.calendar, facts)
            for begins, ends in spans
        ]
        lines = tuple([line._replace(zone=zone) for quote in quotes for line in quote.lines])
        return replace(quotes[0], left=quotes[-1].left, lines=lines)

    def _placed(self, line: Line, zone: str, start: int, spans: Sequence[Span]) -> Line:
        """A line of the zone's own clock, at the times at which the car was really there."""
        begins, ends = self._minute(line.begins) - start, self._minute(line.ends) - start
        return Line(self._at(_begin(spans, begins)), self._at(_end(spans, ends)), line.rule, line.fen, zone)

    def _shared(self, ran: Mapping[str, Sequence[Span]]) -> list[ZoneRule]:
        """One rule for each zone that has a cap together with zones inside it the car was in."""
        shared = [rule for rule in self.nested.zones if rule.charge == Charge.SHARED_CAP and ran.get(rule.zone)]
        return list({rule.inside: rule for rule in shared}.values())

    def _cut(self, rule: ZoneRule, ran: Mapping[str, Sequence[Span]], first: int, last: int) -> Line | None:
        """What the cap over a zone and those inside it takes off, None where they stay below it."""
        members = [
            rule.inside,
            *(r.zone for r in self.nested.zones if r.inside == rule.inside and r.charge == rule.charge),
        ]
        came_to = [
            sum(
                self._zone(zone, clipped(ran[zone], first, until)).fee
                for zone in members
                if zone in ran and zone in self.books
            )
            for until in self._bounds(rule.cap_per, first, last)
        ]
        allowed = sum(min(rule.cap_fen, max(0, after - before)) for before, after in pairwise([0, *came_to]))
        over = came_to[-1] - allowed
        return Line(self._at(first), self._at(last), "cap:shared", Fen(-over), rule.inside) if over > 0 else None

    def _bounds(self, per: str, first: int, last: int) -> list[int]:
        """Where the cap begins anew, and the end."""
        if per == CapPer.STAY:
            return [last]
        start = 0
        if per == CapPer.DAY:
            start = self._minute(datetime.combine(self.entered.date(), time()))
        return [*(at for at in range(start, last, DAY_MINUTES) if at > first), last]

    def _at(self, minute: int) -> datetime:
        return self.entered + minute * _MINUTE

    def _minute(self, at: datetime) -> int:
        return (at - self.entered) // _MINUTE


def _begin(spans: Sequence[Span], minute: int) -> int:
    """When minute *minute* of the clock began, by the stay; the last span goes on."""
    for begins, ends in spans:
        if minute < ends - begins:
            return begins + minute
        minute -= ends - begins
    return spans[-1][1] + minute


def _end(spans: Sequence[Span], minute: int) -> int:
    """When *minute* minutes of the clock were over."""
    for begins, ends in spans:
        if minute <= ends - begins:
            return begins + minute
        minute -= ends - begins
    return spans[-1][1] + minute
