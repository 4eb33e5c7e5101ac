"""Who may sign in: people of this lot's own list, and those the cloud names, who go before others of their name.

PINs stand here as hashes, closed for this device (edge/pins.py).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from edge.db import channels

CHANNEL = "booth"
SEALED = "sealed:"  # before a hash that is closed for a device


@dataclass(frozen=True, slots=True)
class Attendant:
    """Someone who may sign in. *from_cloud*: name, role and PIN are the cloud's to change."""

    name: str
    pin_hash: str
    role: str
    wall_ms: int
    from_cloud: bool = False


def put(conn: sqlite3.Connection, name: str, pin_hash: str, role: str, now: Moment) -> None:
    """Add an attendant or give a new PIN."""
    conn.execute("INSERT OR REPLACE INTO attendant VALUES (?, ?, ?, ?)", (name, pin_hash, role, now.wall_ms))


def get(conn: sqlite3.Connection, name: str) -> Attendant | None:
    """One of them."""
    named = next((one for one in _from_cloud(conn) if one.name == name), None)
    if named is not None:
        return named
    row = conn.execute("SELECT * FROM attendant WHERE name = ?", (name,)).fetchone()
    return Attendant(**dict(row)) if row else None


def everyone(conn: sqlite3.Connection) -> list[Attendant]:
    """All of them by name."""
    found = {row["name"]: Attendant(**dict(row)) for row in conn.execute("SELECT * FROM attendant")}
    found |= {one.name: one for one in _from_cloud(conn)}
    return [found[name] for name in sorted(found)]


def own(conn: sqlite3.Connection) -> list[Attendant]:
    """Those of this lot's own list."""
    return [Attendant(**dict(row)) for row in conn.execute("SELECT * FROM attendant ORDER BY name")]


def _from_cloud(conn: sqlite3.Connection) -> list[Attendant]:
    return [
        Attendant(
            str(row.value["name"]), f"{SEALED}{row.value.get('pin', '')}", str(row.value.get("role", "")),
            int(row.value.get("set_ms", 0)), from_cloud=True,
        )
        for row in channels.rows(conn, CHANNEL)
        if row.value and row.value.get("name")
    ]  # fmt: skip


def set_hash(conn: sqlite3.Connection, name: str, pin_hash: str) -> None:
    """The same PIN, stored in another way."""
    conn.execute("UPDATE attendant SET pin_hash = ? WHERE name = ?", (pin_hash, name))


def remove(conn: sqlite3.Connection, name: str) -> bool:
    """Let nobody sign in under *name* any more; what was done under it stays on record."""
    return conn.execute("DELETE FROM attendant WHERE name = ?", (name,)).rowcount == 1
