"""What a receipt says, kept as it was when the money was taken: a second print is the same paper."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from domain.wire import Json, canonical
from edge.db import trade

TABLES = """
CREATE TABLE receipt (payment_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, stay_id TEXT NOT NULL,
    workstation TEXT NOT NULL, plate TEXT NOT NULL, amount_fen INTEGER NOT NULL, by TEXT NOT NULL,
    wall_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_stay ON receipt (stay_id);
"""
COLUMNS = "payment_id, number, stay_id, workstation, plate, amount_fen, by, wall_ms, body"
PRINTS = (
    " (SELECT count(*) FROM print_job WHERE kind = 'receipt' AND subject = receipt.payment_id"
    " AND print_job.state NOT IN ('failed', 'queued')) AS prints"
)


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt; *body* has its lines as codes and fen. *prints*: how often it was put on paper."""

    payment_id: str
    number: int
    stay_id: str
    workstation: str
    plate: str
    amount_fen: int
    by: str
    wall_ms: int
    body: Json
    prints: int = 0


def statements() -> list[str]:
    """The table; nothing in it is ever changed."""
    return [part for part in TABLES.split(";") if part.strip()] + trade.guards("receipt")


def insert(conn: sqlite3.Connection, row: ReceiptRow) -> None:
    """Keep a receipt under the next number (that of *row* is not looked at)."""
    conn.execute(
        "INSERT INTO receipt VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM receipt), ?, ?, ?, ?, ?, ?, ?)",
        (
            row.payment_id, row.stay_id, row.workstation, row.plate, row.amount_fen, row.by, row.wall_ms,
            canonical(row.body).decode(),
        ),
    )  # fmt: skip


def get(conn: sqlite3.Connection, payment_id: str) -> ReceiptRow | None:
    """One receipt."""
    found = _rows(conn, "WHERE payment_id = ?", (payment_id,))
    return found[0] if found else None


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[ReceiptRow]:
    """Every receipt of a stay, in order."""
    return _rows(conn, "WHERE stay_id = ? ORDER BY number", (stay_id,))


def newest(conn: sqlite3.Connection, workstation: str, most: int) -> list[ReceiptRow]:
    """The last ones of a workstation, the newest first."""
    return _rows(conn, "WHERE workstation = ? ORDER BY number DESC LIMIT ?", (workstation, most))


def _rows(conn: sqlite3.Connection, where: str, args: tuple[object, ...]) -> list[ReceiptRow]:
    query = f"SELECT {COLUMNS}, {PRINTS} FROM receipt {where}"  # noqa: S608
    return [ReceiptRow(**{**dict(row), "body": json.loads(row["body"])}) for row in conn.execute(query, args)]
