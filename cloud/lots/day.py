"""What lots told of one day's money: stays that ended, what was taken for them, what they left owing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, func, select

from cloud.bulk import sums_among
from cloud.lots.tables import debt, debt_move, payment, stay


def stays_ended(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> Sequence[RowMapping]:
    """Stays that ended in the time, with their sums."""
    query = select(stay).where(
        stay.c.operator_id == operator_id, stay.c.lot_id == lot_id, stay.c.left_ms >= from_ms, stay.c.left_ms < until_ms
    )
    return conn.execute(query.order_by(stay.c.left_ms, stay.c.stay_id)).mappings().all()


def taken_for(conn: Connection, operator_id: int, lot_id: int, stay_ids: Sequence[str]) -> dict[str, int]:
    """Fen taken for each stay itself: its payments, less the debts of earlier visits they paid."""
    mine = (payment.c.operator_id == operator_id, payment.c.lot_id == lot_id)
    paid = select(payment.c.stay_id, func.sum(payment.c.amount_fen)).where(*mine).group_by(payment.c.stay_id)
    debts = (
        select(payment.c.stay_id, func.sum(debt_move.c.amount_fen))
        .join(debt_move, debt_move.c.payment_id == payment.c.payment_id)
        .where(*mine, debt_move.c.lot_id == lot_id, debt_move.c.kind == "paid")
        .group_by(payment.c.stay_id)
    )
    return _less(conn, paid, debts, payment.c.stay_id, stay_ids)


def owed_for(conn: Connection, operator_id: int, lot_id: int, stay_ids: Sequence[str]) -> dict[str, int]:
    """Fen each stay left owing: its debts, less those taken back with the end of a stay."""
    mine = (debt.c.operator_id == operator_id, debt.c.lot_id == lot_id)
    owed = select(debt.c.stay_id, func.sum(debt.c.owed_fen)).where(*mine).group_by(debt.c.stay_id)
    back = (
        select(debt.c.stay_id, func.sum(debt_move.c.amount_fen))
        .join(debt_move, debt_move.c.debt_id == debt.c.debt_id)
        .where(*mine, debt_move.c.lot_id == lot_id, debt_move.c.kind == "reversed")
        .group_by(debt.c.stay_id)
    )
    return _less(conn, owed, back, debt.c.stay_id, stay_ids)


def taken_in(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> dict[str, dict[str, int]]:
    """Fen of every payment taken in the time, by method and payment."""
    query = select(payment.c.method, payment.c.payment_id, payment.c.amount_fen).where(
        payment.c.operator_id == operator_id, payment.c.lot_id == lot_id,
        payment.c.taken_ms >= from_ms, payment.c.taken_ms < until_ms,
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(query).mappings():
        found.setdefault(row["method"], {})[row["payment_id"]] = row["amount_fen"]
    return found


def amounts(conn: Connection, operator_id: int, lot_id: int, payment_ids: Iterable[str]) -> dict[str, int]:
    """Fen of these payments, whenever they were taken."""
    mine = (payment.c.operator_id == operator_id, payment.c.lot_id == lot_id)
    query = select(payment.c.payment_id, payment.c.amount_fen).where(*mine)
    return sums_among(conn, query, payment.c.payment_id, sorted(payment_ids))


def _less(
    conn: Connection, whole: Select[Any], less: Select[Any], column: Column[Any], ids: Sequence[str]
) -> dict[str, int]:
    """By name, the fen of *whole* without those of *less*."""
    found = sums_among(conn, whole, column, ids)
    for name, fen in sums_among(conn, less, column, ids).items():
        found[name] = found.get(name, 0) - fen
    return found
