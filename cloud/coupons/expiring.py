"""Coupons past their time: told of at once, and taken back a day later, as a person would void them (E3)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, update

from cloud.coupons import hearing
from cloud.coupons.life import State
from cloud.coupons.reserving import carry
from cloud.coupons.tables import coupon
from cloud.coupons.voiding import CLOUD, reclaim, used_aside
from cloud.merchants import ledger
from cloud.sync.channels import put_row
from domain.ledger import OUTSTANDING, VOID_PENDING

GRACE_MS: Final = 24 * 3_600_000
"""A lot's clock may be behind, and a car that settled with a coupon in time may leave after the coupon's end."""
AT_ONCE: Final = 200  # coupons in one transaction


def record_expiries(conn: Connection, operator_id: int, now_ms: int) -> int:
    """Mark coupons past their time and tell of each, once. What nobody claimed, no lane can use: that is given back."""
    reclaim(conn, operator_id, now_ms)
    late = (
        (coupon.c.operator_id == operator_id)
        & (coupon.c.state == State.BOUND.value)
        & (coupon.c.expires_ms < now_ms)
        & coupon.c.is_expired.is_(False)
    )
    rows = conn.execute(select(coupon).where(late).with_for_update()).mappings().all()
    if rows:
        conn.execute(update(coupon).where(late).values(is_expired=True))
    for row in rows:
        hearing.tell(conn, row, now_ms, "coupon.expired")
    return len(rows)


def withdraw_expired(conn: Connection, operator_id: int, now_ms: int) -> int:
    """Withdraw up to ``AT_ONCE`` unused coupons that ended more than the grace ago; returns how many.

    Their value returns as that of voids does, once the lot provably knows (``voiding.release_voids``); a use that comes
    up before that is charged. One whose use was reported and set aside counts as used and stays (I16).
    """
    over = select(coupon).where(
        coupon.c.operator_id == operator_id,
        coupon.c.state == State.BOUND.value,
        coupon.c.is_expired,
        coupon.c.expires_ms < now_ms - GRACE_MS,
    )
    if conn.execute(over.limit(1)).first() is None:
        return 0
    unused = over.where(coupon.c.coupon_id.not_in(used_aside(conn, operator_id)))
    rows = conn.execute(unused.order_by(coupon.c.coupon_id).limit(AT_ONCE).with_for_update()).mappings().all()
    for row in rows:
        coupon_id, edge_id = row["coupon_id"], row["edge_id"]
        version = put_row(conn, operator_id, edge_id, "coupons", coupon_id, None, now_ms)
        gone = {"state": State.EXPIRING.value, "void_version": version}
        conn.execute(update(coupon).where(coupon.c.coupon_id == coupon_id).values(**gone))
        once = f"expire:{coupon_id}:{edge_id}:{version}"  # again after a use that was taken back: another version
        entry = ledger.Entry(
            operator_id, row["merchant_id"], once, "coupon.expired", row["serial"], CLOUD, now_ms, "expired"
        )
        ledger.post(conn, entry, carry(row, OUTSTANDING, VOID_PENDING))
    return len(rows)
