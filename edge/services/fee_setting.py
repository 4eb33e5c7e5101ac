"""A fee set by hand (E35): a lost ticket's price, an entry time that somebody knows, what was agreed with a driver.

What a person sets is the fee of now; kept is by how much that goes beyond or below what the price lists say. The stay
goes on costing by the lists, and the difference is a line of its own in its fee from then on. Coupons count on what the
lists say; what was added by hand they do not take off.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from domain.decision import Decision, ExitInputs, Refuse, decide_exit
from domain.events import FeeOverridden
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from edge.db import fees_set, journal, log, money, stays
from edge.db import shifts as rows
from edge.db.database import Database, transaction
from edge.db.fees_set import FeeSet
from edge.db.stays import StayRow
from edge.services import paying, settling, shifts, staffing
from edge.services.lot import Done, Lot, Result

FEE, BY_HAND = "fee", "fee_by_hand"
MOST_FEN = 1_000_000


def set_fee(
    db: Database, lot: Lot, set_id: str, stay_id: str, fee_fen: int, by: str, reason: str, now: Moment, *,
    approved_by: str = "", at: str = "",
) -> Result:  # fmt: skip
    """Make the fee of an open stay what a person says; the same *set_id* again sets nothing.

    *approved_by*: a supervisor beside them, whose limit counts then. *at* is the workstation whose shift reports it.
    Refuses ``reason_missing``, ``bad_amount``, ``no_open_stay``, ``fee_fixed`` where no price list charges this car,
    and ``above_fee_limit``.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    if not 0 <= fee_fen <= MOST_FEN:
        return Refuse("bad_amount")
    with transaction(db) as conn:
        if fees_set.get(conn, set_id) is not None:
            return Done(set_id)
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        decision = settling.standing(conn, lot, stay, now)
        before = decision.priced
        if before is None or fee_fen == before.fee_fen:
            return Refuse("bad_amount")
        row = FeeSet(
            set_id, stay_id, before.fee_fen, fee_fen, stay.settled.wall_ms if stay.settled else 0, by, approved_by,
            reason, now.wall_ms,
        )  # fmt: skip
        apart = abs(row.more_fen + sum(one.more_fen for one in fees_set.of_stay(conn, stay_id)))
        if not staffing.may_set_fee(conn, lot.rules, approved_by or by, max(apart, abs(row.more_fen))):
            return Refuse("above_fee_limit")
        if not _follows(lot, decision, row):
            return Refuse("fee_fixed")
        _keep(conn, lot, stay, row, at, now)
        return Done(set_id)


def _follows(lot: Lot, decision: Decision, row: FeeSet) -> bool:
    """Would the fee be what was set? Not of a car that is free by its kind, or has paid and may still leave."""
    inputs = decision.inputs
    if not isinstance(inputs, ExitInputs) or inputs.stay is None:
        return False
    wished = replace(inputs.stay, by_hand_fen=inputs.stay.by_hand_fen + row.more_fen)
    priced = decide_exit(replace(inputs, stay=wished), lot.price).priced
    return priced is not None and priced.fee_fen == row.fee_fen


def _keep(conn: sqlite3.Connection, lot: Lot, stay: StayRow, row: FeeSet, at: str, now: Moment) -> None:
    """Write it down wherever it belongs."""
    fees_set.insert(conn, row)
    entry = f"set:{row.set_id}"
    source, target = (BY_HAND, FEE) if row.more_fen > 0 else (FEE, BY_HAND)
    money.post(conn, entry, move(source, target, abs(row.more_fen), Commodity.FEN, Funds.PAID), stay.stay_id, now)
    shifts.note_entry(conn, rows.open_at(conn, at), entry)
    said = FeeOverridden(
        row.set_id, stay.stay_id, stay.plate, row.before_fen, row.fee_fen, row.by, row.approved_by, row.reason
    )
    log.append(conn, said, now, row.set_id)
    if row.approved_by:
        journal.act(conn, row.approved_by, "fee.approve", stay.stay_id, f"{row.fee_fen} {row.by}", now)
    journal.act(conn, row.by, "fee.set", stay.stay_id, f"{row.before_fen} {row.fee_fen} {row.reason}", now)
    paying.settle_if_paid(conn, lot, stay.stay_id, now)
