"""Quotes given to phones, and what was paid for them; both are only ever added to."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from domain.fee_quote import FeeQuote
from domain.wire import Json
from edge.db.trade import guards

CHANNEL = "payments"


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A quote as it was given; *off* says which coupon carried which part of it."""

    quote: FeeQuote
    off: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PhonePayment:
    """A payment by phone, as this lot learned of it and what it did with it.

    *told*: by the cloud's list (``list``), by a pass (``pass``) or by its digits (``code``). Of *fen*, *used_fen* were
    for something and *back_fen* go back to whoever paid. *stands_for* names the payment by digits it turned out to be.
    """

    payment_id: str
    number: str
    stay_id: str
    told: str
    outcome: str
    fen: int
    used_fen: int
    back_fen: int
    stands_for: str
    wall_ms: int


def insert_quote(conn: sqlite3.Connection, row: QuoteRow) -> None:
    """Keep a quote. Raises sqlite3.IntegrityError when its number is known."""
    one = row.quote
    conn.execute(
        "INSERT INTO fee_quote VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (one.number, one.stay_id, one.plate, one.fee_fen, one.off_fen, one.before_fen, one.debts_fen, one.made_s,
         one.until_s, one.leave_min, json.dumps(row.off)),
    )  # fmt: skip


def quote(conn: sqlite3.Connection, lot_id: int, number: str) -> QuoteRow | None:
    """The quote of a number."""
    row = conn.execute("SELECT * FROM fee_quote WHERE number = ?", (number,)).fetchone()
    return _quote(lot_id, row) if row else None


def quotes_of(conn: sqlite3.Connection, lot_id: int, stay_id: str, plate: str, most: int = 12) -> list[QuoteRow]:
    """The last quotes of a stay (with *stay_id* "": of a plate's earlier visits), the newest first."""
    rows = conn.execute(
        "SELECT * FROM fee_quote WHERE stay_id = ? AND plate = ? ORDER BY made_s DESC, rowid DESC LIMIT ?",
        (stay_id, plate, most),
    )
    return [_quote(lot_id, row) for row in rows]


def _quote(lot_id: int, row: sqlite3.Row) -> QuoteRow:
    values = dict(row)
    off = tuple((ref, int(fen)) for ref, fen in json.loads(values.pop("off")))
    return QuoteRow(FeeQuote(lot_id=lot_id, **values), off)


def insert_payment(conn: sqlite3.Connection, paid: PhonePayment) -> None:
    """Keep what was done with a payment. Raises sqlite3.IntegrityError when it is known."""
    conn.execute(
        "INSERT INTO phone_payment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (paid.payment_id, paid.number, paid.stay_id, paid.told, paid.outcome, paid.fen, paid.used_fen, paid.back_fen,
         paid.stands_for, paid.wall_ms),
    )  # fmt: skip


def payment(conn: sqlite3.Connection, payment_id: str) -> PhonePayment | None:
    """One payment."""
    row = conn.execute("SELECT * FROM phone_payment WHERE payment_id = ?", (payment_id,)).fetchone()
    return PhonePayment(**dict(row)) if row else None


def payments_of(conn: sqlite3.Connection, number: str) -> list[PhonePayment]:
    """Everything that was paid for a quote, in order."""
    rows = conn.execute("SELECT * FROM phone_payment WHERE number = ? ORDER BY rowid", (number,))
    return [PhonePayment(**dict(row)) for row in rows]


def by_digits(conn: sqlite3.Connection, number: str) -> PhonePayment | None:
    """The payment for a quote that only its digits told of so far."""
    row = conn.execute(
        "SELECT * FROM phone_payment AS one WHERE number = ? AND told = 'code' AND NOT EXISTS"
        " (SELECT 1 FROM phone_payment AS other WHERE other.stands_for = one.payment_id)",
        (number,),
    ).fetchone()
    return PhonePayment(**dict(row)) if row else None


def news(conn: sqlite3.Connection) -> tuple[int, ...]:
    """Changes whenever a payment may wait to be taken, or something may be due to go back for a late coupon."""
    lists = "SELECT ifnull(sum(ver), 0) FROM applied WHERE channel IN (?, 'coupons', 'rules')"
    taken = "SELECT ifnull(max(rowid), 0) FROM phone_payment"
    return int(conn.execute(lists, (CHANNEL,)).fetchone()[0]), int(conn.execute(taken).fetchone()[0])


def untaken(conn: sqlite3.Connection) -> list[tuple[str, Json]]:
    """Payments the cloud told of that nothing was done with yet, in the order of their ids."""
    rows = conn.execute(
        "SELECT key, value FROM channel_row WHERE channel = ? AND json_extract(value, '$.quote') IS NOT NULL"
        " AND key NOT IN (SELECT payment_id FROM phone_payment) ORDER BY key",
        (CHANNEL,),
    )
    return [(key, json.loads(value)) for key, value in rows]


SCHEMA = (
    "CREATE TABLE fee_quote (number TEXT PRIMARY KEY, stay_id TEXT NOT NULL, plate TEXT NOT NULL,"
    " fee_fen INTEGER NOT NULL, off_fen INTEGER NOT NULL, before_fen INTEGER NOT NULL, debts_fen INTEGER NOT NULL,"
    " made_s INTEGER NOT NULL, until_s INTEGER NOT NULL, leave_min INTEGER NOT NULL, off TEXT NOT NULL) STRICT",
    "CREATE INDEX fee_quote_stay ON fee_quote (stay_id, plate, made_s)",
    "CREATE TABLE phone_payment (payment_id TEXT PRIMARY KEY, number TEXT NOT NULL, stay_id TEXT NOT NULL,"
    " told TEXT NOT NULL CHECK (told IN ('list', 'pass', 'code')), outcome TEXT NOT NULL,"
    " fen INTEGER NOT NULL CHECK (fen > 0), used_fen INTEGER NOT NULL, back_fen INTEGER NOT NULL,"
    " stands_for TEXT NOT NULL, wall_ms INTEGER NOT NULL,"
    " CHECK (used_fen >= 0 AND back_fen >= 0 AND used_fen + back_fen = fen)) STRICT",
    "CREATE INDEX phone_payment_number ON phone_payment (number)",
    "CREATE UNIQUE INDEX phone_payment_stands_for ON phone_payment (stands_for) WHERE stands_for <> ''",
)


def statements() -> list[str]:
    """The schema step."""
    return [*SCHEMA, *guards("fee_quote", "phone_payment")]
