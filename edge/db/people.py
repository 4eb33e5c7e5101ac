"""Attendants known at this lot even when the cloud never spoke; PINs only as hashes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class Attendant:
    """Someone who may use the booth."""

    name: str
    pin_hash: str
    role: str
    wall_ms: int


def put(conn: sqlite3.Connection, name: str, pin_hash: str, role: str, now: Moment) -> None:
    """Add an attendant or give a new PIN."""
    conn.execute("INSERT OR REPLACE INTO attendant VALUES (?, ?, ?, ?)", (name, pin_hash, role, now.wall_ms))


def get(conn: sqlite3.Connection, name: str) -> Attendant | None:
    """One attendant."""
    row = conn.execute("SELECT * FROM attendant WHERE name = ?", (name,)).fetchone()
    return Attendant(**dict(row)) if row else None


def everyone(conn: sqlite3.Connection) -> list[Attendant]:
    """All attendants by name."""
    return [Attendant(**dict(row)) for row in conn.execute("SELECT * FROM attendant ORDER BY name")]


def remove(conn: sqlite3.Connection, name: str) -> bool:
    """Let nobody sign in under *name* any more; what was done under it stays on record."""
    return conn.execute("DELETE FROM attendant WHERE name = ?", (name,)).rowcount == 1
