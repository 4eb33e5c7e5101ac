"""What plates owe from earlier visits: debts and what became of them, both only ever added to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from edge.db.trade import guards

OPEN, DISPUTED, SETTLED = "open", "disputed", "settled"


@dataclass(frozen=True, slots=True)
class Debt:
    """What one stay left owing and what is left of it. *state*: open, disputed (asked of nobody) or settled."""

    debt_id: str
    stay_id: str
    plate: str
    cause: str
    owed_fen: int
    wall_ms: int
    left_fen: int
    state: str


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that became of a debt: paid, waived or reversed by *amount_fen*, disputed, upheld."""

    move_id: str
    debt_id: str
    kind: str
    amount_fen: int
    payment_id: str
    by: str
    reason: str
    wall_ms: int


_WORD = (
    "ifnull((SELECT kind FROM debt_move AS word WHERE word.debt_id = debt.debt_id AND kind IN ('disputed', 'upheld')"
    " ORDER BY rowid DESC LIMIT 1), '')"
)
_LEFT = "owed_fen - (SELECT coalesce(sum(amount_fen), 0) FROM debt_move WHERE debt_move.debt_id = debt.debt_id)"
_DEBTS = (
    "SELECT debt_id, stay_id, plate, cause, owed_fen, wall_ms, left_fen,"  # noqa: S608
    " CASE WHEN left_fen = 0 THEN 'settled' WHEN word = 'disputed' THEN 'disputed' ELSE 'open' END AS state"
    f" FROM (SELECT *, {_LEFT} AS left_fen, {_WORD} AS word FROM debt)"
)


def open_of(conn: sqlite3.Connection, plate: str) -> list[Debt]:
    """What a plate owes and may be asked for, the oldest first."""
    rows = conn.execute(f"{_DEBTS} WHERE plate = ? AND state = 'open' ORDER BY wall_ms, debt_id", (plate,))
    return [Debt(*row) for row in rows]


def of_plate(conn: sqlite3.Connection, plate: str) -> list[Debt]:
    """Everything a plate ever owed, the newest first."""
    return [Debt(*row) for row in conn.execute(f"{_DEBTS} WHERE plate = ? ORDER BY wall_ms DESC, debt_id", (plate,))]


def of_stay(conn: sqlite3.Connection, stay_id: str) -> list[Debt]:
    """What a stay left owing."""
    return [Debt(*row) for row in conn.execute(f"{_DEBTS} WHERE stay_id = ? ORDER BY wall_ms, debt_id", (stay_id,))]


def get(conn: sqlite3.Connection, debt_id: str) -> Debt | None:
    """One debt."""
    row = conn.execute(f"{_DEBTS} WHERE debt_id = ?", (debt_id,)).fetchone()
    return Debt(*row) if row else None


def page(
    conn: sqlite3.Connection, states: Sequence[str], containing: str = "", most: int = 200, after: int = 0
) -> list[Debt]:
    """Debts in one of *states* whose plates have these characters, the newest first, *after* of them left out."""
    marks = ",".join("?" * len(states))
    rows = conn.execute(
        f"{_DEBTS} WHERE state IN ({marks}) AND instr(plate, ?) > 0 ORDER BY wall_ms DESC, debt_id LIMIT ? OFFSET ?",
        (*states, containing, most, after),
    )
    return [Debt(*row) for row in rows]


def totals(conn: sqlite3.Connection, states: Sequence[str], containing: str = "") -> tuple[int, int]:
    """How many debts such a list has, and what is left of them in all."""
    marks = ",".join("?" * len(states))
    query = f"SELECT count(*), coalesce(sum(left_fen), 0) FROM ({_DEBTS}) WHERE state IN ({marks})"  # noqa: S608
    row = conn.execute(f"{query} AND instr(plate, ?) > 0", (*states, containing)).fetchone()
    return int(row[0]), int(row[1])


def moves(conn: sqlite3.Connection, debt_id: str) -> list[Move]:
    """What became of a debt, in order."""
    rows = conn.execute("SELECT * FROM debt_move WHERE debt_id = ? ORDER BY rowid", (debt_id,))
    return [Move(**dict(row)) for row in rows]


def add(conn: sqlite3.Connection, move: Move) -> None:
    """Add what became of a debt. Raises sqlite3.IntegrityError when its id is known."""
    conn.execute(
        "INSERT INTO debt_move VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (move.move_id, move.debt_id, move.kind, move.amount_fen, move.payment_id, move.by, move.reason, move.wall_ms),
    )


def paid_by(conn: sqlite3.Connection, payment_id: str) -> int:
    """How much of a payment went into debts."""
    query = "SELECT coalesce(sum(amount_fen), 0) FROM debt_move WHERE payment_id = ? AND kind = 'paid'"
    return int(conn.execute(query, (payment_id,)).fetchone()[0])


SCHEMA = """
CREATE TABLE new_debt (debt_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL, plate TEXT NOT NULL, cause TEXT NOT NULL,
    owed_fen INTEGER NOT NULL CHECK (owed_fen > 0), wall_ms INTEGER NOT NULL) STRICT;
INSERT INTO new_debt SELECT * FROM debt;
DROP TABLE debt;
ALTER TABLE new_debt RENAME TO debt;
CREATE INDEX debt_plate ON debt (plate);
CREATE INDEX debt_stay ON debt (stay_id);
CREATE TABLE debt_move (move_id TEXT PRIMARY KEY, debt_id TEXT NOT NULL REFERENCES debt (debt_id),
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'waived', 'reversed', 'disputed', 'upheld')),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0 AND (amount_fen > 0) = (kind NOT IN ('disputed', 'upheld'))),
    payment_id TEXT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX debt_move_debt ON debt_move (debt_id);
CREATE INDEX debt_move_payment ON debt_move (payment_id) WHERE payment_id <> ''
"""


def statements() -> list[str]:
    """The schema step: a stay may leave owing again after it was opened again, and debts have a history."""
    return [*SCHEMA.split(";"), *guards("debt", "debt_move")]
