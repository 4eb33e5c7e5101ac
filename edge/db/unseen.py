"""Stays of cars that were first seen at the exit, and how each is charged for that."""

from __future__ import annotations

import sqlite3

from edge.db import stays
from edge.db.stays import StayRow


def put(conn: sqlite3.Connection, stay_id: str, rule: str) -> None:
    """A stay began at the exit; *rule* says what it pays: ``first_segment`` or ``fixed_fee:FEN``."""
    conn.execute("INSERT INTO no_entry (stay_id, rule) VALUES (?, ?)", (stay_id, rule))


def rule(conn: sqlite3.Connection, stay_id: str) -> str:
    """How a stay without an entry is charged; "" for one that has its entry."""
    row = conn.execute("SELECT rule FROM no_entry WHERE stay_id = ?", (stay_id,)).fetchone()
    return str(row[0]) if row else ""


def open_at(conn: sqlite3.Connection, lane: str) -> list[StayRow]:
    """Open stays that began at this exit and of which nothing was paid."""
    query = (
        "SELECT stay_id FROM no_entry JOIN stay USING (stay_id) WHERE lane_in = ? AND state = 'open' AND paid_fen = 0"
    )
    found = [stays.get(conn, stay_id) for (stay_id,) in conn.execute(query, (lane,))]
    return [stay for stay in found if stay is not None]
