"""Cash given back to drivers; only ever added to."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.db import trade

TABLES = """
CREATE TABLE refund (refund_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL, account TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), by TEXT NOT NULL, approved_by TEXT NOT NULL,
    reason TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX refund_stay ON refund (stay_id);
"""


@dataclass(frozen=True, slots=True)
class Refund:
    """*account* of the book it came out of: ``held`` while the stay was open, ``refunded`` once it was closed."""

    refund_id: str
    stay_id: str
    account: str
    amount_fen: int
    by: str
    approved_by: str
    reason: str
    wall_ms: int


def statements() -> list[str]:
    """The table; nothing in it is ever changed."""
    return [part for part in TABLES.split(";") if part.strip()] + trade.guards("refund")


def insert(conn: sqlite3.Connection, row: Refund) -> None:
    """Keep one. Raises sqlite3.IntegrityError when its id is known."""
    values = (
        row.refund_id, row.stay_id, row.account, row.amount_fen, row.by, row.approved_by, row.reason, row.wall_ms
    )  # fmt: skip
    conn.execute("INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def get(conn: sqlite3.Connection, refund_id: str) -> Refund | None:
    """One of them."""
    row = conn.execute("SELECT * FROM refund WHERE refund_id = ?", (refund_id,)).fetchone()
    return Refund(**dict(row)) if row else None


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[Refund]:
    """What was given back for a stay, in order."""
    rows = conn.execute("SELECT * FROM refund WHERE stay_id = ? ORDER BY wall_ms, refund_id", (stay_id,))
    return [Refund(**dict(row)) for row in rows]


def cash_of(conn: sqlite3.Connection, stay_id: str) -> int:
    """Fen of cash a stay itself was paid with, what went into debts left out and nothing given back yet."""
    row = conn.execute(
        "SELECT coalesce(sum(amount_fen - (SELECT coalesce(sum(debt_move.amount_fen), 0) FROM debt_move"
        " WHERE debt_move.payment_id = payment.payment_id)), 0)"
        " FROM payment WHERE stay_id = ? AND method = 'cash'",
        (stay_id,),
    ).fetchone()
    return int(row[0])
