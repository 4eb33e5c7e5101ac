"""When, where and with what coupons of a template hold (E6, E9, E10, E12), and a lot's ways with coupons.

Both travel as JSON values: what a row does not say limits nothing, and no row can stop a lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.coupon.model import CouponKind, CouponRules, Stacking, Validity
from domain.wire import canonical

MINUTES_A_DAY: Final = 24 * 60
MOST_USES: Final = 60
MOST_MINUTES: Final = 400 * MINUTES_A_DAY
AMOUNT_FIRST: Final = (
    CouponKind.FREE_UNTIL,
    CouponKind.DURATION,
    CouponKind.AMOUNT,
    CouponKind.PERCENT,
    CouponKind.FULL_WAIVER,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The small print of a template. Dates are lot-local days, both included; hours and *until* are minutes of the day.

    *hours* go past midnight where the end is before the beginning. *leave_within* counts minutes from issue (0: any
    time). *until* is where FREE_UNTIL ends. *uses*: a coupon of it serves so many stays. *per_stay*: at most so many of
    it on one stay. *max_minutes*: with it the time coupons of a stay cover so many minutes at most (0: any).
    """

    begins: str = ""
    ends: str = ""
    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    lots: tuple[int, ...] = ()
    min_stay: int = 0
    leave_within: int = 0
    until: int = -1
    uses: int = 1
    alone: bool = False
    per_stay: int = 0
    max_minutes: int = 0

    @property
    def is_sound(self) -> bool:
        """Could anybody mean this?"""
        days = [_day(text) for text in (self.begins, self.ends)]
        return (
            all((day is None) == (not text) for day, text in zip(days, (self.begins, self.ends), strict=True))
            and (days[0] is None or days[1] is None or days[0] <= days[1])
            and all(0 <= day <= 6 for day in self.weekdays)
            and all(0 <= part < MINUTES_A_DAY for span in self.hours for part in span)
            and all(begins != ends for begins, ends in self.hours)
            and all(0 <= minutes <= MOST_MINUTES for minutes in (self.min_stay, self.leave_within, self.max_minutes))
            and -1 <= self.until < MINUTES_A_DAY
            and 1 <= self.uses <= MOST_USES
            and 0 <= self.per_stay <= MOST_USES
        )

    def values(self) -> dict[str, Any]:
        """JSON values of what differs from a plain template."""
        return {
            one.name: _plain(getattr(self, one.name)) for one in fields(self) if getattr(self, one.name) != one.default
        }

    @property
    def validity(self) -> Validity:
        """What the exit judges."""
        first, last = _day(self.begins), _day(self.ends)
        return Validity(
            datetime.combine(first, time.min) if first else None,
            datetime.combine(last, time(23, 59)) if last else None,
            self.weekdays,
            self.hours,
            self.lots,
            self.min_stay,
            self.leave_within or None,
        )

    def stacking(self, template_id: int) -> Stacking:
        """With what it may be used; one use of a pass is enough for a stay."""
        most = 1 if self.uses > 1 else self.per_stay or None
        return Stacking(self.alone, str(template_id), most)

    def free_until(self, issued: datetime) -> datetime | None:
        """The first time of day *until* after *issued* (lot-local), None where there is none."""
        if self.until < 0:
            return None
        same_day = datetime.combine(issued.date(), time(*divmod(self.until, 60)))
        return same_day if same_day > issued else same_day + timedelta(days=1)


PLAIN: Final = Terms()


def terms_of(values: Mapping[str, Any] | None) -> Terms:
    """The terms that gave *values*. Raises ValueError or TypeError for what is no terms."""
    known = dict(values or {})
    for name in ("weekdays", "lots"):
        known[name] = tuple(int(one) for one in known.get(name, ()))
    known["hours"] = tuple((int(begins), int(ends)) for begins, ends in known.get("hours", ()))
    terms = Terms(**{one.name: known[one.name] for one in fields(Terms) if one.name in known})
    if not terms.is_sound:
        raise ValueError("terms nobody can mean")
    return terms


class Late(StrEnum):
    """What becomes of a coupon for a car that has already paid."""

    REFUSE = "refuse"  # it would take nothing off any more
    ALLOW = "allow"  # it is given all the same, for what the stay may still come to owe
    REFUND = "refund"  # the fee is worked out anew with it, and the difference goes back by the way it was paid


_LATE: Final = frozenset(Late)


@dataclass(frozen=True, slots=True)
class LotWays:
    """How a lot uses several coupons on one stay (E6), and what it does when one comes too late. 0: no limit.

    *back_most_fen*: a stay gets back no more than so much for coupons that came too late; 0 gives nothing back.
    *cash_back*: what was paid in cash goes back too, from a drawer at the booth.
    """

    max_coupons: int = 0
    amount_first: bool = False
    one_kind: bool = False
    late: Late = Late.REFUSE
    back_most_fen: int = 0
    cash_back: bool = False

    def values(self) -> dict[str, Any]:
        """JSON values of what differs from the usual."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}

    def text(self, lot_id: int) -> str:
        """The lot's number and its ways, for the record of a decision."""
        return canonical({"lot": lot_id, **self.values()}).decode()

    @property
    def rules(self) -> CouponRules:
        """What the exit's choice goes by."""
        return CouponRules(
            AMOUNT_FIRST if self.amount_first else tuple(CouponKind),
            self.max_coupons or None,
            tuple(frozenset({kind}) for kind in CouponKind) if self.one_kind else None,
        )


USUAL: Final = LotWays()


def ways_of(values: Mapping[str, Any] | None) -> LotWays:
    """A lot's ways from JSON values; what is missing or makes no sense is as usual."""
    if not values:
        return USUAL
    most, late, back_most = (values.get(name) for name in ("max_coupons", "late", "back_most_fen"))
    return LotWays(
        max(0, most) if type(most) is int else 0,
        values.get("amount_first") is True,
        values.get("one_kind") is True,
        Late(late) if late in _LATE else Late.REFUSE,
        max(0, back_most) if type(back_most) is int else 0,
        values.get("cash_back") is True,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
