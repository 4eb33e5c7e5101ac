"""Where a car inside went, zone by zone: moves are only ever added; a stay's row keeps where the last one led."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment, Quality
from edge.db.trade import guards

TABLES = """
CREATE TABLE stay_move (stay_id TEXT NOT NULL REFERENCES stay (stay_id), place INTEGER NOT NULL, lane TEXT NOT NULL,
    from_zone TEXT NOT NULL, zone TEXT NOT NULL, how TEXT NOT NULL, decision_id TEXT NOT NULL, boot TEXT NOT NULL,
    boot_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL, quality INTEGER NOT NULL, uncertainty_ms INTEGER NOT NULL,
    PRIMARY KEY (stay_id, place)) STRICT, WITHOUT ROWID;
ALTER TABLE stay ADD COLUMN zone_now TEXT;
ALTER TABLE stay ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
CREATE TABLE zone_count (count_id INTEGER PRIMARY KEY, zone TEXT NOT NULL, vehicle_class TEXT NOT NULL,
    books INTEGER NOT NULL, counted INTEGER NOT NULL CHECK (counted >= 0), by TEXT NOT NULL, reason TEXT NOT NULL,
    wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX zone_count_zone ON zone_count (zone, vehicle_class)
"""

SEEN, GUESSED, UNDONE, TAILGATE, BY_HAND = "seen", "guessed", "undone", "tailgate", "hand"


def statements() -> list[str]:
    """The schema step that brings them."""
    return [*TABLES.split(";"), *guards("stay_move", "zone_count")]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A car came into *zone* from *from_zone*. *how*: seen, guessed, undone, tailgate or hand."""

    stay_id: str
    place: int
    lane: str
    from_zone: str
    zone: str
    how: str
    decision_id: str
    moved: Moment


def add(conn: sqlite3.Connection, move: MoveRow) -> None:
    """Keep a move of an open stay; a car that moves waits at no exit any more."""
    moved = move.moved
    clock = (moved.boot, moved.boot_ms, moved.wall_ms, int(moved.quality), moved.uncertainty_ms)
    conn.execute(
        "INSERT INTO stay_move VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (move.stay_id, move.place, move.lane, move.from_zone, move.zone, move.how, move.decision_id, *clock),
    )
    conn.execute(
        "UPDATE stay SET zone_now = ?, moves = ?, arrived_boot = NULL WHERE stay_id = ?",
        (move.zone, move.place, move.stay_id),
    )


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[MoveRow]:
    """The moves of a stay in order."""
    return _where(conn, "stay_id = ? ORDER BY place", stay_id)


def last(conn: sqlite3.Connection, stay_id: str) -> MoveRow | None:
    """Its newest move."""
    return next(iter(_where(conn, "stay_id = ? ORDER BY place DESC LIMIT 1", stay_id)), None)


def by_decision(conn: sqlite3.Connection, decision_id: str) -> MoveRow | None:
    """The move a decision let through, which a passage asks for."""
    pulsed = "stay_id = (SELECT stay_id FROM pulse WHERE decision_id = ?1) AND decision_id = ?1 AND how <> 'guessed'"
    return next(iter(_where(conn, f"{pulsed} ORDER BY place DESC LIMIT 1", decision_id)), None)


def copy(conn: sqlite3.Connection, stay_id: str, to_stay_id: str) -> None:
    """A stay that continues another went the same way."""
    conn.execute(
        "INSERT INTO stay_move SELECT ?2, place, lane, from_zone, zone, how, decision_id, boot, boot_ms, wall_ms,"
        " quality, uncertainty_ms FROM stay_move WHERE stay_id = ?1",
        (stay_id, to_stay_id),
    )
    conn.execute(
        "UPDATE stay SET (zone_now, moves) = (SELECT zone_now, moves FROM stay WHERE stay_id = ?1) WHERE stay_id = ?2",
        (stay_id, to_stay_id),
    )


def _where(conn: sqlite3.Connection, condition: str, *values: object) -> list[MoveRow]:
    """Moves for which our own SQL *condition* holds."""
    rows = conn.execute(f"SELECT * FROM stay_move WHERE {condition}", values)  # noqa: S608
    return [_move(*row) for row in rows]


def _move(
    stay_id: str, place: int, lane: str, from_zone: str, zone: str, how: str, decision_id: str,
    boot: str, boot_ms: int, wall_ms: int, quality: int, uncertainty_ms: int,
) -> MoveRow:  # fmt: skip
    moved = Moment(boot, boot_ms, wall_ms, Quality(quality), uncertainty_ms)
    return MoveRow(stay_id, place, lane, from_zone, zone, how, decision_id, moved)
