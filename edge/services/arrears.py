"""What plates owe from earlier visits: paid, waived, disputed. Every move is a row, an event and a balanced entry."""

from __future__ import annotations

import sqlite3

from domain.decision import Refuse
from domain.events import DebtMoved, PaymentTaken
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from edge.db import arrears, journal, log, money
from edge.db.arrears import Debt, Move
from edge.db.database import Database, transaction
from edge.db.shifts import ShiftRow
from edge.services import receipts, shifts
from edge.services.lot import Done, Lot, Result
from edge.services.staffing import is_at_least, may_waive

LANDS_IN = {"paid": "cash", "waived": "waived"}  # which account takes what is no longer owed


def pay(
    db: Database, lot: Lot, payment_id: str, plate: str, amount_fen: int, by: str, now: Moment, *, at: str = "",
    tendered_fen: int = 0,
) -> Result:  # fmt: skip
    """Take cash at the booth for what a plate owes, the oldest debt first; the same *payment_id* again takes nothing.

    *at* is the workstation whose drawer it goes into, *tendered_fen* what was handed over, for the receipt. Refuses
    ``nothing_owed``, ``bad_amount``, ``more_than_due`` and what ``shifts.taking`` refuses.
    """
    with transaction(db) as conn:
        if money.payment(conn, payment_id) is not None:
            return Done(payment_id)
        debts = arrears.open_of(conn, plate)
        if not debts:
            return Refuse("nothing_owed")
        if amount_fen <= 0:
            return Refuse("bad_amount")
        if amount_fen > sum(debt.left_fen for debt in debts):
            return Refuse("more_than_due")
        shift = shifts.taking(conn, lot, at, by)
        if isinstance(shift, Refuse):
            return shift
        stay_id = debts[0].stay_id
        money.insert_payment(conn, money.PaymentRow(payment_id, stay_id, "cash", amount_fen, by, now.wall_ms))
        log.append(conn, PaymentTaken(payment_id, stay_id, "cash", amount_fen, by), now, payment_id)
        journal.act(conn, by, "debt.pay", payment_id, "", now)
        receipts.keep_debts(conn, lot, debts, payment_id, amount_fen, tendered_fen, by, at, now)
        settle(conn, lot, debts, amount_fen, payment_id, by, now, shift=shift)
        return Done(payment_id)


def settle(
    conn: sqlite3.Connection, lot: Lot, debts: list[Debt], amount_fen: int, payment_id: str, by: str, now: Moment,
    account: str = "cash", shift: ShiftRow | None = None,
) -> int:  # fmt: skip
    """Put a payment's money into *debts*, the oldest first, in the caller's transaction; returns what is over."""
    for debt in debts:
        part = min(amount_fen, debt.left_fen)
        if part:
            move_id = add_move(conn, lot, debt, "paid", part, by, "", now, payment_id, account)
            shifts.note_entry(conn, shift, f"debt:{move_id}")
        amount_fen -= part
    return amount_fen


def waive(
    db: Database, lot: Lot, debt_id: str, amount_fen: int, by: str, reason: str, now: Moment, *, approved_by: str = ""
) -> Result:
    """Let go of part of a debt. Refuses more than is left, and more than this person's role may let go of.

    *approved_by*: a supervisor beside them, whose limit counts then.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        debt = arrears.get(conn, debt_id)
        if debt is None or not debt.left_fen:
            return Refuse("nothing_owed")
        if not 0 < amount_fen <= debt.left_fen:
            return Refuse("more_than_due" if amount_fen > 0 else "bad_amount")
        before = sum(one.amount_fen for one in arrears.moves(conn, debt_id) if one.kind == "waived")
        if not may_waive(conn, lot.rules, approved_by or by, before + amount_fen):
            return Refuse("above_waive_limit")
        add_move(conn, lot, debt, "waived", amount_fen, by, reason, now)
        if approved_by:
            journal.act(conn, approved_by, "debt.approve", debt_id, f"{amount_fen} {by}", now)
        journal.act(conn, by, "debt.waive", debt_id, f"{amount_fen} {reason}", now)
        return Done(debt_id)


def dispute(db: Database, lot: Lot, debt_id: str, by: str, role: str, reason: str, now: Moment) -> Result:
    """The driver denies it: nobody is asked for it until somebody has looked into it. Refuses ``supervisor_only``."""
    return _say(db, lot, debt_id, "disputed", by, role, reason, now)


def uphold(db: Database, lot: Lot, debt_id: str, by: str, role: str, reason: str, now: Moment) -> Result:
    """It was looked into and stands: it may be asked for again. Refuses ``supervisor_only``."""
    return _say(db, lot, debt_id, "upheld", by, role, reason, now)


def _say(db: Database, lot: Lot, debt_id: str, kind: str, by: str, role: str, reason: str, now: Moment) -> Result:
    if not is_at_least(role, lot.rules.dispute_by):
        return Refuse("supervisor_only")
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        debt = arrears.get(conn, debt_id)
        if debt is None or not debt.left_fen:
            return Refuse("nothing_owed")
        if (debt.state == arrears.DISPUTED) == (kind == "disputed"):
            return Done(debt_id)
        add_move(conn, lot, debt, kind, 0, by, reason, now)
        journal.act(conn, by, f"debt.{'dispute' if kind == 'disputed' else 'uphold'}", debt_id, reason, now)
        return Done(debt_id)


def add_move(
    conn: sqlite3.Connection, lot: Lot, debt: Debt, kind: str, amount_fen: int, by: str, reason: str, now: Moment,
    payment_id: str = "", account: str = "cash",
) -> str:  # fmt: skip
    """Add what became of a debt in the caller's transaction: the row, the book where it moves, the event. Its id.

    *account* is the one that took the money of a debt that was paid.
    """
    move_id = lot.new_id(now)
    arrears.add(conn, Move(move_id, debt.debt_id, kind, amount_fen, payment_id, by, reason, now.wall_ms))
    if kind in LANDS_IN:
        postings = move("owed", account if kind == "paid" else LANDS_IN[kind], amount_fen, Commodity.FEN, Funds.PAID)
        money.post(conn, f"debt:{move_id}", postings, debt.stay_id, now)
    log.append(conn, DebtMoved(move_id, debt.debt_id, kind, amount_fen, payment_id, by, reason), now, debt.debt_id)
    return move_id
