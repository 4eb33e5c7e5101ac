"""How many coupons a car may take: at a lot, from a merchant, of one coupon (S2.24-S2.30, docs/coupons.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

MOST: Final = 1_000_000  # of any limit: more is a slip of the finger


class Level(StrEnum):
    """What a limit belongs to; the driver's is the lot's ``per_day`` (S2.24)."""

    LOT = "lot"
    MERCHANT = "merchant"
    COUPON = "coupon"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one level; False and 0 limit nothing. ``FIELDS`` says which a level has.

    *one_merchant*: the coupons of a stay come from one merchant. *per_day* counts one plate on one day of the lot.
    *no_repeat*: a plate takes this coupon once, ever. *day_total* and *total* count all plates.
    """

    one_merchant: bool = False
    one_per_stay: bool = False
    per_day: int = 0
    no_repeat: bool = False
    day_total: int = 0
    total: int = 0

    @property
    def is_sound(self) -> bool:
        """Could anybody mean this?"""
        return all(0 <= number <= MOST for number in (self.per_day, self.day_total, self.total))

    def values(self) -> dict[str, Any]:
        """JSON values of what limits something."""
        return {name: value for name, value in asdict(self).items() if value}


NONE: Final = Limits()
FIELDS: Final = {
    Level.LOT: ("one_merchant", "one_per_stay", "per_day"),
    Level.MERCHANT: ("one_per_stay", "per_day"),
    Level.COUPON: ("no_repeat", "per_day", "day_total", "total"),
}


def limits_of(values: Mapping[str, Any] | None) -> Limits:
    """Limits from JSON values; what is missing or of another type limits nothing, so no row can stop a lane."""
    known = values or {}
    fit = {
        one.name: known[one.name]
        for one in fields(Limits)
        if type(known.get(one.name)) is type(getattr(NONE, one.name))
    }
    return Limits(**fit)


@dataclass(frozen=True, slots=True)
class Taken:
    """A coupon a plate took and that was not withdrawn. *stay_id* is "" while it waits for the car's next stay."""

    merchant_id: int
    merchant: str
    template_id: int
    stay_id: str
    day: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """*count* coupons of one template for one plate, today; *stay_id* is "" before the car comes."""

    merchant_id: int
    template_id: int
    stay_id: str
    day: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Given:
    """How many of the coupon all plates took."""

    today: int = 0
    ever: int = 0


@dataclass(frozen=True, slots=True)
class Over:
    """A limit is in the way: a stable code, and what its words are filled in with."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Levels:
    """The limits of the three levels that hold for what is wanted."""

    lot: Limits = NONE
    merchant: Limits = NONE
    coupon: Limits = NONE


def over(wanted: Wanted, taken: Sequence[Taken], levels: Levels, given: Given = Given()) -> Over | None:
    """Why the plate that took *taken* may not have what is *wanted*, or None when it may.

    The first of: other merchant, one per stay, several of one that is not repeated, repeated, a day's most, all gone.
    """
    return (
        _other_merchant(wanted, taken, levels)
        or _more_than_one(wanted, taken, levels)
        or _repeated(wanted, taken, levels.coupon)
        or _of_the_day(wanted, taken, levels)
        or _all_gone(wanted, levels.coupon, given)
    )


def paper_over(wanted: Wanted, coupon: Limits, given: Given) -> Over | None:
    """The same for a paper that names no plate: only how many there are in all can be judged."""
    return _all_gone(wanted, coupon, given)


def _on_stay(wanted: Wanted, taken: Sequence[Taken]) -> list[Taken]:
    return [one for one in taken if one.stay_id in ("", wanted.stay_id)]


def _other_merchant(wanted: Wanted, taken: Sequence[Taken], levels: Levels) -> Over | None:
    if not levels.lot.one_merchant:
        return None
    others = [one for one in _on_stay(wanted, taken) if one.merchant_id != wanted.merchant_id]
    return Over("other_merchant", {"merchant": others[0].merchant}) if others else None


def _more_than_one(wanted: Wanted, taken: Sequence[Taken], levels: Levels) -> Over | None:
    here = _on_stay(wanted, taken)
    own = [one for one in here if one.merchant_id == wanted.merchant_id]
    at_lot = levels.lot.one_per_stay and len(here) + wanted.count > 1
    at_merchant = levels.merchant.one_per_stay and len(own) + wanted.count > 1
    return Over("one_per_stay") if at_lot or at_merchant else None


def _repeated(wanted: Wanted, taken: Sequence[Taken], coupon: Limits) -> Over | None:
    if not coupon.no_repeat:
        return None
    if wanted.count > 1:
        return Over("multi_not_allowed")
    return Over("no_repeat") if any(one.template_id == wanted.template_id for one in taken) else None


def _of_the_day(wanted: Wanted, taken: Sequence[Taken], levels: Levels) -> Over | None:
    today = [one for one in taken if one.day == wanted.day]
    counted = (
        (levels.lot.per_day, len(today)),
        (levels.merchant.per_day, sum(one.merchant_id == wanted.merchant_id for one in today)),
        (levels.coupon.per_day, sum(one.template_id == wanted.template_id for one in today)),
    )
    broken = [most for most, has in counted if most and has + wanted.count > most]
    return Over("daily_max", {"most": min(broken)}) if broken else None


def _all_gone(wanted: Wanted, coupon: Limits, given: Given) -> Over | None:
    if coupon.total and given.ever + wanted.count > coupon.total:
        return Over("all_taken")
    return Over("all_taken_today") if coupon.day_total and given.today + wanted.count > coupon.day_total else None
