"""Decisions with all they rested on, and the one pulse each may cause (I22)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass

from domain.decision import Decision
from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A stored decision; *body* is its canonical text."""

    decision_id: str
    kind: str
    lane: str
    stay_id: str
    plate: str
    verdict: str
    code: str
    wall_ms: int
    body: bytes


def insert(conn: sqlite3.Connection, decision_id: str, decision: Decision, stay_id: str, now: Moment) -> None:
    """Keep a decision for ever."""
    said = decision.verdict
    code = str(getattr(said, "code", "") or getattr(said, "reason", "") or getattr(said, "due_fen", ""))
    inputs = decision.inputs
    conn.execute(
        "INSERT INTO decision (decision_id, kind, lane, stay_id, plate, verdict, code, wall_ms, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (decision_id, decision.kind, inputs.lane, stay_id, inputs.plate, type(decision.verdict).__name__, code,
         now.wall_ms, decision.text()),
    )  # fmt: skip


def get(conn: sqlite3.Connection, decision_id: str) -> DecisionRow | None:
    """One decision."""
    row = conn.execute("SELECT * FROM decision WHERE decision_id = ?", (decision_id,)).fetchone()
    return DecisionRow(**dict(row)) if row else None


def recent(conn: sqlite3.Connection, most: int = 50) -> list[DecisionRow]:
    """The newest decisions first."""
    rows = conn.execute("SELECT * FROM decision ORDER BY decision_id DESC LIMIT ?", (most,))
    return [DecisionRow(**dict(row)) for row in rows]


def reserve_pulse(
    conn: sqlite3.Connection, decision_id: str, lane: str, stay_id: str, now: Moment, by: str = "", reason: str = ""
) -> None:
    """The one pulse this decision may cause. Raises sqlite3.IntegrityError on a second one (I22)."""
    conn.execute("INSERT INTO pulse VALUES (?, ?, ?, ?, ?, ?)", (decision_id, lane, stay_id, by, reason, now.wall_ms))


def was_pulsed(conn: sqlite3.Connection, decision_id: str) -> bool:
    """Has this decision used its pulse?"""
    return conn.execute("SELECT 1 FROM pulse WHERE decision_id = ?", (decision_id,)).fetchone() is not None


def mark_acted(conn: sqlite3.Connection, read_ids: list[str], decision_id: str, now: Moment) -> None:
    """These records opened a barrier once; the same records again never do."""
    conn.executemany(
        "INSERT OR IGNORE INTO acted_read VALUES (?, ?, ?)", [(read, decision_id, now.wall_ms) for read in read_ids]
    )


def acted_on(conn: sqlite3.Connection, read_id: str) -> str | None:
    """The decision this record led to, or None."""
    row = conn.execute("SELECT decision_id FROM acted_read WHERE read_id = ?", (read_id,)).fetchone()
    return row[0] if row else None


def keep_source(conn: sqlite3.Connection, text: bytes) -> str:
    """Keep a tariff or calendar text under its digest, which is returned."""
    digest = hashlib.sha256(text).hexdigest()
    conn.execute("INSERT OR IGNORE INTO source VALUES (?, ?)", (digest, text))
    return digest


def source(conn: sqlite3.Connection, digest: str) -> bytes | None:
    """The text kept under *digest*."""
    row = conn.execute("SELECT text FROM source WHERE digest = ?", (digest,)).fetchone()
    return row[0] if row else None


def note_picture(conn: sqlite3.Connection, decision_id: str, kind: str, now: Moment) -> None:
    """A decision was taken on a picture; *kind* is ``frame`` or ``crop``. The picture itself is a file."""
    conn.execute("INSERT OR IGNORE INTO picture VALUES (?, ?, ?)", (decision_id, kind, now.wall_ms))


def picture_time(conn: sqlite3.Connection, decision_id: str, kind: str) -> int | None:
    """When a decision's picture was taken (wall clock, ms); None when there is none."""
    row = conn.execute("SELECT wall_ms FROM picture WHERE decision_id = ? AND kind = ?", (decision_id, kind)).fetchone()
    return row[0] if row else None


def picture_kinds(conn: sqlite3.Connection, decision_id: str) -> frozenset[str]:
    """Which pictures a decision was taken on."""
    rows = conn.execute("SELECT kind FROM picture WHERE decision_id = ?", (decision_id,))
    return frozenset(row[0] for row in rows)


_STILL_ASKED = (
    "passed = 0 OR stay_id IN (SELECT continues FROM stay WHERE passed = 0) OR stay_id IN (SELECT stay_id FROM debt"
    " WHERE owed_fen > (SELECT coalesce(sum(amount_fen), 0) FROM debt_move WHERE debt_move.debt_id = debt.debt_id))"
)


def still_asked(conn: sqlite3.Connection) -> frozenset[str]:
    """Decisions whose pictures somebody may ask for: of cars that are here, and of debts, disputed or not."""
    rows = conn.execute(f"SELECT decision_in, decision_out FROM stay WHERE {_STILL_ASKED}")  # noqa: S608
    return frozenset(decision for row in rows for decision in row if decision)


def prune(conn: sqlite3.Connection, pictures_before_ms: int, reads_before_ms: int) -> None:
    """Forget pictures nobody may ask for and read names, that are older than the lot keeps them."""
    asked = json.dumps(sorted(still_asked(conn)))
    conn.execute(
        "DELETE FROM picture WHERE wall_ms < ? AND decision_id NOT IN (SELECT value FROM json_each(?))",
        (pictures_before_ms, asked),
    )
    conn.execute("DELETE FROM acted_read WHERE wall_ms < ?", (reads_before_ms,))
