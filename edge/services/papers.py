"""What is put on paper besides vouchers, on record before and after: a second print is a copy and says so (E40)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.decision import Refuse
from domain.moment import Moment
from edge.db import journal, printjobs, stays
from edge.db.database import Database, transaction
from edge.db.printjobs import Queued
from edge.services.lot import Done, Lot, Result

REPORT, RECEIPT, TICKET, TEST = "report", "receipt", "ticket", "test"
SO_FAR = ":now"  # ends the subject of what is no paper of its own yet, such as a report in the middle of a shift


@dataclass(frozen=True, slots=True)
class Begun:
    """A slip whose turn has come; *copy* 0 is the paper itself."""

    job_id: str
    kind: str
    subject: str
    printer: str
    copy: int


@dataclass(frozen=True, slots=True)
class Sent(Done):
    """It went to a printer that never answers; whoever stands there says what came of *job_id*."""

    job_id: str


def outcome(subject: str, job_id: str, state: str, *, silent: bool) -> Result:
    """What to tell whoever had it printed. Refuses ``print_unknown``."""
    if state == "confirmed":
        return Done(subject)
    return Sent(subject, job_id) if silent else Refuse("print_unknown")


def wait(db: Database, lot: Lot, kind: str, subject: str, printer: str, by: str, now: Moment) -> None:
    """Its printer is not ready: it stands in the line, once, whatever comes."""
    with transaction(db) as conn:
        printjobs.queue(conn, Queued(lot.new_id(now), kind, subject, printer, by, now.wall_ms))


def begin(db: Database, lot: Lot, kind: str, subject: str, printer: str, by: str, now: Moment) -> Begun:
    """Before the printer hears of it. Where it waited in the line, its turn has come."""
    with transaction(db) as conn:
        printjobs.queue(conn, Queued(lot.new_id(now), kind, subject, printer, by, now.wall_ms))
        job = printjobs.waiting(conn, kind, subject, printer)
        begun = _take(conn, replace(job, by=by), now) if job else None
        if begun is None:
            raise LookupError(f"no job of {kind} {subject}")
        return begun


def take(db: Database, job: Queued, now: Moment) -> Begun | None:
    """The turn of a slip that waited has come; None where somebody printed or dropped it meanwhile."""
    with transaction(db) as conn:
        return _take(conn, job, now)


def _take(conn: sqlite3.Connection, job: Queued, now: Moment) -> Begun | None:
    copy = printjobs.take(conn, job.job_id)
    if copy is None:
        return None
    counts = not job.subject.endswith(SO_FAR)
    journal.act(conn, job.by, f"{job.kind}.print", job.subject.removesuffix(SO_FAR), str(copy) if counts else "", now)
    return Begun(job.job_id, job.kind, job.subject, job.printer, copy if counts else 0)


def put_back(db: Database, job_id: str, _now: Moment) -> None:
    """The printer took nothing of it: it waits on."""
    with transaction(db) as conn:
        printjobs.put_back(conn, job_id)


def drop(db: Database, job_ids: Sequence[str]) -> int:
    """Let go of slips that wait; returns how many did."""
    with transaction(db) as conn:
        return printjobs.drop(conn, job_ids)


def said(db: Database, job_id: str, by: str, came_out: bool, now: Moment) -> bool:
    """Somebody looked at the printer: a slip in doubt did or did not come out. False where it is not in doubt."""
    with transaction(db) as conn:
        kind = printjobs.say(conn, job_id, "confirmed" if came_out else "failed")
        if kind:
            journal.act(conn, by, "print.seen" if came_out else "print.missed", kind, job_id, now)
        return bool(kind)


def end(db: Database, begun: Begun, state: str, silent: bool, now: Moment) -> None:
    """How it ended: confirmed, or unknown (somebody looks, and prints again if it did not come out).

    A ticket that may not have come out is an incident, for its number was on the board only. *silent*: its printer
    never answers, so that every ticket would be one; somebody says at the printers' page.
    """
    with transaction(db) as conn:
        printjobs.end(conn, begun.job_id, state)
        if begun.kind == TICKET and state != "confirmed" and not silent:
            stay = stays.get(conn, begun.subject)
            journal.incident(conn, "ticket_in_doubt", stay.lane_in if stay else "", begun.job_id, now)
