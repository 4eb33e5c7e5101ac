"""What is put on paper besides vouchers, on record before and after: a second print is a copy and says so (E40)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.decision import Refuse
from domain.moment import Moment
from edge.db import journal, printjobs
from edge.db.database import Database, transaction
from edge.services.lot import Done, Lot, Result

REPORT, RECEIPT, TEST = "report", "receipt", "test"


@dataclass(frozen=True, slots=True)
class Sent(Done):
    """It went to a printer that never answers; whoever stands there says what came of *job_id*."""

    job_id: str


def outcome(subject: str, job_id: str, state: str, *, silent: bool) -> Result:
    """What to tell whoever had it printed. Refuses ``print_unknown``."""
    if state == "confirmed":
        return Done(subject)
    return Sent(subject, job_id) if silent else Refuse("print_unknown")


def begin(
    db: Database, lot: Lot, kind: str, subject: str, printer: str, by: str, now: Moment, *, counts: bool = True
) -> tuple[str, int]:
    """Before the printer hears of it; returns the job and which copy it is (0: the paper itself).

    What does not *count* is not a paper of its own yet, such as a report in the middle of a shift.
    """
    with transaction(db) as conn:
        job_id = lot.new_id(now)
        copy = printjobs.begin(conn, job_id, kind, subject if counts else f"{subject}:now", printer, now)
        journal.act(conn, by, f"{kind}.print", subject, str(copy) if counts else "", now)
        return job_id, copy if counts else 0


def said(db: Database, job_id: str, by: str, came_out: bool, now: Moment) -> bool:
    """Somebody looked at the printer: a slip in doubt did or did not come out. False where it is not in doubt."""
    with transaction(db) as conn:
        kind = printjobs.say(conn, job_id, "confirmed" if came_out else "failed")
        if kind:
            journal.act(conn, by, "print.seen" if came_out else "print.missed", kind, job_id, now)
        return bool(kind)


def end(db: Database, job_id: str, state: str, _now: Moment) -> None:
    """How it ended: confirmed, or unknown (somebody looks, and prints again if it did not come out)."""
    with transaction(db) as conn:
        printjobs.end(conn, job_id, state)
