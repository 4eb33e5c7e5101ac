"""Buying coupons ahead: how many a merchant may still buy, and how long what it bought is good (S2.11-S2.14)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def may_still_buy(cap: int, bought: int) -> int | None:
    """How many more under a lifetime *cap* per merchant (Q7); None where there is no cap (0)."""
    return max(0, cap - bought) if cap else None


def is_over_cap(cap: int, bought: int, quantity: int) -> bool:
    """Is *quantity* above what is left? Then it is refused as a whole, never trimmed (S2.12, S2.13)."""
    left = may_still_buy(cap, bought)
    return left is not None and quantity > left


def first_day_after(bought_on: date, months: int) -> date:
    """The first day on which stock bought on *bought_on* is not good any more, *months* (>= 1) later (S2.14).

    Where that month has no such day, the first of the next one: nobody loses a day.
    """
    year, month = divmod(bought_on.year * 12 + bought_on.month - 1 + months, 12)
    month += 1
    if bought_on.day <= monthrange(year, month)[1]:
        return date(year, month, bought_on.day)
    return date(year + month // 12, month % 12 + 1, 1)
