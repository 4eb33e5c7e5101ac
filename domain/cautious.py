"""The fee where nobody knows what time it was at entry: the lowest of all entries that are possible (sync §8).

Only price lists that look at the clock are searched. A fee changes only where the entry or the exit passes a multiple
of what every length and hour of the price list divides by, so trying the minutes around those finds the lowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import gcd

from domain.decision import ExitInputs, OpenStay, Priced
from domain.pricing import PriceLists
from domain.tariff import Tariff
from domain.tariff.model import DAY_MINUTES, FOREVER, Plan

MS_A_MINUTE = 60_000
FINEST = 6  # minutes: below this every minute is tried


@dataclass(frozen=True, slots=True)
class CautiousPriceLists(PriceLists):
    """Price lists that take the lowest fee over the entries the inputs leave possible; exact where there is one."""

    def __call__(self, inputs: ExitInputs, stay: OpenStay) -> Priced:
        """The fee, with a line naming the span when the entry time was not known."""
        if not inputs.entry_from_min and not inputs.entry_to_min:
            return PriceLists.__call__(self, inputs, stay)
        lists = [self.tariffs[ref.digest] for ref in inputs.tariffs]
        length = inputs.length_ms // MS_A_MINUTE
        shifts = possible_shifts(lists, stay.entered, length, inputs.entry_from_min, inputs.entry_to_min)
        tried = (PriceLists.__call__(self, inputs, _shifted(stay, shift)) for shift in shifts)
        lowest = min(tried, key=lambda priced: (priced.fee_fen - priced.off_fen, priced.fee_fen))
        note = {"rule": f"note:lowest_of_entries:{inputs.entry_from_min}..{inputs.entry_to_min}", "fen": 0}
        return replace(lowest, lines=(*lowest.lines, note))


def _shifted(stay: OpenStay, minutes: int) -> OpenStay:
    """*stay* as if it had begun on the whole minute *minutes* later."""
    entered = datetime.fromisoformat(stay.entered) + timedelta(minutes=minutes)
    return replace(stay, entered=entered.isoformat(timespec="minutes"), entered_wall_ms=0)


def possible_shifts(tariffs: Iterable[Tariff], entered: str, length: int, first: int, last: int) -> list[int]:
    """Minutes to move the entry by, among which the lowest fee is found; *first* and *last* are within it."""
    lists = list(tariffs)
    if not any(_looks_at_clock(tariff) for tariff in lists) and len(lists) == 1:
        return [last]
    if len(lists) == 1 and not any(_looks_at_date(plan) for plan in lists[0].plans.values()):
        last = min(last, first + DAY_MINUTES)
    step = gcd(DAY_MINUTES, *(length for tariff in lists for length in _lengths(tariff)))
    if step <= FINEST:
        return list(range(first, last + 1))
    begun = datetime.fromisoformat(entered)
    minute = begun.hour * 60 + begun.minute
    near = {(base + off) % step for base in (0, -length) for off in (-1, 0, 1)}
    return [shift for shift in range(first, last + 1) if (minute + shift) % step in near or shift in (first, last)]


def _looks_at_clock(tariff: Tariff) -> bool:
    return any(_plan_looks_at_clock(plan) for plan in tariff.plans.values())


def _plan_looks_at_clock(plan: Plan) -> bool:
    spans = [kind.spans for days in plan.days for kind in days.values()]
    natural_day = any(not cap.length for cap in plan.caps) or plan.restart.period < 0 or len(plan.days) > 1
    return _looks_at_date(plan) or natural_day or any(len(one) > 1 for one in spans) or _free_looks_at_clock(plan)


def _free_looks_at_clock(plan: Plan) -> bool:
    whole_day = (0, DAY_MINUTES)
    return any((free.begins, free.ends) != whole_day or free.every_period for free in plan.free)


def _looks_at_date(plan: Plan) -> bool:
    return not plan.uniform or any(free.days for free in plan.free)


def _lengths(tariff: Tariff) -> Iterator[int]:
    """Every hour of the day and every length of the price list, in minutes."""
    yield tariff.day_begins
    for plan in tariff.plans.values():
        yield from plan.lengths
        for days in plan.days:
            for kind in days.values():
                yield from (end for end, _ in kind.spans)
        for window in plan.windows:
            for step in window.steps:
                yield from (amount for amount in (step.until, step.unit, step.grace) if amount < FOREVER)
        for free in plan.free:
            yield from (free.minutes, free.charging, free.begins, free.ends)
