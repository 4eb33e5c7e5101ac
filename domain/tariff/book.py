"""Several versions of a lot's tariff by start date; payment ahead; rounding of the due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from domain.calendar import CalendarSet
from domain.fen import Fen
from domain.tariff.model import Method, Tariff, VehicleClass
from domain.tariff.quote import Line, Quote, StayFacts, price_part

_PLAIN = StayFacts()


class TariffBook:
    """All versions of one tariff; a stay is priced by the version its ``across_start`` rule says."""

    __slots__ = ("versions",)

    def __init__(self, versions: Iterable[Tariff]) -> None:
        """Raises ValueError without a version, or with two that start on one day."""
        self.versions = tuple(sorted(versions, key=lambda tariff: tariff.starts))
        starts = [tariff.starts for tariff in self.versions]
        if not starts or len(set(starts)) != len(starts):
            raise ValueError("a tariff book needs at least one version, each with a start date of its own")

    def at(self, moment: datetime) -> Tariff:
        """The version in force at *moment*; before the first one starts, that first one."""
        started = [tariff for tariff in self.versions if tariff.starts <= moment.date()]
        return started[-1] if started else self.versions[0]

    def quote(
        self,
        entered: datetime,
        left: datetime,
        vehicle: VehicleClass,
        calendar: CalendarSet,
        facts: StayFacts = _PLAIN,
    ) -> Quote:
        """Price a stay; where versions change, the newer one's ``across_start`` decides (docs/tariffs.md)."""
        parts = self.parts(entered, left)
        first = price_part(parts[0][0], entered, left, vehicle, calendar, facts)
        if len(parts) == 1 or [line.rule for line in first.lines] == ["free_minutes"]:
            return first
        tariff, _, change = parts[0]
        before = price_part(tariff, entered, change, vehicle, calendar, facts, real_end=left)
        after = [
            price_part(tariff, begins, ends, vehicle, calendar, _PLAIN, grants_free=False)
            for tariff, begins, ends in parts[1:]
        ]
        return _joined([before, *after])

    def quote_again(
        self,
        paid_at: datetime,
        left: datetime,
        vehicle: VehicleClass,
        calendar: CalendarSet,
        facts: StayFacts = _PLAIN,
    ) -> Quote:
        """Price the new stay of a car that paid at *paid_at* and did not leave in time: it has no free minutes."""
        parts = [
            price_part(part, begins, ends, vehicle, calendar, facts, grants_free=False)
            for part, begins, ends in self.parts(paid_at, left)
        ]
        return _joined(parts)

    def parts(self, entered: datetime, left: datetime) -> list[tuple[Tariff, datetime, datetime]]:
        """Which version prices which part of the stay, in order."""
        parts = [(self.at(entered), entered, left)]
        for tariff in self.versions:
            change = datetime.combine(tariff.starts, datetime.min.time())
            if not entered < change < left or tariff is parts[0][0]:
                continue
            if tariff.across_start == "split":
                before, begins, _ = parts[-1]
                parts[-1:] = [(before, begins, change), (tariff, change, left)]
            elif tariff.across_start == "exit":
                parts = [(tariff, entered, left)]
        return parts


def pricer(
    book: TariffBook, vehicle: VehicleClass, calendar: CalendarSet, facts: StayFacts = _PLAIN
) -> Callable[[datetime, datetime], Fen]:
    """The fee of any stay under *book*, as ``domain.coupon.apply_coupons`` asks for it."""
    return lambda entered, left: book.quote(entered, left, vehicle, calendar, facts).fee


def quote_after_payment(
    book: TariffBook,
    entered: datetime,
    paid_at: datetime,
    paid_fen: Fen,
    left: datetime,
    vehicle: VehicleClass,
    calendar: CalendarSet,
    facts: StayFacts = _PLAIN,
) -> Quote:
    """What is still owed at *left* after *paid_fen* (all payments and what coupons took off) by *paid_at*.

    Nothing within the tariff's ``leave_within``; later a new stay from the payment, without free minutes, or the
    whole fee less what was paid, as the tariff's ``late`` says. Both times are cut to the minute.
    """
    tariff = book.at(paid_at)
    paid_at, left = paid_at.replace(second=0, microsecond=0), left.replace(second=0, microsecond=0)
    if left - paid_at <= timedelta(minutes=tariff.prepaid.leave_within):
        still = price_part(tariff, paid_at, paid_at, vehicle, calendar, facts)
        return Quote(paid_at, left, vehicle, (Line(paid_at, left, "leave_within", Fen(0)),), still.tariffs)
    if tariff.prepaid.late == "new_stay":
        return book.quote_again(paid_at, left, vehicle, calendar, facts)
    whole = book.quote(entered, left, vehicle, calendar, facts)
    return whole.plus("paid", -min(paid_fen, whole.fee))


def round_due(tariff: Tariff, quote: Quote, method: Method, off: Fen = Fen(0)) -> Quote:  # noqa: B008  a plain number
    """*quote* with the line that makes its fee less *off* (what coupons take) a payable due for *method*."""
    rule = tariff.rounding.get(method)
    due = quote.fee - off
    return quote if rule is None else quote.plus(f"rounding:{method}", rule.of(due) - due)


def _joined(parts: list[Quote]) -> Quote:
    """The parts of one stay as one quote."""
    first, last = parts[0], parts[-1]
    return Quote(
        entered=first.entered,
        left=last.left,
        vehicle=first.vehicle,
        lines=tuple(line for part in parts for line in part.lines),
        tariffs=tuple(dict.fromkeys(ref for part in parts for ref in part.tariffs)),
        calendars=tuple(dict.fromkeys(name for part in parts for name in part.calendars)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
