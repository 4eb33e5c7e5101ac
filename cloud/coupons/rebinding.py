"""A bound coupon moved to another plate: the driver mistyped, or another car is meant (E4).

One edge may use the coupon, and it holds one row of it. If a lane uses it for the old plate before it hears of the new
one, it is used: once, and for that car.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import limiting, wallets
from cloud.coupons.issuing import tell_again
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, coupon_rebind, coupon_template
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.sync import parked
from domain.driver_page import typed_plate
from domain.events import CouponRedeemed
from domain.plate import mask

MOST_REBINDS = 3
DRIVER_MS = 15 * 60_000  # how long after the claim a driver may do it, once
MISTYPED = "mistyped"


def by_merchant(
    conn: Connection, act: Act, coupon_id: str, typed: str, reason: str, merchant_id: int | None
) -> Refused | None:
    """With a reason, at most three times for one coupon; None as *merchant_id*: by the operator."""
    row = _bound(conn, act, coupon_id)
    if row is None or merchant_id not in (None, row["merchant_id"]):
        return Refused("coupon_unknown")
    plate, problem = typed_plate(typed)
    if problem:
        return Refused("plate_malformed", {"plate": typed})
    if not reason.strip():
        return Refused("reason_missing")
    if len(moves(conn, coupon_id)) >= MOST_REBINDS:
        return Refused("rebind_limit", {"most": MOST_REBINDS})
    return _rebind(conn, act, row, plate, reason.strip())


def by_driver(conn: Connection, act: Act, coupon_id: str, plate: str, phone: str) -> Refused | None:
    """On the phone that claimed it, once, within a quarter of an hour."""
    row = _bound(conn, act, coupon_id)
    if row is None or not wallets.holds(conn, phone, row["wallet_id"]):
        return Refused("coupon_unknown")
    if moves(conn, coupon_id) or act.now_ms - (row["bound_ms"] or 0) > DRIVER_MS:
        return Refused("rebind_too_late")
    return _rebind(conn, act, row, plate, MISTYPED)


def _bound(conn: Connection, act: Act, coupon_id: str) -> RowMapping | None:
    query = select(coupon).where(coupon.c.coupon_id == coupon_id, coupon.c.operator_id == act.operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def _rebind(conn: Connection, act: Act, row: RowMapping, plate: str, reason: str) -> Refused | None:
    if row["state"] != State.BOUND.value or act.now_ms > row["expires_ms"]:
        return Refused("coupon_not_rebindable")
    if plate == row["plate"]:
        return Refused("rebind_same_plate")
    used = parked.payloads(conn, row["edge_id"], CouponRedeemed.TYPE)
    if any(one.get("coupon_id") == row["coupon_id"] for one in used):
        return Refused("coupon_in_parked_event")
    stay = lots.open_stay_of(conn, act.operator_id, row["lot_id"], plate)
    if stay is None and not _waits(conn, row["template_id"]):
        return Refused("claim_not_inside")
    stay_id, this = "" if stay is None else stay["stay_id"], coupon.c.coupon_id == row["coupon_id"]
    merchants.get(conn, act.operator_id, row["merchant_id"])  # locked, as the limits ask
    ask = limiting.Ask(row["lot_id"], row["merchant_id"], row["template_id"], plate, stay_id)
    over = limiting.refusal(conn, act, ask)
    if over is not None:
        return over
    conn.execute(update(coupon).where(this).values(plate=plate, stay_id=stay_id))
    moved = {"from_plate": row["plate"], "to_plate": plate, "from_stay": row["stay_id"], "to_stay": stay_id}
    by = {"operator_id": act.operator_id, "made_by": act.by, "made_ms": act.now_ms, "reason": reason}
    conn.execute(insert(coupon_rebind).values(coupon_id=row["coupon_id"], **moved, **by))
    tell_again(conn, conn.execute(select(coupon).where(this)).mappings().one(), act.now_ms)
    before, after = {"plate": mask(row["plate"])}, {"plate": mask(plate)}
    audit.record(conn, act, "coupon.rebound", f"coupon:{row['serial']}", before=before, after=after, reason=reason)
    return None


def _waits(conn: Connection, template_id: int) -> bool:
    query = select(coupon_template.c.before_entry).where(coupon_template.c.template_id == template_id)
    return bool(conn.execute(query).scalar_one())


def moves(conn: Connection, coupon_id: str) -> Sequence[RowMapping]:
    """Every plate the coupon was moved to, the first first."""
    query = select(coupon_rebind).where(coupon_rebind.c.coupon_id == coupon_id)
    return conn.execute(query.order_by(coupon_rebind.c.rebind_id)).mappings().all()
