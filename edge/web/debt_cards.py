"""What a person needs to see of a debt: read in one go on the database thread, shaped for the templates."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.db import arrears, decisions, stays
from edge.db.arrears import Debt, Move
from edge.db.stays import StayRow


@dataclass(frozen=True, slots=True)
class DebtCard:
    """A debt with the visit that left it; *entry* and *exit* name the decisions whose pictures are kept."""

    debt: Debt
    stay: StayRow | None
    entry: str
    exit: str
    moves: tuple[Move, ...] = ()
    others: tuple[Debt, ...] = ()
    due_fen: int = 0  # what the plate may be asked for in all


def debt_cards(conn: sqlite3.Connection, debts: list[Debt]) -> list[DebtCard]:
    """Rows of a list."""
    return [_card(conn, debt) for debt in debts]


def debt_card(conn: sqlite3.Connection, debt_id: str) -> DebtCard | None:
    """One debt with what became of it, and what else its plate owes."""
    debt = arrears.get(conn, debt_id)
    if debt is None:
        return None
    others = tuple(one for one in arrears.of_plate(conn, debt.plate) if one.debt_id != debt_id)
    due = sum(one.left_fen for one in (debt, *others) if one.state == arrears.OPEN)
    return _card(conn, debt, tuple(arrears.moves(conn, debt_id)), others, due)


def _card(
    conn: sqlite3.Connection, debt: Debt, moves: tuple[Move, ...] = (), others: tuple[Debt, ...] = (), due: int = 0
) -> DebtCard:
    stay = stays.get(conn, debt.stay_id)
    shown = (stay.decision_in, stay.decision_out) if stay else ("", "")
    entry, left = (one if one and "frame" in decisions.picture_kinds(conn, one) else "" for one in shown)
    return DebtCard(debt, stay, entry, left, moves, others, due)
