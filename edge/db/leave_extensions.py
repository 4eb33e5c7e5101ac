"""Times during which nobody who has paid is charged again for leaving late."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.leave_extension import Extension
from domain.moment import Moment

LOOK_BACK_MS = 2 * 86_400_000


@dataclass(frozen=True, slots=True)
class Standing:
    """An extension that is not over, and who ordered it why."""

    until_wall_ms: int
    by: str
    reason: str


def statements() -> tuple[str, ...]:
    """The table."""
    return (
        "CREATE TABLE leave_extension (since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, by TEXT NOT NULL,"
        " reason TEXT NOT NULL) STRICT",
    )


def add(conn: sqlite3.Connection, extension: Extension, by: str, reason: str) -> None:
    """Keep one."""
    row = (extension.since_ms, extension.until_ms, by, reason)
    conn.execute("INSERT INTO leave_extension VALUES (?, ?, ?, ?)", row)


def end(conn: sqlite3.Connection, now: Moment) -> bool:
    """End what still stands; False when nothing did."""
    done = conn.execute("UPDATE leave_extension SET until_ms = ?1 WHERE until_ms > ?1", (now.wall_ms,))
    return done.rowcount > 0


def of_late(conn: sqlite3.Connection, now: Moment) -> list[Extension]:
    """Those that may still matter to a car that is here."""
    query = "SELECT since_ms, until_ms FROM leave_extension WHERE until_ms > ?"
    return [Extension(*row) for row in conn.execute(query, (now.wall_ms - LOOK_BACK_MS,))]


def standing(conn: sqlite3.Connection, now: Moment) -> Standing | None:
    """The one that lasts longest from now."""
    query = "SELECT until_ms, by, reason FROM leave_extension WHERE until_ms > ? ORDER BY until_ms DESC LIMIT 1"
    row = conn.execute(query, (now.wall_ms,)).fetchone()
    return Standing(*row) if row else None
