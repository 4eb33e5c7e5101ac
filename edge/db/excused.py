"""Stays that ended without their fee being paid, with who let them go and why: for the day's report."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass

COLUMNS = "stay_id, lane, plate, why, detail, by, waived_fen, decision_id, wall_ms"
LOOKED_BACK = 5_000  # acts: a waiver is among the last ones, and an exit does not read years of them


@dataclass(frozen=True, slots=True)
class ExcusedRow:
    """One such stay; fields in the order of ``COLUMNS``. *why*: free_kind, covered or waived."""

    stay_id: str
    lane: str
    plate: str
    why: str
    detail: str
    by: str
    waived_fen: int
    decision_id: str
    wall_ms: int


def statements() -> tuple[str, ...]:
    """The table and the index its report reads by."""
    return (
        "CREATE TABLE excused (stay_id TEXT PRIMARY KEY, lane TEXT NOT NULL, plate TEXT NOT NULL, why TEXT NOT NULL,"
        " detail TEXT NOT NULL, by TEXT NOT NULL, waived_fen INTEGER NOT NULL, decision_id TEXT NOT NULL,"
        " wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE INDEX excused_wall_ms ON excused (wall_ms)",
    )


def put(conn: sqlite3.Connection, row: ExcusedRow) -> None:
    """Write one down; a stay that was opened again and ends anew has its last end here."""
    conn.execute(f"INSERT OR REPLACE INTO excused ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(row))  # noqa: S608


def take_back(conn: sqlite3.Connection, stay_id: str) -> bool:
    """This stay, opened again, ended otherwise; was it here?"""
    return conn.execute("DELETE FROM excused WHERE stay_id = ?", (stay_id,)).rowcount > 0


def between(conn: sqlite3.Connection, start_ms: int, end_ms: int, why: str, most: int, offset: int) -> list[ExcusedRow]:
    """Those of [start, end), the newest first; *why* "" for all."""
    query = (
        f"SELECT {COLUMNS} FROM excused WHERE wall_ms >= ? AND wall_ms < ? AND (? = '' OR why = ?)"  # noqa: S608
        " ORDER BY wall_ms DESC, stay_id LIMIT ? OFFSET ?"
    )
    return [ExcusedRow(*row) for row in conn.execute(query, (start_ms, end_ms, why, why, most, offset))]


def totals(conn: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[str, tuple[int, int]]:
    """How many of each why in [start, end), and the fen waived."""
    query = "SELECT why, count(*), sum(waived_fen) FROM excused WHERE wall_ms >= ? AND wall_ms < ? GROUP BY why"
    return {why: (count, fen) for why, count, fen in conn.execute(query, (start_ms, end_ms))}


def waived_by(conn: sqlite3.Connection, stay_id: str) -> tuple[str, str]:
    """Who waived for a stay last, and with what reason; empty when nobody did by hand."""
    row = conn.execute(
        "SELECT by, reason FROM act WHERE act = 'fee.waive' AND subject = ?"
        " AND act_id > (SELECT max(act_id) FROM act) - ? ORDER BY act_id DESC LIMIT 1",
        (stay_id, LOOKED_BACK),
    ).fetchone()
    return (row[0], row[1].partition(" ")[2]) if row else ("", "")
