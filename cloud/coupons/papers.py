"""Vouchers printed at counters, as records beside the coupons given by the cloud (S2.22, S2.23).

A paper names no branch: a counter spends the merchant's leases, so it counts for the merchant as a whole.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, cast, func, literal, or_, select
from sqlalchemy.types import Text

from cloud.coupons.expiring_papers import OUT
from cloud.coupons.life import MINUTE_MS, State
from cloud.coupons.records import QUARTER_MS, Sought, counted
from cloud.coupons.tables import coupon_template, redemption, voucher
from cloud.reach import EVERY, Lots

STATES = (OUT, State.REDEEMED.value, State.EXPIRING.value, State.EXPIRED.value, State.VOIDED.value)
_OVER = (State.EXPIRING.value, State.EXPIRED.value)
_NUMBER = cast(voucher.c.key_id, Text) + literal("-") + cast(voucher.c.counter, Text)
_ITS_USE = and_(
    redemption.c.subject == literal("voucher:") + _NUMBER, redemption.c.restored_ms.is_(None), redemption.c.charged
)


def usage(operator_id: int, sought: Sought) -> Select[Any]:
    """Every paper printed, the newest first, with its template and the stay it was used in."""
    query = (
        select(
            voucher,
            _NUMBER.label("number"),
            coupon_template.c.name.label("template_name"),
            coupon_template.c.kind,
            coupon_template.c.value,
            redemption.c.redeemed_ms,
            func.coalesce(redemption.c.stay_id, "").label("of_stay"),
        )
        .outerjoin(coupon_template, coupon_template.c.template_id == voucher.c.template_id)
        .outerjoin(redemption, _ITS_USE)
        .where(voucher.c.operator_id == operator_id)
    )
    if sought.merchant_id is not None:
        query = query.where(voucher.c.merchant_id == sought.merchant_id)
    if sought.search:
        query = query.where(_NUMBER.like(f"%{sought.search}%"))
    if sought.kind:
        query = query.where(coupon_template.c.kind == sought.kind)
    if sought.state:
        query = query.where(voucher.c.state == sought.state)
    if sought.from_ms is not None:
        query = query.where(voucher.c.issued_ms >= sought.from_ms)
    if sought.until_ms is not None:
        query = query.where(voucher.c.issued_ms < sought.until_ms)
    return query.order_by(voucher.c.issued_ms.desc(), voucher.c.key_id, voucher.c.counter.desc())


def one(operator_id: int, key_id: int, counter: int) -> Select[Any]:
    """The one paper of a number, as in the list."""
    return usage(operator_id, Sought()).where(voucher.c.key_id == key_id, voucher.c.counter == counter)


def funnel(operator_id: int, from_ms: int, until_ms: int, now_ms: int, within: Lots = EVERY) -> Select[Any]:
    """Of the papers printed in a time: how many there are, were used (so tied to a car), ran out or were withdrawn."""
    used = voucher.c.state == State.REDEEMED.value
    ended = and_(voucher.c.state == OUT, voucher.c.not_after_min * MINUTE_MS < now_ms)
    return select(
        func.count().label("issued"),
        counted(used).label("bound"),
        counted(used).label("redeemed"),
        counted(or_(voucher.c.state.in_(_OVER), ended)).label("expired"),
        counted(voucher.c.state == State.VOIDED.value).label("voided"),
    ).where(
        voucher.c.operator_id == operator_id,
        within.hold(voucher.c.lot_id),
        voucher.c.issued_ms >= from_ms,
        voucher.c.issued_ms < until_ms,
        or_(voucher.c.print_state != "failed", used),
    )


def by_quarter(operator_id: int, from_ms: int, until_ms: int, within: Lots = EVERY) -> Select[Any]:
    """Fen taken off and papers used by merchant and quarter of an hour, as ``records.by_quarter``."""
    quarter = (redemption.c.redeemed_ms // QUARTER_MS).label("quarter")
    return (
        select(
            voucher.c.merchant_id,
            quarter,
            func.sum(redemption.c.off_fen).label("off_fen"),
            func.count().label("coupons"),
        )
        .join(redemption, _ITS_USE)
        .where(
            voucher.c.operator_id == operator_id,
            within.hold(voucher.c.lot_id),
            voucher.c.state == State.REDEEMED.value,
            redemption.c.redeemed_ms >= from_ms,
            redemption.c.redeemed_ms < until_ms,
        )
        .group_by(voucher.c.merchant_id, quarter)
    )
