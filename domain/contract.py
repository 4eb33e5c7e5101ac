"""What a coupon costs the merchant that gives it: what is held at issue and what is charged at the exit.

A contract of merchant and lot has terms for each kind of coupon (docs/contracts.md). The hold is the highest charge
possible, so a purse or lease never comes out short; what the charge leaves of it goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from domain.coupon.model import CouponKind, Remainder
from domain.ledger import Commodity
from domain.wire import Json

WAIVER_CAP_FEN: Final = 5_000
MOST_FEN: Final = 10_000_000  # of anything in a contract: more is a slip of the finger
MINUTES_AN_HOUR: Final = 60


class Basis(StrEnum):
    """What a merchant's charge is worked out from."""

    FACE = "FACE"  # what the coupon says it is worth, used up or not
    REDUCED = "REDUCED"  # the money it really took off the fee
    HOURLY = "HOURLY"  # fen for each hour the coupon gives (durations only)


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a contract. Percents are whole numbers; the free allotment is each month's, spent first."""

    amount_basis: Basis = Basis.FACE
    amount_percent: int = 100
    duration_basis: Basis = Basis.FACE
    duration_percent: int = 100
    fen_per_hour: int = 0
    waiver_basis: Basis = Basis.FACE
    waiver_percent: int = 100
    waiver_cap_fen: int = WAIVER_CAP_FEN
    free_fen: int = 0
    free_min: int = 0

    @property
    def is_sound(self) -> bool:
        """Could anybody mean this?"""
        percents = self.amount_percent, self.duration_percent, self.waiver_percent
        money = self.fen_per_hour, self.free_fen, self.free_min, self.waiver_cap_fen
        return (
            all(0 <= percent <= 100 for percent in percents)
            and all(0 <= amount <= MOST_FEN for amount in money)
            and self.waiver_cap_fen > 0
            and Basis.HOURLY not in (self.amount_basis, self.waiver_basis)
            and (self.duration_basis is not Basis.HOURLY or self.fen_per_hour > 0)
        )

    def values(self) -> Json:
        """As JSON values, for the channel that tells lots."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def terms_of(values: Json) -> Terms:
    """Terms from a stored row or a message; what is left out is as it was before there was a choice."""
    known = {field.name: values[field.name] for field in fields(Terms) if values.get(field.name) is not None}
    bases = {name: Basis(value) for name, value in known.items() if name.endswith("_basis")}
    return Terms(**{**known, **bases})


@dataclass(frozen=True, slots=True)
class Hold:
    """What issuing a coupon takes: *amount* in *commodity*. *ceiling_fen*: the most it may take off, 0 for no limit."""

    commodity: Commodity
    amount: int
    ceiling_fen: int = 0


def hold(terms: Terms, kind: CouponKind, value: int, cap_fen: int = 0) -> Hold:
    """The highest charge a coupon may lead to. *value* is its fen or minutes, *cap_fen* its own limit (0: none)."""
    if kind is CouponKind.AMOUNT:
        return Hold(Commodity.FEN, _share(value, terms.amount_percent), min(cap_fen or value, value))
    if kind is CouponKind.DURATION and terms.duration_basis is Basis.FACE:
        return Hold(Commodity.MIN, _share(value, terms.duration_percent), cap_fen)
    if kind is CouponKind.DURATION and terms.duration_basis is Basis.HOURLY:
        return Hold(Commodity.FEN, -(-value * terms.fen_per_hour // MINUTES_AN_HOUR), cap_fen)
    ceiling = min(cap_fen or terms.waiver_cap_fen, terms.waiver_cap_fen)
    if kind is CouponKind.DURATION:
        return Hold(Commodity.FEN, _share(ceiling, terms.duration_percent), ceiling)
    if terms.waiver_basis is Basis.FACE:  # a fixed price, whatever the fee was (Q9)
        return Hold(Commodity.FEN, _share(terms.waiver_cap_fen, terms.waiver_percent), ceiling)
    return Hold(Commodity.FEN, _share(ceiling, terms.waiver_percent), ceiling)


def charge(terms: Terms, kind: CouponKind, held: int, off_fen: int, remainder: Remainder = Remainder.FORFEIT) -> int:
    """What a used coupon costs of what is *held* for it, when it took *off_fen* off the fee."""
    basis, percent = _basis(terms, kind)
    used_only = kind is CouponKind.AMOUNT and remainder is not Remainder.FORFEIT
    return min(held, _share(off_fen, percent)) if basis is Basis.REDUCED or used_only else held


def _basis(terms: Terms, kind: CouponKind) -> tuple[Basis, int]:
    match kind:
        case CouponKind.AMOUNT:
            return terms.amount_basis, terms.amount_percent
        case CouponKind.DURATION:
            return terms.duration_basis, terms.duration_percent
        case _:
            return terms.waiver_basis, terms.waiver_percent


def _share(value: int, percent: int) -> int:
    return -(-value * percent // 100)  # up: a part of a fen is the merchant's
