"""Cash given back at the booth: an exit that was cancelled, too much taken, the difference of a coupon shown late.

While the stay is open what it paid becomes less, and it may owe again; once it is closed its end stands, and the book
has the refund in an account of its own. Only cash comes out of a drawer: what was paid by phone goes back by phone.
Where the lot wants it so, a coupon that came after the cash counts from the refund on, so its difference is no debt and
is there once (0049).
"""

from __future__ import annotations

import sqlite3
from functools import partial

from domain.coupon.terms import Late
from domain.decision import Refuse
from domain.events import CashRefunded
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from domain.shift import CASH
from edge.db import journal, log, money, refunds, stays
from edge.db.database import Database, transaction
from edge.db.refunds import Refund
from edge.db.stays import StayRow
from edge.services import giving_back, limiting, receipts, settling, shifts, staffing
from edge.services.giving_back import Difference
from edge.services.lot import Done, Lot, Result

HELD, REFUNDED = "held", "refunded"


def refundable_fen(conn: sqlite3.Connection, stay_id: str) -> int:
    """Cash that was taken for a stay and is not given back yet."""
    return max(0, refunds.cash_of(conn, stay_id) - _given(conn, stay_id))


def _given(conn: sqlite3.Connection, stay_id: str) -> int:
    return sum(one.amount_fen for one in refunds.of_stay(conn, stay_id))


def late_coupon(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> Difference | None:
    """What an open stay gets back in cash because of a coupon that came after it, within the lot's limit."""
    ways = limiting.ways_here(conn, lot)
    if not stay.is_open or ways.late is not Late.REFUND or not ways.cash_back:
        return None
    found = giving_back.difference(conn, lot, stay, CASH, now)
    if found is None or _given(conn, stay.stay_id) + found.back_fen > ways.back_most_fen:
        return None
    return found


def late_fen(conn: sqlite3.Connection, lot: Lot, stay_id: str, now: Moment) -> int:
    """How much that is, of the cash that was not given back yet."""
    stay = stays.get(conn, stay_id)
    late = late_coupon(conn, lot, stay, now) if stay else None
    return min(refundable_fen(conn, stay_id), late.back_fen) if late else 0


def overpaid_fen(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> int:
    """What an open stay paid beyond its fee of now, coupons that came too late included; 0 of a closed one."""
    if not stay.is_open:
        return 0
    late = late_fen(conn, lot, stay.stay_id, now)
    if late:
        return late
    priced = settling.standing(conn, lot, stay, now).priced
    needed = priced.fee_fen - priced.off_fen - stay.waived_fen if priced else 0
    return min(refundable_fen(conn, stay.stay_id), max(0, stay.paid_fen - max(0, needed)))


def refund(
    db: Database, lot: Lot, refund_id: str, stay_id: str, amount_fen: int, by: str, reason: str, now: Moment, *,
    approved_by: str = "", at: str = "",
) -> Result:  # fmt: skip
    """Give cash back for a stay; the same *refund_id* again gives nothing more.

    *approved_by*: a supervisor beside them, whose limit counts then. *at* is the workstation whose drawer it comes
    out of. Refuses ``reason_missing``, ``no_such_stay``, ``bad_amount``, ``more_than_paid``, ``above_refund_limit``,
    ``more_than_in_drawer`` and what ``shifts.taking`` refuses.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        if refunds.get(conn, refund_id) is not None:
            return Done(refund_id)
        stay = stays.get(conn, stay_id)
        if stay is None:
            return Refuse("no_such_stay")
        if not 0 < amount_fen <= refundable_fen(conn, stay_id):
            return Refuse("more_than_paid" if amount_fen > 0 else "bad_amount")
        if not staffing.may_refund(conn, lot.rules, approved_by or by, _given(conn, stay_id) + amount_fen):
            return Refuse("above_refund_limit")
        shift = shifts.taking(conn, lot, at, by)
        if isinstance(shift, Refuse):
            return shift
        if shift is not None and amount_fen > shifts.totals(conn, shift.shift_id).expected_fen:
            return Refuse("more_than_in_drawer")
        late = late_coupon(conn, lot, stay, now)
        if late is not None:
            giving_back.settle_anew(conn, stay, late)
        row = Refund(
            refund_id, stay_id, HELD if stay.is_open else REFUNDED, amount_fen, by, approved_by, reason, now.wall_ms
        )
        _give(conn, stay, row, now, note=partial(shifts.note_entry, conn, shift))
        receipts.keep_refund(conn, lot, stay, row, at, now)
        return Done(refund_id)


def _give(conn: sqlite3.Connection, stay: StayRow, row: Refund, now: Moment, note: partial[None]) -> None:
    """The row, the book, the event; an open stay has paid that much less."""
    refunds.insert(conn, row)
    entry = f"refund:{row.refund_id}"
    money.post(conn, entry, move(CASH, row.account, row.amount_fen, Commodity.FEN, Funds.PAID), stay.stay_id, now)
    note(entry)
    if stay.is_open:
        stays.add_paid(conn, stay.stay_id, -row.amount_fen)
    said = CashRefunded(row.refund_id, stay.stay_id, row.amount_fen, row.by, row.approved_by, row.reason)
    log.append(conn, said, now, row.refund_id)
    if row.approved_by:
        journal.act(conn, row.approved_by, "refund.approve", stay.stay_id, f"{row.amount_fen} {row.by}", now)
    journal.act(conn, row.by, "refund.give", stay.stay_id, f"{row.amount_fen} {row.reason}", now)
