"""What plates left owing at an operator's lots, as their edges report it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    select,
)

from cloud.db import paged
from cloud.lots.tables import debt, debt_move, lot, stay
from cloud.reach import EVERY, Lots
from plumbing.web.paging import Page

OPEN, DISPUTED, SETTLED = "open", "disputed", "settled"


@dataclass(frozen=True, slots=True)
class Sought:
    """Debts in one state, with part of a plate in normal form, at one lot or all *within*."""

    state: str = OPEN
    search: str = ""
    lot_id: int | None = None
    within: Lots = EVERY


OPEN_ONES: Final = Sought()


def _debts(operator_id: int) -> Subquery:
    """Every debt with what is left of it and how it stands."""
    said = func.sum(case((debt_move.c.kind == "disputed", 1), (debt_move.c.kind == "upheld", -1), else_=0))
    moved = (
        select(debt_move.c.debt_id, func.sum(debt_move.c.amount_fen).label("gone"), said.label("said"))
        .where(debt_move.c.operator_id == operator_id)
        .group_by(debt_move.c.debt_id)
        .subquery()
    )
    left = debt.c.owed_fen - cast(func.coalesce(moved.c.gone, 0), BigInteger)  # PostgreSQL sums to a decimal
    state = case((left <= 0, SETTLED), (func.coalesce(moved.c.said, 0) > 0, DISPUTED), else_=OPEN)
    return (
        select(
            debt, lot.c.name.label("lot_name"), func.coalesce(stay.c.cause, "").label("cause"), stay.c.entered_ms,
            left.label("left_fen"), state.label("state"),
        )
        .join(lot, lot.c.lot_id == debt.c.lot_id)
        .outerjoin(stay, stay.c.stay_id == debt.c.stay_id)
        .outerjoin(moved, moved.c.debt_id == debt.c.debt_id)
        .where(debt.c.operator_id == operator_id)
        .subquery()
    )  # fmt: skip


def _wanted(debts: Subquery, sought: Sought) -> ColumnElement[bool]:
    wanted: ColumnElement[bool] = (debts.c.state == sought.state) & sought.within.hold(debts.c.lot_id)
    if sought.search:
        wanted = and_(wanted, debts.c.plate.contains(sought.search, autoescape=True))
    return wanted if sought.lot_id is None else and_(wanted, debts.c.lot_id == sought.lot_id)


def arrears(conn: Connection, operator_id: int, sought: Sought = OPEN_ONES, page: int = 1) -> Page[RowMapping]:
    """What was sought, the newest first."""
    return paged(conn, _query(operator_id, sought), page)


def every(conn: Connection, operator_id: int, sought: Sought = OPEN_ONES) -> list[RowMapping]:
    """The whole of such a list, for an export."""
    return list(conn.execute(_query(operator_id, sought)).mappings())


def _query(operator_id: int, sought: Sought) -> Select[tuple[object, ...]]:
    debts = _debts(operator_id)
    query = select(debts).where(_wanted(debts, sought))
    return query.order_by(debts.c.recorded_ms.desc(), debts.c.debt_id)


def left_fen(conn: Connection, operator_id: int, sought: Sought = OPEN_ONES) -> int:
    """What is left of such a list in all, in fen."""
    debts = _debts(operator_id)
    total = select(func.coalesce(func.sum(debts.c.left_fen), 0)).where(_wanted(debts, sought))
    return int(conn.execute(total).scalar_one())


def get(conn: Connection, operator_id: int, debt_id: str, within: Lots = EVERY) -> RowMapping | None:
    """One debt with what is left of it."""
    debts = _debts(operator_id)
    wanted = (debts.c.debt_id == debt_id) & within.hold(debts.c.lot_id)
    return conn.execute(select(debts).where(wanted)).mappings().one_or_none()


def owed_by(conn: Connection, operator_id: int, plate: str) -> int:
    """Sum of what a plate still owes at all lots, disputed or not, in fen."""
    debts = _debts(operator_id)
    total = select(func.coalesce(func.sum(debts.c.left_fen), 0)).where(debts.c.plate == plate)
    return int(conn.execute(total).scalar_one())


def moves(conn: Connection, operator_id: int, debt_id: str) -> list[RowMapping]:
    """What became of a debt, in order."""
    query = select(debt_move).where(debt_move.c.operator_id == operator_id, debt_move.c.debt_id == debt_id)
    return list(conn.execute(query.order_by(debt_move.c.made_ms, debt_move.c.move_id)).mappings())


def wrong(conn: Connection) -> list[str]:
    """Debts of which more became than was owed, and moves of debts nobody recorded."""
    gone = func.sum(debt_move.c.amount_fen)
    beyond = (
        select(debt.c.debt_id)
        .join(debt_move, debt_move.c.debt_id == debt.c.debt_id)
        .group_by(debt.c.debt_id, debt.c.owed_fen)
        .having(gone > debt.c.owed_fen)
    )
    stray = select(debt_move.c.move_id).where(debt_move.c.debt_id.not_in(select(debt.c.debt_id)))
    return [f"debt {debt_id}: more became of it than was owed" for debt_id in conn.execute(beyond).scalars()] + [
        f"move {move_id} is of a debt nobody recorded" for move_id in conn.execute(stray).scalars()
    ]
