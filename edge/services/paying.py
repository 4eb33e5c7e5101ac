"""Money taken at the booth for a stay that is still open."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.decision import Admit, Refuse
from domain.events import PaymentTaken
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from edge.db import arrears as owed
from edge.db import journal, log, money, stays
from edge.db.database import Database, transaction
from edge.db.shifts import ShiftRow
from edge.db.stays import StayRow
from edge.services import arrears, receipts, settling, shifts
from edge.services.lot import Lot
from edge.settings import Arrears

STILL_LEAVING = Admit("within_leave_time")


@dataclass(frozen=True, slots=True)
class Taken:
    """Money is in the drawer and in the book; *left_fen* is still due."""

    payment_id: str
    stay_id: str
    amount_fen: int
    left_fen: int


def take_cash(
    db: Database, lot: Lot, payment_id: str, stay_id: str, amount_fen: int, by: str, now: Moment, *, at: str = "",
    tendered_fen: int = 0,
) -> Taken | Refuse:  # fmt: skip
    """Take cash for an open stay; the same *payment_id* again (a double tap) takes nothing more.

    *at* is the workstation whose drawer it goes into, *tendered_fen* what the driver handed over, for the receipt.
    Refuses ``no_open_stay``, ``bad_amount``, ``more_than_due`` (change is
    given before the money is booked) and what ``shifts.taking`` refuses.
    """
    with transaction(db) as conn:
        known = money.payment(conn, payment_id)
        if known is not None:
            return Taken(payment_id, known.stay_id, known.amount_fen, due_of(conn, lot, known.stay_id, now))
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if amount_fen <= 0:
            return Refuse("bad_amount")
        standing = settling.standing(conn, lot, stay, now)
        if amount_fen > int(standing.explanation.get("due_fen", 0)):
            return Refuse("more_than_due")
        shift = shifts.taking(conn, lot, at, by)
        if isinstance(shift, Refuse):
            return shift
        receipts.keep(conn, lot, stay, standing, payment_id, amount_fen, tendered_fen, by, at, now)
        _book(conn, lot, payment_id, stay, amount_fen, by, now, shift)
        return Taken(payment_id, stay_id, amount_fen, settle_if_paid(conn, lot, stay_id, now))


def _book(
    conn: sqlite3.Connection, lot: Lot, payment_id: str, stay: StayRow, amount_fen: int, by: str, now: Moment,
    shift: ShiftRow | None,
) -> None:  # fmt: skip
    """One payment: debts the exit collects are older, so they come first; what is over is for the stay."""
    stay_id = stay.stay_id
    money.insert_payment(conn, money.PaymentRow(payment_id, stay_id, "cash", amount_fen, by, now.wall_ms))
    collected = owed.open_of(conn, stay.plate) if lot.rules.arrears is Arrears.COLLECT else []
    for_stay = arrears.settle(conn, lot, collected, amount_fen, payment_id, by, now, shift=shift)
    stays.add_paid(conn, stay_id, for_stay)
    postings = move("held", "cash", for_stay, Commodity.FEN, Funds.PAID)
    money.post(conn, f"pay:{payment_id}", postings, stay_id, now)
    shifts.note_entry(conn, shift, f"pay:{payment_id}")
    log.append(conn, PaymentTaken(payment_id, stay_id, "cash", amount_fen, by), now, payment_id)
    journal.act(conn, by, "payment.take", stay_id, "", now)


def due_of(conn: sqlite3.Connection, lot: Lot, stay_id: str, now: Moment) -> int:
    """What is due for a stay now, 0 when it is closed."""
    stay = stays.get(conn, stay_id)
    if stay is None or not stay.is_open:
        return 0
    return int(settling.standing(conn, lot, stay, now).explanation.get("due_fen", 0))


def fee_due_of(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> int:
    """The part of what is due that is this stay's own fee."""
    why = settling.standing(conn, lot, stay, now).explanation
    return int(why["fee_due_fen"] if "fee_due_fen" in why else why.get("due_fen", 0))


def settle_if_paid(conn: sqlite3.Connection, lot: Lot, stay_id: str, now: Moment) -> int:
    """Start the leave-within time when something was charged and nothing is due any more; returns what is due.

    It starts once: a paper laid on a settled stay gives no second time to leave.
    """
    stay = stays.get(conn, stay_id)
    if stay is None or not stay.is_open:
        return 0
    decision = settling.standing(conn, lot, stay, now)
    due = int(decision.explanation.get("due_fen", 0))
    if due == 0 and decision.priced is not None and decision.verdict != STILL_LEAVING:
        final = settling.ending(decision.priced, stay)
        if final.fee_fen:
            stays.settle(conn, stay_id, now, final.fee_fen, final.off)
    return due
