"""What an edge that takes another's place must know of coupons and vouchers (sync §5)."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from cloud.coupons import expiring_papers
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, redemption, voucher
from cloud.sync.channels import put_row
from domain.takeover import Used

ENDED = (State.REDEEMED, State.VOIDED, State.RECLAIMED, State.EXPIRED)
WITHDRAWN = (State.VOID_PENDING.value, State.EXPIRING.value)  # and the lot has not confirmed it


def move_to_edge(conn: Connection, operator_id: int, before: str, edge_id: str, now_ms: int) -> None:
    """Let the edge that took another's place redeem what that one could, and tell it what is not good any more.

    Voids and ends the dead edge never confirmed wait for the new one, which cannot have used those coupons.
    """
    alive = coupon.c.state.not_in([*(state.value for state in ENDED), *WITHDRAWN])
    conn.execute(update(coupon).where(coupon.c.edge_id == before, alive).values(edge_id=edge_id))
    pending = (coupon.c.edge_id == before) & (coupon.c.state.in_(WITHDRAWN))
    for coupon_id in conn.execute(select(coupon.c.coupon_id).where(pending)).scalars().all():
        version = put_row(conn, operator_id, edge_id, "coupons", coupon_id, None, now_ms)
        conn.execute(
            update(coupon).where(coupon.c.coupon_id == coupon_id).values(edge_id=edge_id, void_version=version)
        )
    its = (voucher.c.edge_id == before) & (voucher.c.state == State.EXPIRING.value)
    for paper in conn.execute(select(voucher).where(its)).mappings().all():
        expiring_papers.tell(conn, paper, edge_id, now_ms)
    withdrawn = select(voucher.c.key_id, voucher.c.counter).where(voucher.c.edge_id == before)
    for key_id, counter in conn.execute(withdrawn.where(voucher.c.state == "VOIDED")).all():
        put_row(conn, operator_id, edge_id, "vstate", f"{key_id}:{counter}", {"state": "VOIDED"}, now_ms)


def vouchers_used(conn: Connection, operator_id: int, lot_id: int) -> list[Used]:
    """Vouchers of a lot that were redeemed: they open nothing any more, at no edge."""
    rows = conn.execute(
        select(redemption).where(
            redemption.c.operator_id == operator_id, redemption.c.lot_id == lot_id, redemption.c.charged,
            redemption.c.restored_ms.is_(None),
            redemption.c.subject.like("voucher:%"),
        ).order_by(redemption.c.redeemed_ms)
    )  # fmt: skip
    found = []
    for row in rows:
        key_id, _, counter = row.subject.removeprefix("voucher:").partition("-")
        found.append(
            Used(int(key_id), int(counter), row.redemption_id, row.stay_id, int(row.off_fen), int(row.redeemed_ms))
        )
    return found
