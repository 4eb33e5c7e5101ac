"""What was put on paper and how that ended; vouchers have a journal of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Print:
    """One print and how it ended. *kind* is that of its layout; a voucher's row does not name its printer."""

    kind: str
    subject: str
    printer: str
    by: str
    state: str
    wall_ms: int
    job_id: str = ""  # of a voucher: its key and counter, where somebody is to say what came of it


@dataclass(frozen=True, slots=True)
class Queued:
    """A slip that waits for its printer; nothing of it was sent."""

    job_id: str
    kind: str
    subject: str
    printer: str
    by: str
    wall_ms: int


SCHEMA = (
    "ALTER TABLE print_job ADD COLUMN by TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX print_job_queued ON print_job (wall_ms) WHERE state = 'queued'",
)
QUEUED = "SELECT job_id, kind, subject, printer, by, wall_ms FROM print_job WHERE state = 'queued'"


def queue(conn: sqlite3.Connection, job: Queued) -> None:
    """Have it wait; one of the same subject that waits for this printer already is the same slip."""
    if waiting(conn, job.kind, job.subject, job.printer) is None:
        conn.execute(
            "INSERT INTO print_job (job_id, kind, subject, printer, by, state, wall_ms)"
            " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
            (job.job_id, job.kind, job.subject, job.printer, job.by, job.wall_ms),
        )


def waiting(conn: sqlite3.Connection, kind: str, subject: str, printer: str) -> Queued | None:
    """The slip of *subject* that waits for this printer."""
    query = f"{QUEUED} AND kind = ? AND subject = ? AND printer = ?"
    row = conn.execute(query, (kind, subject, printer)).fetchone()
    return Queued(*row) if row else None


def queued(conn: sqlite3.Connection) -> list[Queued]:
    """All that waits, the first first."""
    return [Queued(*row) for row in conn.execute(f"{QUEUED} ORDER BY wall_ms, job_id")]


def take(conn: sqlite3.Connection, job_id: str) -> int | None:
    """Its turn has come: nobody else may print it now. Returns how often its subject was printed before, or may have
    been; None where it does not wait any more.
    """
    query = "UPDATE print_job SET state = 'printing' WHERE job_id = ? AND state = 'queued' RETURNING kind, subject"
    row = conn.execute(query, (job_id,)).fetchone()
    if row is None:
        return None
    before = (
        "SELECT count(*) FROM print_job WHERE kind = ? AND subject = ? AND job_id <> ?"
        " AND state NOT IN ('failed', 'queued')"
    )
    return int(conn.execute(before, (*row, job_id)).fetchone()[0])


def put_back(conn: sqlite3.Connection, job_id: str) -> None:
    """The printer took nothing of it: it waits on."""
    conn.execute("UPDATE print_job SET state = 'queued' WHERE job_id = ? AND state = 'printing'", (job_id,))


def drop(conn: sqlite3.Connection, job_ids: Sequence[str]) -> int:
    """Let go of slips that wait; returns how many did."""
    query = "UPDATE print_job SET state = 'failed' WHERE job_id = ? AND state = 'queued'"
    return sum(conn.execute(query, (job_id,)).rowcount for job_id in job_ids)


def end(conn: sqlite3.Connection, job_id: str, state: str) -> None:
    """How it ended."""
    conn.execute("UPDATE print_job SET state = ? WHERE job_id = ? AND state = 'printing'", (state, job_id))


def say(conn: sqlite3.Connection, job_id: str, state: str) -> str:
    """Somebody looked what came of a job in doubt. Returns of which kind it is, "" where none is in doubt."""
    query = "UPDATE print_job SET state = ? WHERE job_id = ? AND state = 'unknown' RETURNING kind"
    row = conn.execute(query, (state, job_id)).fetchone()
    return str(row[0]) if row else ""


def doubt(conn: sqlite3.Connection) -> int:
    """Jobs the last process was printing: nobody knows what came of them. Returns how many."""
    return conn.execute("UPDATE print_job SET state = 'unknown' WHERE state = 'printing'").rowcount


def recent(conn: sqlite3.Connection, most: int) -> list[Print]:
    """The newest prints of everything, vouchers among them."""
    rows = conn.execute(
        "SELECT kind, subject, printer, by, state, wall_ms, job_id FROM print_job UNION ALL"
        " SELECT 'voucher', printf('%d-%06d', key_id, counter), '', by, CASE WHEN voided THEN 'voided' WHEN used THEN"
        " 'used' ELSE state END, wall_ms, CASE WHEN state = 'unknown' AND NOT voided AND NOT used THEN"
        " printf('%d:%d', key_id, counter) ELSE '' END FROM (SELECT *, EXISTS (SELECT 1 FROM voucher_in_use AS one"
        " WHERE one.key_id = voucher.key_id AND one.counter = voucher.counter) AS used FROM voucher"
        " ORDER BY wall_ms DESC, counter DESC LIMIT ?1) ORDER BY wall_ms DESC LIMIT ?1",
        (most,),
    )
    return [Print(*row) for row in rows]


def states(conn: sqlite3.Connection, kind: str, subject: str) -> list[str]:
    """How every print of *subject* ended, the first first."""
    query = "SELECT state FROM print_job WHERE kind = ? AND subject = ? ORDER BY wall_ms, job_id"
    return [state for (state,) in conn.execute(query, (kind, subject))]
