"""What was given and what it took off: usage records at once, discount records once the car has left (S2.22, S2.23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, case, func, literal, select

from cloud.coupons.life import State
from cloud.coupons.tables import coupon, coupon_template, redemption
from cloud.lots import service as lots
from cloud.reach import EVERY, Lots
from domain.coupon.model import CouponKind

KINDS = tuple(kind.value for kind in CouponKind)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which records: of a merchant and a branch (0: all), part of a plate or serial, kind, state, a time (UTC ms)."""

    merchant_id: int | None = None
    branch_id: int = 0
    search: str = ""
    kind: str = ""
    state: str = ""
    from_ms: int | None = None
    until_ms: int | None = None


def usage(operator_id: int, sought: Sought) -> Select[Any]:
    """Every coupon given, newest first, with the name of its template."""
    return _all(operator_id, sought, coupon.c.issued_ms).order_by(coupon.c.issued_ms.desc(), coupon.c.coupon_id)


def discounts(operator_id: int, sought: Sought) -> Select[Any]:
    """What took something off the fee of a car that has left, newest first."""
    gone = _all(operator_id, sought, coupon.c.redeemed_ms).where(
        coupon.c.redeemed_ms.is_not(None),  # as the index says it
        coupon.c.state == State.REDEEMED.value,
        lots.has_left(operator_id, _STAY),
    )
    return gone.order_by(coupon.c.redeemed_ms.desc(), coupon.c.coupon_id)


_USED_IN = (
    select(redemption.c.stay_id)
    .where(redemption.c.subject == literal("coupon:") + coupon.c.coupon_id, redemption.c.restored_ms.is_(None))
    .limit(1)
    .correlate(coupon)  # also where it stands within another question
    .scalar_subquery()
)
_STAY = func.coalesce(func.nullif(coupon.c.stay_id, ""), _USED_IN, "")
"""The stay a coupon was given for, or, of one tied to a plate before the car came (S1.36), the one it was used in."""


def _all(operator_id: int, sought: Sought, when: Any) -> Select[Any]:
    query = (
        select(coupon, coupon_template.c.name.label("template_name"), _STAY.label("of_stay"))
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(coupon.c.operator_id == operator_id)
    )
    if sought.merchant_id is not None:
        query = query.where(coupon.c.merchant_id == sought.merchant_id)
    if sought.branch_id:
        query = query.where(coupon.c.branch_id == sought.branch_id)
    if sought.search:
        like = f"%{sought.search}%"
        query = query.where(coupon.c.serial.like(like) | coupon.c.plate.like(like))
    if sought.kind:
        query = query.where(coupon.c.kind == sought.kind)
    if sought.state:
        query = query.where(_is_shown(sought.state))
    if sought.from_ms is not None:
        query = query.where(when >= sought.from_ms)
    if sought.until_ms is not None:
        query = query.where(when < sought.until_ms)
    return query


def shown(row: Mapping[str, Any] | RowMapping) -> str:
    """The state of a coupon's row as people are told it: past its end it is expired, whoever has to confirm that."""
    return State.EXPIRED.value if row["is_expired"] and row["state"] == State.BOUND.value else str(row["state"])


def _is_shown(state: str) -> ColumnElement[bool]:
    """Is a coupon told of in *state*? Expired are also those whose lot has not confirmed it."""
    over = coupon.c.is_expired & (coupon.c.state == State.BOUND.value)
    if state == State.EXPIRED:
        return over | coupon.c.state.in_((State.EXPIRED.value, State.EXPIRING.value))
    return (coupon.c.state == state) & ~over


QUARTER_MS = 900_000


def counted(condition: Any) -> Any:
    """How many rows meet a condition, 0 where there are none."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def funnel(operator_id: int, from_ms: int, until_ms: int, within: Lots = EVERY) -> Select[Any]:
    """Of the coupons given in a time: how many there are, are tied to a car, were used, ran out or were taken back."""
    used, back = (
        coupon.c.state == State.REDEEMED.value,
        coupon.c.state.in_((State.VOIDED.value, State.VOID_PENDING.value)),
    )
    return select(
        func.count().label("issued"),
        counted(coupon.c.plate != "").label("bound"),
        counted(used).label("redeemed"),
        counted((coupon.c.is_expired | (coupon.c.state == State.RECLAIMED.value)) & ~used & ~back).label("expired"),
        counted(back).label("voided"),
    ).where(
        coupon.c.operator_id == operator_id,
        within.hold(coupon.c.lot_id),
        coupon.c.issued_ms >= from_ms,
        coupon.c.issued_ms < until_ms,
    )


def by_quarter(operator_id: int, from_ms: int, until_ms: int, within: Lots = EVERY) -> Select[Any]:
    """Fen taken off and coupons used by merchant and quarter of an hour: days of any time zone are sums of these."""
    quarter = (coupon.c.redeemed_ms // QUARTER_MS).label("quarter")
    return (
        select(
            coupon.c.merchant_id,
            quarter,
            func.sum(coupon.c.off_fen).label("off_fen"),
            func.count().label("coupons"),
        )
        .where(
            coupon.c.operator_id == operator_id,
            within.hold(coupon.c.lot_id),
            coupon.c.state == State.REDEEMED.value,
            coupon.c.redeemed_ms >= from_ms,
            coupon.c.redeemed_ms < until_ms,
        )
        .group_by(coupon.c.merchant_id, quarter)
    )
