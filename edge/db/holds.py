"""Barriers latched open by a person, until a person lets go: what a restart takes up again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class Hold:
    """One barrier held open. *owes*: cars that leave meanwhile without paying owe their fee."""

    barrier: str
    reason: str
    by: str
    owes: bool
    since_wall_ms: int


def put(conn: sqlite3.Connection, hold: Hold, now: Moment) -> None:
    """Hold a barrier, or hold it for another reason."""
    conn.execute(
        "INSERT OR REPLACE INTO hold (barrier, reason, by, owes, wall_ms) VALUES (?, ?, ?, ?, ?)",
        (hold.barrier, hold.reason, hold.by, int(hold.owes), now.wall_ms),
    )


def get(conn: sqlite3.Connection, barrier: str) -> Hold | None:
    """The hold on *barrier*."""
    row = conn.execute("SELECT * FROM hold WHERE barrier = ?", (barrier,)).fetchone()
    return _hold(row) if row else None


def standing(conn: sqlite3.Connection, known: Collection[str]) -> dict[str, Hold]:
    """Every hold by its barrier; one on a barrier the lot file no longer names is left aside."""
    rows = [_hold(row) for row in conn.execute("SELECT * FROM hold ORDER BY barrier")]
    return {hold.barrier: hold for hold in rows if hold.barrier in known}


def drop(conn: sqlite3.Connection, barrier: str) -> None:
    """The barrier is held no more."""
    conn.execute("DELETE FROM hold WHERE barrier = ?", (barrier,))


def _hold(row: sqlite3.Row) -> Hold:
    return Hold(row["barrier"], row["reason"], row["by"], bool(row["owes"]), row["wall_ms"])
