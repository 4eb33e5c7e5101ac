"""Characters that cameras took for others, as people and matched stays said. Only ever added to; no plate is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from domain.moment import Moment

DAY_MS = 86_400_000


def note(
    conn: sqlite3.Connection, camera: str, read_id: str, pairs: Iterable[tuple[str, str]], by: str, now: Moment
) -> None:
    """Keep the pairs (read, true) of one read; told again of the same read, nothing is added."""
    conn.executemany(
        "INSERT OR IGNORE INTO misread VALUES (?, ?, ?, ?, ?, ?)",
        [(camera, read_id, read, true, by, now.wall_ms) for read, true in pairs],
    )


def counts(conn: sqlite3.Connection, camera: str, days: int, now: Moment) -> dict[tuple[str, str], int]:
    """How often a camera was corrected within *days*, by (read, true)."""
    rows = conn.execute(
        "SELECT read_as, truth, count(*) FROM misread WHERE camera = ? AND wall_ms >= ? GROUP BY read_as, truth",
        (camera, now.wall_ms - days * DAY_MS),
    )
    return {(read, true): count for read, true, count in rows}
