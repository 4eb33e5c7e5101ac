"""Orders of vouchers that are not printed to the end: how many of each were begun. One that ended is gone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

TABLE = (
    "CREATE TABLE print_order (order_id TEXT PRIMARY KEY, merchant_id INTEGER NOT NULL, template_id INTEGER NOT NULL,"
    " name TEXT NOT NULL, total INTEGER NOT NULL, by TEXT NOT NULL, printer TEXT NOT NULL, wall_ms INTEGER NOT NULL,"
    " begun INTEGER NOT NULL CHECK (begun BETWEEN 0 AND total), last_key_id INTEGER NOT NULL,"
    " last_counter INTEGER NOT NULL) STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """*begun* of *total* were issued, the last as (*last_key_id*, *last_counter*)."""

    order_id: str
    merchant_id: int
    template_id: int
    name: str
    total: int
    by: str
    printer: str
    wall_ms: int
    begun: int = 0
    last_key_id: int = 0
    last_counter: int = 0


def insert(conn: sqlite3.Connection, row: OrderRow) -> None:
    """Take an order."""
    values = tuple(getattr(row, name) for name in OrderRow.__slots__)
    conn.execute("INSERT INTO print_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def begin_one(conn: sqlite3.Connection, order_id: str, key_id: int, counter: int) -> bool:
    """One more of it is issued, in the caller's transaction; False where none is left."""
    done = conn.execute(
        "UPDATE print_order SET begun = begun + 1, last_key_id = ?, last_counter = ? WHERE order_id = ?"
        " AND begun < total",
        (key_id, counter, order_id),
    )
    return done.rowcount == 1


def drop(conn: sqlite3.Connection, order_id: str) -> None:
    """It ended, or what is left of it was let go."""
    conn.execute("DELETE FROM print_order WHERE order_id = ?", (order_id,))


def standing(conn: sqlite3.Connection) -> list[OrderRow]:
    """Every order that did not end, the first first."""
    return [OrderRow(*row) for row in conn.execute("SELECT * FROM print_order ORDER BY wall_ms, order_id")]
