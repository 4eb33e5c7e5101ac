"""The boots this database lived through: how long each ran, and the wall clock as last believed in it (sync §8)."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from domain.moment import Moment, Quality, Run, elapsed


def note(conn: sqlite3.Connection, now: Moment) -> None:
    """Remember both clocks as they stand, in the caller's transaction: after a cold start the time is near this."""
    conn.execute(
        "INSERT INTO boot (boot, boot_ms, wall_ms, quality) VALUES (?, ?, ?, ?) ON CONFLICT (boot) DO UPDATE SET"
        " boot_ms = excluded.boot_ms, wall_ms = excluded.wall_ms, quality = excluded.quality",
        (now.boot, now.boot_ms, now.wall_ms, int(now.quality)),
    )


def last(conn: sqlite3.Connection) -> Moment | None:
    """The clocks as last remembered."""
    row = conn.execute("SELECT boot, boot_ms, wall_ms, quality FROM boot ORDER BY position DESC LIMIT 1").fetchone()
    return Moment(row["boot"], row["boot_ms"], row["wall_ms"], Quality(row["quality"])) if row else None


def between(conn: sqlite3.Connection, earlier: Moment, later: Moment) -> list[Run]:
    """The boots from that of *earlier* on, oldest first; none where both moments are of one boot."""
    if earlier.boot == later.boot:
        return []
    rows = conn.execute(
        "SELECT boot, boot_ms FROM boot WHERE position >= (SELECT position FROM boot WHERE boot = ?) ORDER BY position",
        (earlier.boot,),
    )
    return [Run(boot, boot_ms) for boot, boot_ms in rows]


def since(conn: sqlite3.Connection, earlier: Moment, later: Moment) -> timedelta:
    """Time from *earlier* to *later*, never more than it was."""
    return elapsed(earlier, later, between(conn, earlier, later)).length
