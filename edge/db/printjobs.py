"""What was put on paper and how that ended; vouchers have a journal of their own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment


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


def begin(conn: sqlite3.Connection, job_id: str, kind: str, subject: str, printer: str, now: Moment) -> int:
    """A slip of *subject* is about to be printed; returns how often one was, or may have been, before."""
    query = "SELECT count(*) FROM print_job WHERE kind = ? AND subject = ? AND state <> 'failed'"
    before = conn.execute(query, (kind, subject)).fetchone()
    conn.execute(
        "INSERT INTO print_job (job_id, kind, subject, printer, state, wall_ms) VALUES (?, ?, ?, ?, 'printing', ?)",
        (job_id, kind, subject, printer, now.wall_ms),
    )
    return int(before[0])


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
        "SELECT kind, subject, printer, '' AS by, state, wall_ms, job_id FROM print_job UNION ALL"
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
