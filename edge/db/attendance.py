"""What a supervisor said of who attends a lane, until the time named: a restart takes it up again."""

from __future__ import annotations

import sqlite3

from domain.attendance import Override


def put(conn: sqlite3.Connection, lane: str, override: Override) -> None:
    """Set it, or set it anew."""
    conn.execute(
        "INSERT OR REPLACE INTO attendance (lane, attended, until_wall_ms, by) VALUES (?, ?, ?, ?)",
        (lane, int(override.attended), override.until_wall_ms, override.by),
    )


def standing(conn: sqlite3.Connection) -> dict[str, Override]:
    """All of them, past ones too, by lane."""
    rows = conn.execute("SELECT lane, attended, until_wall_ms, by FROM attendance")
    return {lane: Override(bool(attended), until, by) for lane, attended, until, by in rows}
