"""A lot's day: every fact of money that two books tell, and where they do not tell the same (E72). Pure.

Each chain ends where the next begins, so that a day without differences sums to zero from the payer's order to the
merchant's purse:

    order paid = used at the lot + goes back + not booked yet        used = payment the lot told of
    fee of a stay = coupons + waived + paid + owed                   paid = payments of the stay, less debts they paid
    coupons of a stay = its redemptions                              redemption = charge in the merchant's ledger
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

KINDS: Final = (
    "stay_sum",  # a stay's fee is not what it was settled with
    "stay_paid",  # a stay says it was paid, the payments say otherwise
    "stay_coupons",  # a stay says what coupons took off, their redemptions say otherwise
    "stay_debt",  # a stay left owing, its debt says otherwise
    "phone_unbooked",  # paid by phone, and the lot has not booked it
    "phone_split",  # booked, but used and given back are not what was paid
    "phone_taken",  # the lot used it, the payment it told of is another
    "phone_back",  # the lot gave it back, the refund is another
    "phone_unknown",  # the lot booked a payment by phone that nobody made
    "charge",  # a coupon was used, its merchant's ledger has another amount (fen)
    "charge_min",  # the same in minutes
)


@dataclass(frozen=True, slots=True)
class StayBook:
    """A stay that ended, and beside it what payments, redemptions and debts say of it. Fen."""

    stay_id: str
    fee: int
    discount: int
    waived: int
    paid: int
    owed: int
    taken: int
    redeemed: int
    debts: int


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """A fee paid by phone: the order, what the lot said (*booked*), its payment, and what went back. Fen."""

    payment_id: str
    paid: int
    booked: bool
    used: int
    back: int
    taken: int
    returned: int


@dataclass(frozen=True, slots=True)
class UseBook:
    """A coupon's use and its entry in the ledger; *unit* FEN or MIN, *lost*: at the operator's expense."""

    subject: str
    charge: int
    posted: int
    unit: str
    lost: bool


@dataclass(frozen=True, slots=True)
class LotDay:
    """Everything of one lot and day. *unknown*: payments by phone without an order; *by_method*: fen taken that day."""

    stays: Sequence[StayBook] = ()
    phone: Sequence[PhoneBook] = ()
    uses: Sequence[UseBook] = ()
    unknown: Sequence[tuple[str, int]] = ()
    by_method: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """Two books that should tell the same: *here* is the side of stays and orders, *there* the other."""

    kind: str
    subject: str
    here: int
    there: int


@dataclass(frozen=True, slots=True)
class Sums:
    """A lot's day in figures: fen, but *cars*, *orders* and the minutes. Names of a side as in the books above."""

    cars: int = 0
    fee: int = 0
    discount: int = 0
    waived: int = 0
    paid: int = 0
    owed: int = 0
    taken: int = 0
    redeemed: int = 0
    debts: int = 0
    cash: int = 0  # taken that day, whatever for
    phone: int = 0
    orders: int = 0
    ordered: int = 0
    used: int = 0
    back: int = 0
    told: int = 0
    returned: int = 0
    charged: int = 0
    posted: int = 0
    charged_min: int = 0
    posted_min: int = 0
    lost: int = 0
    lost_posted: int = 0

    def as_json(self) -> dict[str, int]:
        """As it is kept."""
        return asdict(self)

    def chain(self) -> list[tuple[str, int, int]]:
        """Every link and its two sides, from the order of a payer to the ledger of a merchant."""
        return [
            ("ordered", self.ordered, self.used + self.back),
            ("used", self.used, self.told),
            ("back", self.back, self.returned),
            ("fee", self.fee, self.discount + self.waived + self.paid + self.owed),
            ("paid", self.paid, self.taken),
            ("owed", self.owed, self.debts),
            ("discount", self.discount, self.redeemed),
            ("charged", self.charged, self.posted),
            ("charged_min", self.charged_min, self.posted_min),
            ("lost", self.lost, self.lost_posted),
        ]


def sums(day: LotDay) -> Sums:
    """The day's figures."""
    by_phone = day.by_method.get("phone", 0)
    fen = [one for one in day.uses if one.unit == "FEN" and not one.lost]
    minutes = [one for one in day.uses if one.unit == "MIN"]
    lost = [one for one in day.uses if one.lost]
    of_stays = ("fee", "discount", "waived", "paid", "owed", "taken", "redeemed", "debts")
    return Sums(
        cars=len(day.stays),
        **{name: sum(getattr(one, name) for one in day.stays) for name in of_stays},
        cash=sum(day.by_method.values()) - by_phone,
        phone=by_phone,
        orders=len(day.phone),
        ordered=sum(one.paid for one in day.phone),
        used=sum(one.used for one in day.phone),
        back=sum(one.back for one in day.phone),
        told=sum(one.taken for one in day.phone) + sum(amount for _, amount in day.unknown),
        returned=sum(one.returned for one in day.phone),
        charged=sum(one.charge for one in fen),
        posted=sum(one.posted for one in fen),
        charged_min=sum(one.charge for one in minutes),
        posted_min=sum(one.posted for one in minutes),
        lost=sum(one.charge for one in lost),
        lost_posted=sum(one.posted for one in lost),
    )


def compare(day: LotDay) -> list[Difference]:
    """Every difference, sorted."""
    unknown = [Difference("phone_unknown", payment_id, 0, fen) for payment_id, fen in day.unknown]
    pairs = (*_of_stays(day.stays), *_of_phone(day.phone), *_of_uses(day.uses))
    return sorted([*(one for one in pairs if one.here != one.there), *unknown])


def _of_stays(stays: Sequence[StayBook]) -> Iterator[Difference]:
    for one in stays:
        yield Difference("stay_sum", one.stay_id, one.fee, one.discount + one.waived + one.paid + one.owed)
        yield Difference("stay_paid", one.stay_id, one.paid, one.taken)
        yield Difference("stay_coupons", one.stay_id, one.discount, one.redeemed)
        yield Difference("stay_debt", one.stay_id, one.owed, one.debts)


def _of_phone(phone: Sequence[PhoneBook]) -> Iterator[Difference]:
    for one in phone:
        if not one.booked:
            yield Difference("phone_unbooked", one.payment_id, one.paid, 0)
            continue
        yield Difference("phone_split", one.payment_id, one.paid, one.used + one.back)
        yield Difference("phone_taken", one.payment_id, one.used, one.taken)
        yield Difference("phone_back", one.payment_id, one.back, one.returned)


def _of_uses(uses: Sequence[UseBook]) -> Iterator[Difference]:
    for one in uses:
        yield Difference("charge" if one.unit == "FEN" else "charge_min", one.subject, one.charge, one.posted)
