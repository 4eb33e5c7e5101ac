"""All unused coupons of a merchant taken back at once: the operator's choice when it disables one or ends its service
to a lot (E18).
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from cloud.act import Act
from cloud.coupons.life import MOVES, State
from cloud.coupons.tables import coupon
from cloud.coupons.voiding import UNCLAIMED, void

_OUT = [state.value for state, moves in MOVES.items() if State.VOID_PENDING in moves or state in UNCLAIMED]


def withdraw_unused(conn: Connection, act: Act, merchant_id: int, reason: str, lot_id: int = 0) -> int:
    """Void every coupon of a merchant that is out and not used, codes and sheets nobody claimed with them.

    *lot_id*: those of one lot alone, and no code that is good elsewhere too. Returns how many went.
    One whose use a lot reported and that was set aside counts as used and stays (I16).
    """
    out = select(coupon.c.coupon_id).where(
        coupon.c.merchant_id == merchant_id, coupon.c.operator_id == act.operator_id, coupon.c.state.in_(_OUT)
    )
    if lot_id:
        elsewhere = coupon.c.anywhere & coupon.c.state.in_([state.value for state in UNCLAIMED])
        out = out.where(coupon.c.lot_id == lot_id, ~elsewhere)
    found = conn.execute(out.order_by(coupon.c.coupon_id)).scalars().all()
    return sum(void(conn, act, coupon_id, reason, merchant_id) is None for coupon_id in found)
