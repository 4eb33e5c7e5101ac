"""What went back of payments by phone; only ever added to."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.db import stays
from edge.db.stays import StayRow
from edge.db.trade import guards


@dataclass(frozen=True, slots=True)
class GivenBack:
    """*amount_fen* of a payment for a stay goes back, because of a coupon."""

    back_id: str
    payment_id: str
    stay_id: str
    coupon_id: str
    amount_fen: int
    wall_ms: int


def insert(conn: sqlite3.Connection, back: GivenBack) -> None:
    """Keep it. Raises sqlite3.IntegrityError when its id is known."""
    conn.execute(
        "INSERT INTO given_back VALUES (?, ?, ?, ?, ?, ?)",
        (back.back_id, back.payment_id, back.stay_id, back.coupon_id, back.amount_fen, back.wall_ms),
    )


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[GivenBack]:
    """What went back of the payments of a stay, in order."""
    rows = conn.execute("SELECT * FROM given_back WHERE stay_id = ? ORDER BY rowid", (stay_id,))
    return [GivenBack(**dict(row)) for row in rows]


def paid_with_coupons(conn: sqlite3.Connection) -> list[StayRow]:
    """Open stays that were paid and whose plate holds coupons."""
    found = conn.execute(
        "SELECT DISTINCT stay_id FROM stay JOIN channel_row INDEXED BY channel_row_plate"
        " ON channel = 'coupons' AND channel_row.plate = stay.plate"
        " WHERE passed = 0 AND state = 'open' AND settled_boot IS NOT NULL AND paid_fen > 0"
    )
    return [stay for (stay_id,) in found.fetchall() if (stay := stays.get(conn, stay_id)) is not None]


SCHEMA = (
    "CREATE TABLE given_back (back_id TEXT PRIMARY KEY, payment_id TEXT NOT NULL, stay_id TEXT NOT NULL,"
    " coupon_id TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), wall_ms INTEGER NOT NULL) STRICT",
    "CREATE INDEX given_back_stay ON given_back (stay_id)",
)


def statements() -> list[str]:
    """The schema step."""
    return [*SCHEMA, *guards("given_back")]
