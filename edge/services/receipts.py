"""A receipt for money taken at a workstation: the fee line by line as it stood at that moment."""

from __future__ import annotations

import sqlite3

from domain.decision import Decision, Priced
from domain.moment import Moment
from domain.wire import Json
from edge.db import receipts
from edge.db.receipts import ReceiptRow
from edge.db.stays import StayRow
from edge.services.lot import Lot


def keep(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, decision: Decision, payment_id: str, taken_fen: int,
    tendered_fen: int, by: str, workstation: str, now: Moment,
) -> None:  # fmt: skip
    """Write down, in the caller's transaction, what a payment's receipt says. Nothing in a lot without workstations.

    *decision* is from before the payment; *tendered_fen* what the driver handed over, at least what was taken.
    """
    if workstation not in lot.workstations:
        return
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
    receipts.insert(
        conn, ReceiptRow(payment_id, 0, stay.stay_id, workstation, stay.plate, taken_fen, by, now.wall_ms, body)
    )
