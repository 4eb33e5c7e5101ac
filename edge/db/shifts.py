"""Shifts at the booths, and which entries of the book and openings by hand belong to which (E34)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from domain.shift import Leg
from edge.db import trade

ENTRY, OPENING = "entry", "opening"
TABLES = """
CREATE TABLE shift (shift_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, workstation TEXT NOT NULL,
    opened_by TEXT NOT NULL, opened_wall_ms INTEGER NOT NULL, closed_wall_ms INTEGER,
    closed_by TEXT NOT NULL DEFAULT '', takes_over TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    counted_fen INTEGER, expected_fen INTEGER) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shift_open ON shift (workstation) WHERE closed_wall_ms IS NULL;
CREATE TABLE shift_part (kind TEXT NOT NULL CHECK (kind IN ('entry', 'opening')), ref TEXT NOT NULL,
    shift_id TEXT NOT NULL REFERENCES shift (shift_id), PRIMARY KEY (kind, ref)) STRICT, WITHOUT ROWID;
CREATE INDEX shift_part_shift ON shift_part (shift_id, kind);
"""
LOG_COLUMNS = (
    "ALTER TABLE shift ADD COLUMN log_seq INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE shift ADD COLUMN log_head TEXT NOT NULL DEFAULT ''",
)


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift; open while *closed_wall_ms* is None. Money in fen."""

    shift_id: str
    number: int
    workstation: str
    opened_by: str
    opened_wall_ms: int
    closed_wall_ms: int | None = None
    closed_by: str = ""
    takes_over: str = ""
    reason: str = ""
    counted_fen: int | None = None
    expected_fen: int | None = None
    log_seq: int = 0  # where the log stood when it ended, 0 where that was not kept
    log_head: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_wall_ms is None


def statements() -> list[str]:
    """The tables; what belongs to a shift is never changed."""
    return [part for part in TABLES.split(";") if part.strip()] + trade.guards("shift_part")


def insert(conn: sqlite3.Connection, shift_id: str, workstation: str, by: str, now: Moment) -> ShiftRow:
    """Begin a shift under the next number. Raises sqlite3.IntegrityError where one is open at this workstation."""
    number = int(conn.execute("SELECT coalesce(max(number), 0) + 1 FROM shift").fetchone()[0])
    conn.execute(
        "INSERT INTO shift (shift_id, number, workstation, opened_by, opened_wall_ms) VALUES (?, ?, ?, ?, ?)",
        (shift_id, number, workstation, by, now.wall_ms),
    )
    return ShiftRow(shift_id, number, workstation, by, now.wall_ms)


def get(conn: sqlite3.Connection, shift_id: str) -> ShiftRow | None:
    """One shift."""
    row = conn.execute("SELECT * FROM shift WHERE shift_id = ?", (shift_id,)).fetchone()
    return ShiftRow(**dict(row)) if row else None


def open_at(conn: sqlite3.Connection, workstation: str) -> ShiftRow | None:
    """The shift that is open at a workstation."""
    row = conn.execute(
        "SELECT * FROM shift WHERE workstation = ? AND closed_wall_ms IS NULL", (workstation,)
    ).fetchone()
    return ShiftRow(**dict(row)) if row else None


def newest(conn: sqlite3.Connection, most: int) -> list[ShiftRow]:
    """Open shifts first, then the others, the newest first."""
    rows = conn.execute("SELECT * FROM shift ORDER BY closed_wall_ms IS NOT NULL, number DESC LIMIT ?", (most,))
    return [ShiftRow(**dict(row)) for row in rows]


def close(conn: sqlite3.Connection, row: ShiftRow) -> None:
    """Write down how a shift ended."""
    conn.execute(
        "UPDATE shift SET closed_wall_ms = ?, closed_by = ?, takes_over = ?, reason = ?, counted_fen = ?,"
        " expected_fen = ?, log_seq = ?, log_head = ? WHERE shift_id = ? AND closed_wall_ms IS NULL",
        (
            row.closed_wall_ms, row.closed_by, row.takes_over, row.reason, row.counted_fen, row.expected_fen,
            row.log_seq, row.log_head, row.shift_id,
        ),
    )  # fmt: skip


def add(conn: sqlite3.Connection, shift_id: str, kind: str, ref: str) -> None:
    """An entry of the book (by its name) or an opening by hand (by its decision) belongs to one shift."""
    conn.execute("INSERT OR IGNORE INTO shift_part (kind, ref, shift_id) VALUES (?, ?, ?)", (kind, ref, shift_id))


def legs(conn: sqlite3.Connection, shift_id: str) -> list[Leg]:
    """Every posting of a shift's entries."""
    rows = conn.execute(
        "SELECT part.ref, coalesce(posting.account, ''), coalesce(posting.amount, 0) FROM shift_part AS part"
        " LEFT JOIN posting ON posting.entry = part.ref WHERE part.shift_id = ? AND part.kind = 'entry'",
        (shift_id,),
    )
    return [Leg(*row) for row in rows]


def openings(conn: sqlite3.Connection, shift_id: str) -> int:
    """How often a barrier of the shift's lanes was opened by hand."""
    query = "SELECT count(*) FROM shift_part WHERE shift_id = ? AND kind = 'opening'"
    return int(conn.execute(query, (shift_id,)).fetchone()[0])
