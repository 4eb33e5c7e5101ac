"""When the cloud last said of each list that what this lot holds is what it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from domain.moment import Moment

TABLE = (
    "CREATE TABLE list_equal (channel TEXT PRIMARY KEY, boot TEXT NOT NULL, boot_ms INTEGER NOT NULL,"
    " wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list as held here; *said* is None where the cloud never confirmed it."""

    channel: str
    version: int
    rows: int
    said: Moment | None


def confirm(conn: sqlite3.Connection, channels: Iterable[str], now: Moment) -> None:
    """The cloud found these equal just now."""
    conn.executemany(
        "INSERT OR REPLACE INTO list_equal VALUES (?, ?, ?, ?)",
        [(channel, now.boot, now.boot_ms, now.wall_ms) for channel in channels],
    )


def said(conn: sqlite3.Connection) -> dict[str, Moment]:
    """When each was last confirmed."""
    found = conn.execute("SELECT channel, boot, boot_ms, wall_ms FROM list_equal")
    return {channel: Moment(boot, boot_ms, wall_ms) for channel, boot, boot_ms, wall_ms in found}


def held(conn: sqlite3.Connection, channels: Iterable[str]) -> list[HeldList]:
    """Each of *channels* with its version and how many rows it has."""
    versions = dict(conn.execute("SELECT channel, ver FROM applied").fetchall())
    counts = dict(conn.execute("SELECT channel, count(*) FROM channel_row GROUP BY channel").fetchall())
    confirmed = said(conn)
    return [HeldList(one, versions.get(one, 0), counts.get(one, 0), confirmed.get(one)) for one in channels]
