"""The fee of a stay for an exit decision: price lists, coupons, covered spans and rounding brought together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

from domain.calendar import CalendarSet
from domain.coupon import Coupon, CouponKind, CouponResult, CouponRules, Meaning, Remainder, apply_coupons
from domain.coupon.terms import terms_of, ways_of
from domain.decision import CouponGiven, ExitInputs, OpenStay, Priced, TariffRef
from domain.fen import Fen
from domain.nesting import ZonePrices
from domain.tariff import Line, Method, Prepaid, Quote, StayFacts, Tariff, TariffBook, VehicleClass, round_due
from domain.wire import BadMessageError, Json, canonical
from domain.zones import Nested

MS_A_MINUTE = 60_000
_MINUTE = timedelta(minutes=1)
USUAL_LENGTHS = tuple(timedelta(hours=hours) for hours in (*range(1, 25), 48, 72, 168, 720))


@dataclass(frozen=True, slots=True)
class PriceLists:
    """Every tariff version by the digest of its text, and the calendars of the lot. Call it to price a stay.

    *books* remembers which versions stood together: a cache, the same for every stay.
    """

    tariffs: Mapping[str, Tariff]
    calendar: CalendarSet
    books: dict[tuple[str, ...], TariffBook] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, inputs: ExitInputs, stay: OpenStay) -> Priced:
        """Fee, lines and what each coupon saves; the due is a multiple of what the lot rounds to."""
        if not inputs.tariffs:
            return Priced(0, ({"rule": "no_tariff", "fen": 0},))
        nested = inputs.nested
        book = self._book(inputs.tariffs if nested is None else _of_one_zone(inputs.tariffs, stay.zone))
        entered, left = span(inputs, stay)
        begins, before = _charged_until(inputs, stay, entered, left)
        facts = StayFacts(inputs.first_stay_of_day, inputs.charging_min, Fen(inputs.charged_before_fen))
        again = before is not None
        if nested is None:
            work: _Work | ZonePrices = _Work(book, self.calendar, stay, entered, inputs.covered, facts, again)
        else:
            work = self._by_zone(inputs.tariffs, nested, stay, entered, facts, again)
        quote = work.quote(begins, left)
        plain = fee = quote.fee
        earlier = inputs.settled_off if before is not None else ()
        base_fen = stay.base_fee_fen if before is None else 0
        if before is not None:
            quote, fee = replace(quote, lines=(before, *quote.lines)), Fen(fee + before.fen)
        given = _unused(inputs.coupons, earlier)
        used = CouponResult(fee, fee)
        if given:
            lot_id, rules = _ways(inputs.rules.coupons)
            used = apply_coupons(
                lambda start, end: plain if (start, end) == (begins, left) else work.quote(start, end).fee,
                begins, left, map(coupon_of, given), rules, lot_id,
            )  # fmt: skip
        off = (*earlier, *_off(used, fee - stay.paid_fen - sum(saved for _, saved in earlier)))
        settled = stay.paid_fen + stay.waived_fen + base_fen + sum(saved for _, saved in off)
        method = Method.CASH if inputs.cash else Method.ELECTRONIC
        rounded = round_due(book.at(left), quote, method, Fen(settled)) if fee > settled else quote
        lines = [_line(line) for line in rounded.lines]
        notes = [{"rule": f"note:{note}", "fen": 0} for note in quote.notes]
        return Priced(rounded.fee, (*lines, *notes), off, _steps(used), rounded.fee - fee)

    def prepaid(self, refs: Sequence[TariffRef], paid_at: datetime) -> Prepaid | None:
        """What the version in force at *paid_at* (lot-local) says of who paid ahead; None without a price list."""
        return self._book(refs).at(paid_at).prepaid if refs else None

    def classes(self, refs: Sequence[TariffRef], when: datetime) -> tuple[str, ...]:
        """The classes that the version in force at *when* (lot-local) tells apart; none without a price list."""
        return self._book(refs).at(when).classes if refs else ()

    def is_cheaper(self, refs: Sequence[TariffRef], vehicle: str, than: str, entered: datetime) -> bool:
        """Does one class pay less than another for a stay of any usual length from *entered* (lot-local) on?"""
        if not refs or vehicle == than:
            return False
        fee = self._book(refs).quote

        def of(name: str, length: timedelta) -> int:
            return fee(entered, entered + length, VehicleClass(name), self.calendar, StayFacts()).fee

        return any(of(vehicle, length) < of(than, length) for length in USUAL_LENGTHS)

    def first_stay_since(self, refs: Sequence[TariffRef], entered: datetime) -> datetime | None:
        """When the day of *entered* began, where free minutes go to a day's first stay only; None where they do not."""
        if not any(_asks_for_first_stay(self.tariffs[ref.digest]) for ref in refs):
            return None
        turn = self._book(refs).at(entered).day_begins * _MINUTE
        return datetime.combine((entered - turn).date(), time.min) + turn

    def asks_for_charging(self, refs: Sequence[TariffRef]) -> bool:
        """Does any version give more free minutes to a car that charges?"""
        plans = (plan for ref in refs for plan in self.tariffs[ref.digest].plans.values())
        return any(free.charging for plan in plans for free in plan.free)

    def _by_zone(
        self,
        refs: Sequence[TariffRef],
        nested: Nested,
        stay: OpenStay,
        entered: datetime,
        facts: StayFacts,
        again: bool,
    ) -> ZonePrices:
        zones = dict.fromkeys(ref.zone for ref in refs)
        books = {zone: self._book(ref for ref in refs if ref.zone == zone) for zone in zones}
        vehicle, into_ms = VehicleClass(stay.vehicle_class), stay.entered_wall_ms % MS_A_MINUTE
        return ZonePrices(nested, books, self.calendar, vehicle, stay.zone, entered, into_ms, facts, again)

    def _book(self, refs: Iterable[TariffRef]) -> TariffBook:
        digests = tuple([ref.digest for ref in refs])
        book = self.books.get(digests)
        if book is None:
            book = self.books[digests] = TariffBook(self.tariffs[digest] for digest in digests)
        return book


