"""How many cars a person counted in a zone, beside what the books said: rows are only ever added."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count by hand; *vehicle_class* is "" for all classes without places of their own."""

    count_id: int
    zone: str
    vehicle_class: str
    books: int
    counted: int
    by: str
    reason: str
    wall_ms: int


def add(
    conn: sqlite3.Connection,
    zone: str,
    vehicle_class: str,
    books: int,
    counted: int,
    by: str,
    reason: str,
    now: Moment,
) -> None:
    """Keep a count."""
    conn.execute(
        "INSERT INTO zone_count (zone, vehicle_class, books, counted, by, reason, wall_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (zone, vehicle_class, books, counted, by, reason, now.wall_ms),
    )


def offset(conn: sqlite3.Connection, zone: str, vehicle_class: str) -> int:
    """How many more cars than in the books there were at the last count."""
    row = conn.execute(
        "SELECT counted - books FROM zone_count WHERE zone = ? AND vehicle_class = ? ORDER BY count_id DESC LIMIT 1",
        (zone, vehicle_class),
    ).fetchone()
    return int(row[0]) if row else 0


def newest(conn: sqlite3.Connection, most: int = 50) -> list[CountRow]:
    """The last counts, the newest first."""
    rows = conn.execute("SELECT * FROM zone_count ORDER BY count_id DESC LIMIT ?", (most,))
    return [CountRow(**dict(row)) for row in rows]
