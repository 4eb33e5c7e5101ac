"""Incidents as the booth sees to them: who has seen which, and when. Added to, never changed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from edge.db import trade

TABLE = (
    "CREATE TABLE incident_seen (incident_id INTEGER PRIMARY KEY REFERENCES incident, by TEXT NOT NULL,"
    " wall_ms INTEGER NOT NULL) STRICT"
)


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An incident and who has seen it, "" while nobody has."""

    incident_id: int
    code: str
    lane: str
    detail: str
    wall_ms: int
    seen_by: str
    seen_wall_ms: int


def statements() -> list[str]:
    """The table and what keeps it."""
    return [TABLE, *trade.guards("incident_seen")]


def count(conn: sqlite3.Connection) -> int:
    """All incidents there are."""
    return int(conn.execute("SELECT count(*) FROM incident").fetchone()[0])


def unseen(conn: sqlite3.Connection) -> int:
    """How many nobody has seen: two whole counts, asked every second, cost less than a join."""
    return count(conn) - int(conn.execute("SELECT count(*) FROM incident_seen").fetchone()[0])


def page(conn: sqlite3.Connection, most: int, skip: int, *, only_unseen: bool) -> list[AlarmRow]:
    """The newest first."""
    rows = conn.execute(
        "SELECT i.incident_id, i.code, i.lane, i.detail, i.wall_ms, coalesce(s.by, '') AS seen_by,"
        " coalesce(s.wall_ms, 0) AS seen_wall_ms FROM incident i LEFT JOIN incident_seen s USING (incident_id)"
        " WHERE NOT ? OR s.by IS NULL ORDER BY i.incident_id DESC LIMIT ? OFFSET ?",
        (only_unseen, most, skip),
    )
    return [AlarmRow(**dict(row)) for row in rows]


def see(conn: sqlite3.Connection, oldest: int, newest: int, by: str, now: Moment) -> int:
    """Mark those from *oldest* to *newest* that nobody has seen; returns how many."""
    return conn.execute(
        "INSERT INTO incident_seen SELECT incident_id, ?, ? FROM incident"
        " WHERE incident_id BETWEEN ? AND ? AND incident_id NOT IN (SELECT incident_id FROM incident_seen)",
        (by, now.wall_ms, oldest, newest),
    ).rowcount
