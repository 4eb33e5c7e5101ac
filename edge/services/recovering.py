"""Coming up after any end, clean or not: nothing is printed or pulsed again, and nobody is locked in (sync §§7, 10)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.events import EdgeStarted, VoucherPrinted
from domain.moment import Moment
from edge.db import journal, log, printjobs, stays, vouchers
from edge.db.database import Database, transaction

DAY_MS = 86_400_000
CLEAN = "clean_stop"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: the last end, and vouchers whose printing nobody can vouch for."""

    clean: bool
    doubtful_vouchers: int
    waiting_cars: int


def recover(db: Database, release: str, now: Moment) -> Recovered:
    """Call once at start, before any lane runs.

    Vouchers caught printing become ``unknown`` and are never printed again (I13). Cars that settled and were not seen
    leaving keep their right to leave for a while; those of more than a day ago are taken as gone.
    """
    with transaction(db) as conn:
        clean = journal.note(conn, CLEAN) != "0"  # a first start has nothing behind it
        doubtful = vouchers.in_state(conn, "printing")
        for voucher in doubtful:
            vouchers.set_state(conn, voucher.key_id, voucher.counter, "unknown", expected=("printing",))
            log.append(conn, VoucherPrinted(voucher.key_id, voucher.counter, "unknown"), now)
        printjobs.doubt(conn)
        for stay in stays.not_passed_before(conn, now.wall_ms - DAY_MS):
            stays.mark_passed(conn, stay)
        waiting = len(stays.not_passed_before(conn, now.wall_ms + DAY_MS))
        log.append(conn, EdgeStarted(release, "run", clean), now)
        journal.set_note(conn, CLEAN, "0")
        return Recovered(clean, len(doubtful), waiting)


def stopped_cleanly(db: Database) -> None:
    """The last thing a daemon writes."""
    with transaction(db) as conn:
        journal.set_note(conn, CLEAN, "1")
