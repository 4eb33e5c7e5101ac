"""What an edge that takes another's place must know of cars, payments and debts of its lot (sync §5)."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, func, select

from cloud.lots import arrears
from cloud.lots.tables import debt_move, payment, stay
from domain.takeover import Owed, Paid


def stays_inside(conn: Connection, lot_id: int) -> list[RowMapping]:
    """Every open stay of the lot, the longest first."""
    query = select(stay).where(stay.c.lot_id == lot_id, stay.c.left_ms.is_(None), stay.c.entered_ms.is_not(None))
    return list(conn.execute(query.order_by(stay.c.entered_ms, stay.c.stay_id)).mappings())


def paid_inside(conn: Connection, lot_id: int) -> list[Paid]:
    """What was taken for stays that are still open; what went into debts or back to who paid is left out."""
    query = (
        select(payment)
        .join(stay, stay.c.stay_id == payment.c.stay_id)
        .where(payment.c.lot_id == lot_id, stay.c.left_ms.is_(None), stay.c.entered_ms.is_not(None))
        .order_by(payment.c.taken_ms, payment.c.payment_id)
    )
    rows = conn.execute(query).all()
    back = {row.stay_id: 0 for row in rows}
    for row in rows:
        back[row.stay_id] -= min(0, row.amount_fen)
    found = []
    for row in rows:
        amount = max(0, row.amount_fen - _gone_into_debts(conn, row.payment_id))
        gone = min(amount, back[row.stay_id])
        back[row.stay_id] -= gone
        if amount > gone:
            found.append(Paid(row.payment_id, row.stay_id, row.method, amount - gone, row.taken_by, row.taken_ms))
    return found


def _gone_into_debts(conn: Connection, payment_id: str) -> int:
    query = select(func.coalesce(func.sum(debt_move.c.amount_fen), 0)).where(debt_move.c.payment_id == payment_id)
    return int(conn.execute(query).scalar_one())


def owed(conn: Connection, operator_id: int, lot_id: int) -> list[Owed]:
    """What plates still owe at the lot."""
    return [
        Owed(row["debt_id"], row["stay_id"], row["plate"], row["cause"], row["left_fen"], state, row["recorded_ms"])
        for state in (arrears.OPEN, arrears.DISPUTED)
        for row in arrears.every(conn, operator_id, arrears.Sought(state, lot_id=lot_id))
    ]
