"""Plates that are not to leave, by somebody's word."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

TABLE = (
    "CREATE TABLE plate_lock (plate TEXT PRIMARY KEY, by TEXT NOT NULL, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class PlateLock:
    """Who locked a plate, why and when."""

    plate: str
    by: str
    reason: str
    wall_ms: int


def put(conn: sqlite3.Connection, row: PlateLock) -> None:
    """Lock a plate; a lock that is there stays as it is."""
    conn.execute("INSERT OR IGNORE INTO plate_lock VALUES (?, ?, ?, ?)", (row.plate, row.by, row.reason, row.wall_ms))


def get(conn: sqlite3.Connection, plate: str) -> PlateLock | None:
    """The lock of a plate."""
    row = conn.execute("SELECT * FROM plate_lock WHERE plate = ?", (plate,)).fetchone()
    return PlateLock(**dict(row)) if row else None


def move(conn: sqlite3.Connection, old: str, new: str) -> None:
    """A plate was mended: its lock goes with the car."""
    conn.execute("UPDATE OR REPLACE plate_lock SET plate = ? WHERE plate = ?", (new, old))


def drop(conn: sqlite3.Connection, plate: str) -> None:
    """Let it go."""
    conn.execute("DELETE FROM plate_lock WHERE plate = ?", (plate,))
