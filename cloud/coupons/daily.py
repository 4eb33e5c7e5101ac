"""What an account of a merchant's staff may still give today (E20)."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, or_, select

from cloud.access import staff
from cloud.act import Act, Refused
from cloud.coupons.reserving import RESERVED
from cloud.coupons.tables import coupon
from cloud.coupons.voiding import UNCLAIMED
from cloud.days import today_began_ms
from cloud.lots import service as lots
from cloud.merchants.contracts import Cost
from domain.ledger import Commodity


def refusal(
    conn: Connection, act: Act, merchant_id: int, lot_id: int, count: int, cost: Cost, uses: int = 1
) -> Refused | None:
    """Why whoever acts may not give *count* more today, by the day of the lot; each costs *uses* times *cost*.

    Codes on a screen, papers and coupons of a poster count as those given straight to a car, by whoever made or put up
    what they came from. Voided ones count: they were given; a code that nobody claimed and that is gone does not.

    Callers hold the merchant's row, so two of the staff's own windows cannot both take the last one.
    """
    most = staff.daily_of(conn, act.operator_id, act.by)
    return None if most is None else over(conn, act, most, merchant_id, lot_id, count, cost, uses)


def over(
    conn: Connection, act: Act, most: staff.Daily, merchant_id: int, lot_id: int, count: int, cost: Cost, uses: int
) -> Refused | None:
    """The same where the limits of the account are known."""
    zone = lots.zone_of(conn, act.operator_id, lot_id)
    whole = case((coupon.c.pass_id == "", coupon.c.coupon_id), else_=coupon.c.pass_id)  # a pass is one coupon
    held_for = func.coalesce(func.sum(sum(coupon.c[name] for name in RESERVED.values())), 0)
    given = select(func.count(whole.distinct()), held_for).where(
        coupon.c.operator_id == act.operator_id,
        coupon.c.merchant_id == merchant_id,
        coupon.c.issued_ms >= today_began_ms(act.now_ms, zone),
        coupon.c.issued_by == act.by,
        or_(coupon.c.bound_ms.is_not(None), coupon.c.state.in_([state.value for state in UNCLAIMED])),
    )
    times = conn.execute(given).one()[0]
    if most.coupons is not None and times + count > most.coupons:
        return Refused("staff_coupons", {"most": most.coupons, "left": max(0, most.coupons - times)})
    if most.fen is None or cost.commodity is not Commodity.FEN:
        return None
    held = int(conn.execute(given.where(coupon.c.commodity == Commodity.FEN.value)).one()[1])
    if held + count * uses * cost.amount > most.fen:
        return Refused("staff_fen", {"left": max(0, most.fen - held)})
    return None
