"""Who is signed in at this device's pages, so that a restart signs nobody out. Tokens stand here as hashes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from domain.wire import canonical

TABLE = (
    "CREATE TABLE signed_in (key TEXT PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, data TEXT NOT NULL) STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """*key* is the token's hash, *device* the public key of the device it was begun at. Times are UTC ms."""

    key: str
    device: str
    name: str
    role: str
    created_ms: int
    seen_ms: int
    data: dict[str, str] = field(default_factory=dict)


def get(conn: sqlite3.Connection, key: str) -> SignedIn | None:
    """One of them."""
    row = conn.execute("SELECT * FROM signed_in WHERE key = ?", (key,)).fetchone()
    return SignedIn(**{**dict(row), "data": json.loads(row["data"])}) if row else None


def put(conn: sqlite3.Connection, row: SignedIn) -> None:
    """Begin one, or write it again."""
    values = (row.key, row.device, row.name, row.role, row.created_ms, row.seen_ms, canonical(row.data).decode())
    conn.execute("INSERT OR REPLACE INTO signed_in VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def drop(conn: sqlite3.Connection, key: str) -> None:
    """End one."""
    conn.execute("DELETE FROM signed_in WHERE key = ?", (key,))


def drop_person(conn: sqlite3.Connection, name: str) -> None:
    """End all of somebody's."""
    conn.execute("DELETE FROM signed_in WHERE name = ?", (name,))


def drop_older(conn: sqlite3.Connection, seen_ms: int) -> None:
    """Forget those nobody used since."""
    conn.execute("DELETE FROM signed_in WHERE seen_ms < ?", (seen_ms,))
