"""Who did what, what a person should look at, passages, and small notes of the daemon itself."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.events import ActRecorded, IncidentRaised
from domain.moment import Moment
from edge.db import log


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act with its name."""

    act_id: int
    by: str
    act: str
    subject: str
    reason: str
    wall_ms: int


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """Something to look at."""

    incident_id: int
    code: str
    lane: str
    detail: str
    wall_ms: int


def act(conn: sqlite3.Connection, by: str, what: str, subject: str, reason: str, now: Moment) -> None:
    """Record an act here and in the log, in the caller's transaction."""
    conn.execute(
        "INSERT INTO act (by, act, subject, reason, wall_ms) VALUES (?, ?, ?, ?, ?)",
        (by, what, subject, reason, now.wall_ms),
    )
    log.append(conn, ActRecorded(by, what, subject, reason), now)


def approved(conn: sqlite3.Connection, approver: str, what: str, subject: str, by: str, now: Moment) -> None:
    """Record that a supervisor stood beside *by* who acted; nothing where nobody did ("")."""
    if approver:
        act(conn, approver, "act.approve", subject, f"{what} {by}", now)


def acts(conn: sqlite3.Connection, most: int = 100) -> list[ActRow]:
    """The newest acts first."""
    return [ActRow(**dict(row)) for row in conn.execute("SELECT * FROM act ORDER BY act_id DESC LIMIT ?", (most,))]


def incident(conn: sqlite3.Connection, code: str, lane: str, detail: str, now: Moment) -> None:
    """Raise an incident here and in the log; *detail* carries no full plate."""
    conn.execute(
        "INSERT INTO incident (code, lane, detail, wall_ms) VALUES (?, ?, ?, ?)", (code, lane, detail, now.wall_ms)
    )
    log.append(conn, IncidentRaised(code, lane, detail), now)


def incidents(conn: sqlite3.Connection, most: int = 100) -> list[IncidentRow]:
    """The newest incidents first."""
    rows = conn.execute("SELECT * FROM incident ORDER BY incident_id DESC LIMIT ?", (most,))
    return [IncidentRow(**dict(row)) for row in rows]


def passage(
    conn: sqlite3.Connection,
    passage_id: str,
    kind: str,
    lane: str,
    decision_id: str,
    stay_id: str,
    plate: str,
    now: Moment,
) -> None:
    """Keep a passage: seen, reversed or tailgate."""
    conn.execute(
        "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)",
        (passage_id, kind, lane, decision_id, stay_id, plate, now.wall_ms),
    )


def has_passed(conn: sqlite3.Connection, decision_id: str) -> bool:
    """Was the passage of this decision seen?"""
    query = "SELECT 1 FROM passage WHERE decision_id = ? AND kind = 'seen'"
    return conn.execute(query, (decision_id,)).fetchone() is not None


def is_known_passage(conn: sqlite3.Connection, passage_id: str) -> bool:
    """Is this passage on record?"""
    return conn.execute("SELECT 1 FROM passage WHERE passage_id = ?", (passage_id,)).fetchone() is not None


def note(conn: sqlite3.Connection, name: str) -> str | None:
    """A note of the daemon."""
    row = conn.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_note(conn: sqlite3.Connection, name: str, value: str) -> None:
    """Write a note of the daemon."""
    conn.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))
