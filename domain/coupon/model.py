"""What a coupon is, a lot's rules for using several, and what using them came to (docs/coupons.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.fen import Fen


class CouponKind(StrEnum):
    """What a coupon is worth; in the usual order of application."""

    FREE_UNTIL = "FREE_UNTIL"
    DURATION = "DURATION"
    PERCENT = "PERCENT"
    AMOUNT = "AMOUNT"
    FULL_WAIVER = "FULL_WAIVER"


class Meaning(StrEnum):
    """What a duration coupon does: cut the end, shift the entry, or subtract the price of the first minutes."""

    END = "end"
    ENTRY = "entry"
    FIRST = "first"


class Remainder(StrEnum):
    """What happens to the part not needed: lost, returned to the payer, or never charged to the payer (E5)."""

    FORFEIT = "forfeit"
    RETURN = "return"
    CHARGE_USED = "charge_used"


@dataclass(frozen=True, slots=True)
class Validity:
    """When and where a coupon holds, judged at the exit in lot-local time; empty means no limit (E9, E12).

    *begins* and *ends* are both included; *hours* are (from, to) minutes of the day, past midnight when to < from;
    *leave_within* counts minutes from the coupon's ``issued_at``.
    """

    begins: datetime | None = None
    ends: datetime | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    lots: tuple[int, ...] = ()
    min_stay: int = 0
    leave_within: int | None = None

    def to_values(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "begins": _iso(self.begins),
            "ends": _iso(self.ends),
            "weekdays": list(self.weekdays),
            "hours": [list(span) for span in self.hours],
            "lots": list(self.lots),
            "min_stay": self.min_stay,
            "leave_within": self.leave_within,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Validity:
        """The validity that gave *values*."""
        return cls(
            _moment(values["begins"]),
            _moment(values["ends"]),
            tuple(values["weekdays"]),
            tuple((begins, ends) for begins, ends in values["hours"]),
            tuple(values["lots"]),
            values["min_stay"],
            values["leave_within"],
        )


@dataclass(frozen=True, slots=True)
class Stacking:
    """With what a coupon may be used: *alone* with nothing else; at most *per_stay* of one *template*."""

    alone: bool = False
    template: str = ""
    per_stay: int | None = None


ANY_TIME, WITH_ANY = Validity(), Stacking()


@dataclass(frozen=True, slots=True)
class Coupon:
    """One coupon tied to a stay. *value* is fen, minutes, or per cent still to pay, by kind.

    *until* is the moment FREE_UNTIL ends. *merchant_id* pays (None: the lot). It takes off at most *max_fen*, and adds
    nothing once the stay's time coupons cover *max_minutes*. *source* is where it came from (``bound``, ``voucher`` …).
    """

    id: str
    kind: CouponKind
    value: int = 0
    meaning: Meaning = Meaning.END
    until: datetime | None = None
    merchant_id: int | None = None
    validity: Validity = ANY_TIME
    stacking: Stacking = WITH_ANY
    remainder: Remainder = Remainder.FORFEIT
    max_minutes: int | None = None
    max_fen: int | None = None
    issued_at: datetime | None = None
    source: str = "bound"

    def __post_init__(self) -> None:
        """Raises ValueError for a value its kind cannot have."""
        if self.value < 0 or (self.kind is CouponKind.PERCENT and self.value > 100):
            raise ValueError(f"{self.kind} cannot be {self.value}")
        if self.kind is CouponKind.FREE_UNTIL and self.until is None:
            raise ValueError("a FREE_UNTIL coupon needs the moment")
        if self.validity.leave_within is not None and self.issued_at is None:
            raise ValueError("leave_within counts from issued_at, which is missing")

    def to_values(self) -> dict[str, Any]:
        """JSON values; ``from_values`` gives an equal coupon back."""
        return {
            "id": self.id,
            "kind": self.kind,
            "value": self.value,
            "meaning": self.meaning,
            "until": _iso(self.until),
            "merchant_id": self.merchant_id,
            "validity": self.validity.to_values(),
            "stacking": [self.stacking.alone, self.stacking.template, self.stacking.per_stay],
            "remainder": self.remainder,
            "max_minutes": self.max_minutes,
            "max_fen": self.max_fen,
            "issued_at": _iso(self.issued_at),
            "source": self.source,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Coupon:
        """The coupon that gave *values*. Raises ValueError or KeyError for other values."""
        return cls(
            id=values["id"],
            kind=CouponKind(values["kind"]),
            value=values["value"],
            meaning=Meaning(values["meaning"]),
            until=_moment(values["until"]),
            merchant_id=values["merchant_id"],
            validity=Validity.from_values(values["validity"]),
            stacking=Stacking(*values["stacking"]),
            remainder=Remainder(values["remainder"]),
            max_minutes=values["max_minutes"],
            max_fen=values["max_fen"],
            issued_at=_moment(values["issued_at"]),
            source=values["source"],
        )


@dataclass(frozen=True, slots=True)
class CouponRules:
    """A lot's rules: the order of application, how many coupons per stay, which kinds go together (None: all)."""

    order: tuple[CouponKind, ...] = tuple(CouponKind)
    max_coupons: int | None = None
    together: tuple[frozenset[CouponKind], ...] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError when the order leaves a kind out or names one twice."""
        if sorted(self.order) != sorted(CouponKind):
            raise ValueError("the order must name every kind of coupon once")


@dataclass(frozen=True, slots=True)
class Applied:
    """A coupon used: what it took off, and of its own value (*unit* FEN or MIN) how much was *used* and left over."""

    coupon_id: str
    kind: CouponKind
    merchant_id: int | None
    source: str
    off: Fen
    unit: str
    used: int
    unused: int
    remainder: Remainder

    @property
    def charged(self) -> int:
        """What the payer bears, in *unit*: an unused part only when it is forfeit."""
        return self.used + (self.unused if self.remainder is Remainder.FORFEIT else 0)

    @property
    def minutes(self) -> int:
        """Minutes of parking it covered; 0 for coupons of money."""
        return self.used if self.unit == "MIN" else 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A coupon not used, and why (a stable code, docs/coupons.md); it keeps its value."""

    coupon_id: str
    code: str


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the log: this coupon brought the fee from *before* to *after*."""

    rule: str
    coupon_id: str
    before: Fen
    after: Fen


@dataclass(frozen=True, slots=True)
class CouponResult:
    """What coupons made of a fee: ``due`` is ``fee`` less what the applied ones took off."""

    fee: Fen
    due: Fen
    applied: tuple[Applied, ...] = ()
    refused: tuple[Refused, ...] = ()
    steps: tuple[Step, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """JSON values; ``from_values`` gives an equal result back."""
        return {
            "fee": self.fee,
            "due": self.due,
            "applied": [
                [a.coupon_id, a.kind, a.merchant_id, a.source, a.off, a.unit, a.used, a.unused, a.remainder]
                for a in self.applied
            ],
            "refused": [[refused.coupon_id, refused.code] for refused in self.refused],
            "steps": [[step.rule, step.coupon_id, step.before, step.after] for step in self.steps],
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> CouponResult:
        """The result that gave *values*."""
        return cls(
            Fen(values["fee"]),
            Fen(values["due"]),
            tuple(
                Applied(coupon_id, CouponKind(kind), payer, source, off, unit, used, unused, Remainder(remainder))
                for coupon_id, kind, payer, source, off, unit, used, unused, remainder in values["applied"]
            ),
            tuple(Refused(*row) for row in values["refused"]),
            tuple(Step(*row) for row in values["steps"]),
        )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