def _of_one_zone(refs: Sequence[TariffRef], zone: str) -> list[TariffRef]:
    """The price list of the zone a car entered by rules over what holds for the whole stay, such as rounding."""
    known = {ref.zone for ref in refs}
    ruling = zone if zone in known else refs[0].zone
    return [ref for ref in refs if ref.zone == ruling]


def _asks_for_first_stay(tariff: Tariff) -> bool:
    return any(free.first_stay_of_day for plan in tariff.plans.values() for free in plan.free)


def _charged_until(
    inputs: ExitInputs, stay: OpenStay, entered: datetime, left: datetime
) -> tuple[datetime, Line | None]:
    """From when the stay is priced; after a payment ahead that counts as its end, with a line of what it came to."""
    if inputs.new_stay_after_ms is None:
        return entered, None
    paid_at = min(left, _after(stay, entered, inputs.new_stay_after_ms))
    return paid_at, Line(entered, paid_at, "charged_before", Fen(inputs.settled_fee_fen))


def _after(stay: OpenStay, entered: datetime, length_ms: int) -> datetime:
    return entered + (stay.entered_wall_ms % MS_A_MINUTE + length_ms) // MS_A_MINUTE * _MINUTE


@dataclass(frozen=True, slots=True)
class _Work:
    book: TariffBook
    calendar: CalendarSet
    stay: OpenStay
    entered: datetime
    covered: tuple[tuple[int, int], ...]
    facts: StayFacts
    again: bool  # a new stay after a payment: without free minutes

    def quote(self, entered: datetime, left: datetime) -> Quote:
        """Lines of the uncovered parts between two times, and one of 0 for each covered one."""
        whole = self._priced(entered, left)
        if not self.covered:
            return whole
        lines: list[Line] = []
        for begins, ends, free in self._parts(entered, left):
            if free:
                lines.append(Line(begins, ends, "covered", Fen(0)))
            else:
                lines.extend(self._priced(begins, ends).lines)
        return replace(whole, lines=tuple(lines))

    def _priced(self, begins: datetime, ends: datetime) -> Quote:
        vehicle = VehicleClass(self.stay.vehicle_class)
        price = self.book.quote_again if self.again else self.book.quote
        return price(begins, ends, vehicle, self.calendar, self.facts)

    def _parts(self, entered: datetime, left: datetime) -> list[tuple[datetime, datetime, bool]]:
        parts, at = [], entered
        for first, last in self.covered:
            begins = min(max(at, self.entered + first * _MINUTE), left)
            ends = min(max(begins, self.entered + last * _MINUTE), left)
            if begins > at:
                parts.append((at, begins, False))
            if ends > begins:
                parts.append((begins, ends, True))
            at = max(at, ends)
        if at < left or not parts:
            parts.append((at, left, False))
        return parts


