"""Wrong PINs in a row, by name; they outlive a restart."""

from __future__ import annotations

import sqlite3

TABLE = (
    "CREATE TABLE pin_try (name TEXT PRIMARY KEY, wrong INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID"
)


def get(conn: sqlite3.Connection, name: str) -> tuple[int, int]:
    """How many wrong ones in a row, and when the last was."""
    row = conn.execute("SELECT wrong, last_wall_ms FROM pin_try WHERE name = ?", (name,)).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def everyone(conn: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """The same of everybody who has any."""
    return {row[0]: (row[1], row[2]) for row in conn.execute("SELECT name, wrong, last_wall_ms FROM pin_try")}


def put(conn: sqlite3.Connection, name: str, wrong: int, wall_ms: int) -> None:
    """Write it down."""
    conn.execute("INSERT OR REPLACE INTO pin_try VALUES (?, ?, ?)", (name, wrong, wall_ms))


def forget(conn: sqlite3.Connection, name: str) -> bool:
    """Begin anew; was there anything?"""
    return conn.execute("DELETE FROM pin_try WHERE name = ?", (name,)).rowcount == 1
