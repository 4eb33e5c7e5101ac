"""How long a car inside has been charging, as somebody said."""

from __future__ import annotations

import sqlite3


def put(conn: sqlite3.Connection, stay_id: str, minutes: int) -> None:
    """The car of a stay charged for *minutes* so far."""
    conn.execute("INSERT OR REPLACE INTO charging (stay_id, minutes) VALUES (?, ?)", (stay_id, minutes))


def minutes(conn: sqlite3.Connection, stay_id: str) -> int:
    """Minutes of charging; 0 when nobody said."""
    row = conn.execute("SELECT minutes FROM charging WHERE stay_id = ?", (stay_id,)).fetchone()
    return int(row[0]) if row else 0