def span(inputs: ExitInputs, stay: OpenStay) -> tuple[datetime, datetime]:
    """Entry and exit in lot-local minutes; the exit is the entry plus the length by the boot clock (I20)."""
    entered = datetime.fromisoformat(stay.entered)
    return entered, _after(stay, entered, inputs.length_ms)


def coupon_spec(row: Json, issued: datetime | None) -> str:
    """A coupon row or voucher template as one canonical text: what the pricer needs and nothing else.

    *issued* is lot-local, for coupons good until a time after that; None where nobody knows.
    """
    wanted = ("kind", "value", "cap_fen", "meaning", "remainder", "template_id", "terms")
    spec = {name: row[name] for name in wanted if row.get(name) not in (None, "", {})}
    if "terms" in spec and issued is not None:
        spec["issued"] = issued.isoformat(timespec="minutes")
    return canonical(spec).decode()


@lru_cache(maxsize=256)  # asked for once as it is looked at, once as it is priced
def coupon_of(given: CouponGiven) -> Coupon:
    """The coupon a row or paper stands for. Raises BadMessageError when its spec makes no sense."""
    try:
        return replace(_coupon_like(given.spec), id=given.ref, merchant_id=given.merchant_id or None, source=given.kind)
    except (KeyError, TypeError, ValueError) as exc:
        raise BadMessageError(f"coupon {given.ref}: {exc}") from exc


@lru_cache(maxsize=256)
def _coupon_like(text: str) -> Coupon:
    """What all coupons of one *text* have in common: a template makes many."""
    spec: dict[str, Any] = json.loads(text)
    until, issued = (datetime.fromisoformat(spec[name]) if spec.get(name) else None for name in ("until", "issued"))
    remainder = spec.get("remainder", "forfeit")
    terms = terms_of(spec.get("terms"))
    return Coupon(
        id="",
        kind=CouponKind(spec["kind"]),
        value=int(spec.get("value", 0)),
        meaning=Meaning(spec.get("meaning", "end")),
        until=terms.free_until(issued) if until is None and issued is not None else until,
        validity=terms.validity,
        stacking=terms.stacking(int(spec.get("template_id", 0))),
        max_minutes=terms.max_minutes or None,
        max_fen=int(spec.get("cap_fen", 0)) or None,
        remainder=Remainder.FORFEIT if remainder == "lost" else Remainder(remainder),
        issued_at=issued,
    )


@lru_cache(maxsize=8)
def _ways(text: str) -> tuple[int | None, CouponRules]:
    """The lot and its rules for several coupons that a decision recorded."""
    said: dict[str, Any] = json.loads(text) if text else {}
    return said.get("lot"), ways_of(said).rules


def _unused(given: Iterable[CouponGiven], earlier: Iterable[tuple[str, int]]) -> list[CouponGiven]:
    """Coupons that took nothing off what was settled earlier."""
    gone = {ref for ref, _ in earlier}
    return [coupon for coupon in given if coupon.ref not in gone]


def _off(used: CouponResult, most: int) -> tuple[tuple[str, int], ...]:
    """What each coupon saves, never more together than money paid has left to save."""
    off, left = [], max(0, most)
    for applied in used.applied:
        part = min(int(applied.off), left)
        left -= part
        if part:
            off.append((applied.coupon_id, part))
    return tuple(off)


def _line(line: Line) -> Json:
    begins, ends = line.begins.isoformat(timespec="minutes"), line.ends.isoformat(timespec="minutes")
    said: Json = {"from": begins, "to": ends, "rule": line.rule, "fen": int(line.fen)}
    return said | {"zone": line.zone} if line.zone else said


def _steps(used: CouponResult) -> tuple[Json, ...]:
    taken = [
        {"coupon": step.coupon_id, "rule": step.rule, "before": int(step.before), "after": int(step.after)}
        for step in used.steps
    ]
    return (*taken, *({"coupon": one.coupon_id, "refused": one.code} for one in used.refused))
