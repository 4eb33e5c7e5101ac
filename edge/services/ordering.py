"""Orders of vouchers on record, so that a restart neither forgets what is left of one nor prints a slip too many."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from edge.db import printorders, vouchers
from edge.db.database import Database, transaction
from edge.db.printorders import OrderRow


@dataclass(frozen=True, slots=True)
class Left:
    """An order with more to print. *doubtful*: nobody can say that its last slip came out."""

    row: OrderRow
    doubtful: bool


def take(db: Database, row: OrderRow, _now: Moment) -> None:
    """Take an order; nothing is spent on it yet."""
    with transaction(db) as conn:
        printorders.insert(conn, row)


def end(db: Database, order_id: str, _now: Moment) -> None:
    """Nothing more of it is to be printed."""
    with transaction(db) as conn:
        printorders.drop(conn, order_id)


def left(conn: sqlite3.Connection) -> list[Left]:
    """What a start finds of orders that did not end, the first first."""
    return [Left(row, _is_doubtful(conn, row)) for row in printorders.standing(conn)]


def _is_doubtful(conn: sqlite3.Connection, row: OrderRow) -> bool:
    last = vouchers.get(conn, row.last_key_id, row.last_counter)
    return last is not None and last.state != "confirmed"
