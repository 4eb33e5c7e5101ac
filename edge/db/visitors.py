"""Visitors an attendant let park today: the lot's own list beside the one the cloud keeps."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

COLUMNS = "visitor_id, plate, host, from_ms, until_ms, by"


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """A plate that parks free from *from_ms* until before *until_ms* (wall clock), and who said so."""

    visitor_id: str
    plate: str
    host: str
    from_ms: int
    until_ms: int
    by: str


def insert(conn: sqlite3.Connection, visitor: VisitorRow) -> None:
    """Write a visitor down."""
    conn.execute(
        f"INSERT INTO visitor ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
        (visitor.visitor_id, visitor.plate, visitor.host, visitor.from_ms, visitor.until_ms, visitor.by),
    )


def get(conn: sqlite3.Connection, visitor_id: str) -> VisitorRow | None:
    """One visitor."""
    row = conn.execute(f"SELECT {COLUMNS} FROM visitor WHERE visitor_id = ?", (visitor_id,)).fetchone()  # noqa: S608
    return VisitorRow(*row) if row else None


def end(conn: sqlite3.Connection, visitor_id: str, wall_ms: int) -> None:
    """Let a visitor park free no longer than until *wall_ms*."""
    conn.execute("UPDATE visitor SET until_ms = min(until_ms, ?) WHERE visitor_id = ?", (wall_ms, visitor_id))


def of_plate(conn: sqlite3.Connection, plate: str) -> list[VisitorRow]:
    """Every visit of *plate*, the oldest first."""
    query = f"SELECT {COLUMNS} FROM visitor WHERE plate = ? ORDER BY from_ms, visitor_id"  # noqa: S608
    return [VisitorRow(*row) for row in conn.execute(query, (plate,))]


def good_at(conn: sqlite3.Connection, wall_ms: int, containing: str = "") -> list[VisitorRow]:
    """Visitors who may park free at *wall_ms*, the newest first; *containing*: characters of the plate."""
    query = (
        f"SELECT {COLUMNS} FROM visitor WHERE until_ms > ? AND from_ms <= ? AND instr(plate, ?) > 0"  # noqa: S608
        " ORDER BY from_ms DESC, visitor_id DESC"
    )
    return [VisitorRow(*row) for row in conn.execute(query, (wall_ms, wall_ms, containing))]
