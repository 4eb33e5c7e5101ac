"""Payments, debts and the lot's own double-entry book; postings are only ever added."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from domain.ledger import Posting, check_balanced
from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money taken at this lot."""

    payment_id: str
    stay_id: str
    method: str
    amount_fen: int
    by: str
    wall_ms: int


@dataclass(frozen=True, slots=True)
class DebtRow:
    """What a plate owes from one stay."""

    debt_id: str
    stay_id: str
    plate: str
    cause: str
    owed_fen: int
    wall_ms: int


def insert_payment(conn: sqlite3.Connection, payment: PaymentRow) -> None:
    """Keep a payment. Raises sqlite3.IntegrityError when its id is known."""
    conn.execute(
        "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?)",
        (payment.payment_id, payment.stay_id, payment.method, payment.amount_fen, payment.by, payment.wall_ms),
    )


def payment(conn: sqlite3.Connection, payment_id: str) -> PaymentRow | None:
    """One payment."""
    row = conn.execute("SELECT * FROM payment WHERE payment_id = ?", (payment_id,)).fetchone()
    return PaymentRow(**dict(row)) if row else None


def payments(conn: sqlite3.Connection, stay_id: str) -> list[PaymentRow]:
    """What was paid for a stay, in order."""
    rows = conn.execute("SELECT * FROM payment WHERE stay_id = ? ORDER BY wall_ms, payment_id", (stay_id,))
    return [PaymentRow(**dict(row)) for row in rows]


def insert_debt(conn: sqlite3.Connection, debt: DebtRow) -> None:
    """A plate owes from now on; one debt a stay."""
    conn.execute(
        "INSERT INTO debt VALUES (?, ?, ?, ?, ?, ?)",
        (debt.debt_id, debt.stay_id, debt.plate, debt.cause, debt.owed_fen, debt.wall_ms),
    )


def debts(conn: sqlite3.Connection, plate: str | None = None, most: int = 200) -> list[DebtRow]:
    """Debts of one plate or of all, the newest first."""
    rows = conn.execute(
        "SELECT * FROM debt WHERE (?1 IS NULL OR plate = ?1) ORDER BY wall_ms DESC LIMIT ?2", (plate, most)
    )
    return [DebtRow(**dict(row)) for row in rows]


def post(conn: sqlite3.Connection, entry: str, postings: Sequence[Posting], stay_id: str, now: Moment) -> None:
    """Add one balanced entry. Raises UnbalancedError, or sqlite3.IntegrityError when *entry* is known."""
    check_balanced(postings)
    conn.executemany(
        "INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (entry, leg, one.account, one.commodity, one.funds, one.amount, stay_id, now.wall_ms)
            for leg, one in enumerate(postings)
            if one.amount
        ],
    )


def balances(conn: sqlite3.Connection) -> dict[str, int]:
    """The sum of every account."""
    return dict(conn.execute("SELECT account, sum(amount) FROM posting GROUP BY account ORDER BY account").fetchall())


def totals(conn: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[str, int]:
    """Movement of every account between two wall-clock times."""
    rows = conn.execute(
        "SELECT account, sum(amount) FROM posting WHERE wall_ms >= ? AND wall_ms < ? GROUP BY account ORDER BY account",
        (start_ms, end_ms),
    )
    return dict(rows.fetchall())
