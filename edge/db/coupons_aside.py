"""Coupons of a car that are not to count for one stay: their driver keeps them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

SCHEMA = (
    "CREATE TABLE coupon_aside (stay_id TEXT NOT NULL, ref TEXT NOT NULL, by TEXT NOT NULL, wall_ms INTEGER NOT NULL,"
    " PRIMARY KEY (stay_id, ref)) STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class Aside:
    """Who took which coupon off which stay, and when."""

    stay_id: str
    ref: str
    by: str
    wall_ms: int


def put(conn: sqlite3.Connection, row: Aside) -> None:
    """Take a coupon off a stay."""
    conn.execute("INSERT OR IGNORE INTO coupon_aside VALUES (?, ?, ?, ?)", (row.stay_id, row.ref, row.by, row.wall_ms))


def drop(conn: sqlite3.Connection, stay_id: str, ref: str) -> bool:
    """Let it count again; False when it was not taken off."""
    return conn.execute("DELETE FROM coupon_aside WHERE stay_id = ? AND ref = ?", (stay_id, ref)).rowcount == 1


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[Aside]:
    """What was taken off a stay, in order."""
    rows = conn.execute("SELECT * FROM coupon_aside WHERE stay_id = ? ORDER BY wall_ms, ref", (stay_id,))
    return [Aside(**dict(row)) for row in rows]
