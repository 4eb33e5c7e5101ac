"""Stock-takes: which cars the books had inside when one began, which were seen, and what its end did."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.db.trade import guards

OPEN, DONE, DROPPED, UNDONE = "open", "done", "dropped", "undone"
EXPECTED, SEEN, CLOSED, ENTERED = "expected", "seen", "closed", "entered"


@dataclass(frozen=True, slots=True)
class Take:
    """One walk through a zone ("" for all of the lot)."""

    take_id: str
    zone: str
    state: str
    started_by: str
    started_wall_ms: int
    ended_by: str
    ended_wall_ms: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A car seen; *stay_id* is its open stay at that moment, "" when the books had none."""

    take_id: str
    plate: str
    stay_id: str
    by: str
    wall_ms: int


def insert(conn: sqlite3.Connection, take: Take) -> None:
    """Begin one. Raises sqlite3.IntegrityError while another is open."""
    conn.execute(
        "INSERT INTO stock_take VALUES (?, ?, ?, ?, ?, ?, ?)",
        (take.take_id, take.zone, take.state, take.started_by, take.started_wall_ms, "", 0),
    )


def end(conn: sqlite3.Connection, take_id: str, state: str, by: str, wall_ms: int) -> None:
    """Done, dropped or undone."""
    conn.execute(
        "UPDATE stock_take SET state = ?, ended_by = ?, ended_wall_ms = ? WHERE take_id = ?",
        (state, by, wall_ms, take_id),
    )


def get(conn: sqlite3.Connection, take_id: str) -> Take | None:
    """One stock-take."""
    row = conn.execute("SELECT * FROM stock_take WHERE take_id = ?", (take_id,)).fetchone()
    return Take(**dict(row)) if row else None


def current(conn: sqlite3.Connection) -> Take | None:
    """The one that is open."""
    row = conn.execute("SELECT * FROM stock_take WHERE state = 'open'").fetchone()
    return Take(**dict(row)) if row else None


def recent(conn: sqlite3.Connection, most: int = 20) -> list[Take]:
    """The newest first."""
    rows = conn.execute("SELECT * FROM stock_take ORDER BY started_wall_ms DESC, take_id DESC LIMIT ?", (most,))
    return [Take(**dict(row)) for row in rows]


def mark(conn: sqlite3.Connection, one: Mark) -> bool:
    """Note a car as seen; False when it was noted before."""
    done = conn.execute(
        "INSERT OR IGNORE INTO stock_mark VALUES (?, ?, ?, ?, ?)",
        (one.take_id, one.plate, one.stay_id, one.by, one.wall_ms),
    )
    return done.rowcount == 1


def unmark(conn: sqlite3.Connection, take_id: str, plate: str) -> bool:
    """It was a slip of the finger."""
    done = conn.execute("DELETE FROM stock_mark WHERE take_id = ? AND plate = ?", (take_id, plate))
    return done.rowcount == 1


def marks(conn: sqlite3.Connection, take_id: str) -> list[Mark]:
    """What was seen, the newest first."""
    rows = conn.execute("SELECT * FROM stock_mark WHERE take_id = ? ORDER BY wall_ms DESC, plate", (take_id,))
    return [Mark(**dict(row)) for row in rows]


def last_seen_ms(conn: sqlite3.Connection, plate: str) -> int | None:
    """When a stock-take last saw this plate."""
    row = conn.execute("SELECT max(wall_ms) FROM stock_mark WHERE plate = ?", (plate,)).fetchone()
    return None if row[0] is None else int(row[0])


def add_line(conn: sqlite3.Connection, take_id: str, what: str, stay_id: str) -> None:
    """A stay the take expected, saw, closed or entered."""
    conn.execute("INSERT INTO stock_line VALUES (?, ?, ?)", (take_id, what, stay_id))


def lines(conn: sqlite3.Connection, take_id: str, what: str) -> list[str]:
    """Stays of one kind, in order."""
    rows = conn.execute(
        "SELECT stay_id FROM stock_line WHERE take_id = ? AND what = ? ORDER BY stay_id", (take_id, what)
    )
    return [row[0] for row in rows]


SCHEMA = """
CREATE TABLE stock_take (take_id TEXT PRIMARY KEY, zone TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'dropped', 'undone')), started_by TEXT NOT NULL,
    started_wall_ms INTEGER NOT NULL, ended_by TEXT NOT NULL, ended_wall_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX stock_take_open ON stock_take (state) WHERE state = 'open';
CREATE TABLE stock_mark (take_id TEXT NOT NULL REFERENCES stock_take (take_id), plate TEXT NOT NULL,
    stay_id TEXT NOT NULL, by TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    PRIMARY KEY (take_id, plate)) STRICT, WITHOUT ROWID;
CREATE INDEX stock_mark_plate ON stock_mark (plate, wall_ms);
CREATE TABLE stock_line (take_id TEXT NOT NULL REFERENCES stock_take (take_id), what TEXT NOT NULL,
    stay_id TEXT NOT NULL, PRIMARY KEY (take_id, what, stay_id)) STRICT, WITHOUT ROWID
"""


def statements() -> list[str]:
    """The schema step; what a take did is never changed."""
    return [*SCHEMA.split(";"), *guards("stock_line")]
