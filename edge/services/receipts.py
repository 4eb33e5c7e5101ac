"""A receipt for money taken at a workstation: the fee line by line as it stood at that moment."""

from __future__ import annotations

import sqlite3

from domain.decision import Decision, Priced
from domain.moment import Moment
from domain.wire import Json
from edge.db import receipts
from edge.db.arrears import Debt
from edge.db.receipts import ReceiptRow
from edge.db.refunds import Refund
from edge.db.stays import StayRow
from edge.services.lot import Lot


def keep(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, decision: Decision, payment_id: str, taken_fen: int,
    tendered_fen: int, by: str, workstation: str, now: Moment,
) -> None:  # fmt: skip
    """Write down, in the caller's transaction, what a payment's receipt says. Nothing in a lot without workstations.

    *decision* is from before the payment; *tendered_fen* what the driver handed over, at least what was taken.
    """
    why, priced = decision.explanation, decision.priced or Priced(0, ())
    body: Json = {
        "entered_ms": stay.entered.wall_ms,
        "lines": [{"rule": str(line.get("rule", "")), "fen": int(line.get("fen", 0))} for line in priced.lines],
        "coupons": [step for step in priced.steps if "refused" not in step],
        "debts_fen": sum(int(debt.get("fen", 0)) for debt in why.get("debts", ())),
        "fee_fen": priced.fee_fen,
        "off_fen": priced.off_fen,
        "waived_fen": stay.waived_fen,
        "paid_fen": stay.paid_fen,
        "due_fen": int(why.get("due_fen", 0)),
        "tendered_fen": max(tendered_fen, taken_fen),
    }
    _keep(conn, lot, stay.stay_id, stay.plate, payment_id, taken_fen, by, workstation, now, body)


def keep_refund(conn: sqlite3.Connection, lot: Lot, stay: StayRow, row: Refund, workstation: str, now: Moment) -> None:
    """What a refund's receipt says, in the caller's transaction; its sum is below 0."""
    of = receipts.of_stay(conn, stay.stay_id)
    body: Json = {
        "kind": "refund",
        "of": max((one.number for one in of if one.amount_fen > 0), default=0),
        "reason": row.reason,
        "approved_by": row.approved_by,
    }
    _keep(conn, lot, stay.stay_id, stay.plate, row.refund_id, -row.amount_fen, row.by, workstation, now, body)


def keep_debts(
    conn: sqlite3.Connection, lot: Lot, debts: list[Debt], payment_id: str, taken_fen: int, tendered_fen: int, by: str,
    workstation: str, now: Moment,
) -> None:  # fmt: skip
    """What the receipt of a payment without a visit says: the debts it is for, as they stood before it."""
    body: Json = {
        "kind": "debts",
        "debts": [{"wall_ms": one.wall_ms, "fen": one.left_fen} for one in debts],
        "left_fen": sum(one.left_fen for one in debts) - taken_fen,
        "tendered_fen": max(tendered_fen, taken_fen),
    }
    first = debts[0]
    _keep(conn, lot, first.stay_id, first.plate, payment_id, taken_fen, by, workstation, now, body)


def _keep(
    conn: sqlite3.Connection, lot: Lot, stay_id: str, plate: str, receipt_id: str, amount_fen: int, by: str,
    workstation: str, now: Moment, body: Json,
) -> None:  # fmt: skip
    if workstation in lot.workstations:
        row = ReceiptRow(receipt_id, 0, stay_id, workstation, plate, amount_fen, by, now.wall_ms, body)
        receipts.insert(conn, row)
