"""Fees that a person set by hand; only ever added to."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.db import trade

TABLES = """
CREATE TABLE fee_set (set_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL, before_fen INTEGER NOT NULL,
    fee_fen INTEGER NOT NULL CHECK (fee_fen >= 0), settled_wall_ms INTEGER NOT NULL, by TEXT NOT NULL,
    approved_by TEXT NOT NULL, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX fee_set_stay ON fee_set (stay_id);
"""


@dataclass(frozen=True, slots=True)
class FeeSet:
    """A stay's fee of *before_fen* became *fee_fen*. *settled_wall_ms*: when it had been settled last, 0 for never."""

    set_id: str
    stay_id: str
    before_fen: int
    fee_fen: int
    settled_wall_ms: int
    by: str
    approved_by: str
    reason: str
    wall_ms: int

    @property
    def more_fen(self) -> int:
        """By how much it went up; below 0 where it went down."""
        return self.fee_fen - self.before_fen


def statements() -> list[str]:
    """The table; nothing in it is ever changed."""
    return [part for part in TABLES.split(";") if part.strip()] + trade.guards("fee_set")


def insert(conn: sqlite3.Connection, row: FeeSet) -> None:
    """Keep one. Raises sqlite3.IntegrityError when its id is known."""
    values = (
        row.set_id, row.stay_id, row.before_fen, row.fee_fen, row.settled_wall_ms, row.by, row.approved_by, row.reason,
        row.wall_ms,
    )  # fmt: skip
    conn.execute("INSERT INTO fee_set VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def get(conn: sqlite3.Connection, set_id: str) -> FeeSet | None:
    """One of them."""
    row = conn.execute("SELECT * FROM fee_set WHERE set_id = ?", (set_id,)).fetchone()
    return FeeSet(**dict(row)) if row else None


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[FeeSet]:
    """What was set for a stay, in order."""
    rows = conn.execute("SELECT * FROM fee_set WHERE stay_id = ? ORDER BY wall_ms, set_id", (stay_id,))
    return [FeeSet(**dict(row)) for row in rows]
