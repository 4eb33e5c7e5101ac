"""Whether what is stored still holds: a decision worked out again, and every book and chain checked."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from domain.calendar import CalendarSet
from domain.decision import ExitInputs, inputs_from, replayed
from domain.pricing import PriceLists
from domain.sync.batch import MOST_EVENTS
from domain.wire import GENESIS, Json, chain_hash
from edge.db import decisions, log
from edge.pricelists import stored_prices

NO_PRICES = PriceLists({}, CalendarSet())  # an entry has no fee


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored decision beside the one worked out now."""

    decision_id: str
    same: bool
    stored: str
    again: str

    def values(self) -> Json:
        """As JSON values."""
        return {"id": self.decision_id, "same": self.same, "stored": self.stored, "again": self.again}


def replay(conn: sqlite3.Connection, decision_id: str) -> Replay:
    """Work a decision out again from what is stored alone. Raises LookupError when it is not known."""
    row = decisions.get(conn, decision_id)
    if row is None:
        raise LookupError(f"no decision {decision_id}")
    value = json.loads(row.body)
    inputs = inputs_from(value["kind"], value["inputs"])
    prices = stored_prices(conn, inputs) if isinstance(inputs, ExitInputs) else NO_PRICES
    again = replayed(row.body, prices)
    return Replay(decision_id, again == row.body, row.body.decode(), again.decode())


BOOKS = (
    (
        "the book does not balance",
        "SELECT commodity || ' ' || entry FROM posting GROUP BY entry, commodity HAVING sum(amount) <> 0",
    ),
    (
        "fee is not discount + waived + paid + owed",
        "SELECT stay_id FROM stay WHERE state = 'closed'"
        " AND fee_fen <> discount_fen + waived_fen + paid_fen + owed_fen",
    ),
    (
        "paid is not the sum of its payments",
        "SELECT stay_id FROM stay WHERE paid_fen <>"
        " (SELECT coalesce(sum(amount_fen), 0) FROM payment WHERE payment.stay_id = stay.stay_id) -"
        " (SELECT coalesce(sum(amount_fen), 0) FROM given_back WHERE given_back.stay_id = stay.stay_id) -"
        " (SELECT coalesce(sum(debt_move.amount_fen), 0) FROM debt_move JOIN payment USING (payment_id)"
        " WHERE payment.stay_id = stay.stay_id) -"
        " (SELECT coalesce(sum(amount_fen), 0) FROM refund WHERE refund.stay_id = stay.stay_id AND account = 'held')",
    ),
    (
        "a closed stay without its entry in the book",
        "SELECT stay_id FROM stay WHERE state = 'closed' AND fee_fen > 0 AND NOT EXISTS"
        " (SELECT 1 FROM posting WHERE entry = 'close:' || stay.stay_id || iif(closings, ':' || closings, ''))",
    ),
    (
        "the fees in the book are not those of the closed stays",
        "SELECT 'fee' WHERE (SELECT coalesce(sum(amount), 0) FROM posting WHERE account IN ('fee', 'fee_by_hand')) <>"
        " (SELECT -coalesce(sum(fee_fen), 0) FROM stay WHERE state = 'closed')",
    ),
    (
        "the fees set by hand in the book are not those on record",
        "SELECT 'fee_by_hand' WHERE (SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'fee_by_hand') <>"
        " (SELECT coalesce(sum(before_fen - fee_fen), 0) FROM fee_set)",
    ),
    (
        "the discount is not what its coupons and vouchers saved",
        "SELECT stay_id FROM stay WHERE state = 'closed' AND discount_fen <>"
        " (SELECT coalesce(sum(off_fen), 0) FROM coupon_in_use WHERE coupon_in_use.stay_id = stay.stay_id) +"
        " (SELECT coalesce(sum(off_fen), 0) FROM voucher_in_use WHERE voucher_in_use.stay_id = stay.stay_id)",
    ),
    (
        "what is owed is not on record as a debt",
        "SELECT stay_id FROM stay WHERE owed_fen <>"
        " (SELECT coalesce(sum(owed_fen), 0) FROM debt WHERE debt.stay_id = stay.stay_id) -"
        " (SELECT coalesce(sum(amount_fen), 0) FROM debt_move JOIN debt USING (debt_id)"
        " WHERE debt.stay_id = stay.stay_id AND kind = 'reversed')",
    ),
    (
        "more became of a debt than was owed",
        "SELECT debt_id FROM debt JOIN debt_move USING (debt_id) GROUP BY debt_id HAVING sum(amount_fen) > owed_fen",
    ),
    (
        "a debt was paid without a payment",
        "SELECT move_id FROM debt_move WHERE kind = 'paid' AND payment_id NOT IN (SELECT payment_id FROM payment)",
    ),
    (
        "what plates owe is not what the book says",
        "SELECT 'owed' WHERE (SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'owed') <>"
        " (SELECT coalesce(sum(owed_fen), 0) FROM debt) - (SELECT coalesce(sum(amount_fen), 0) FROM debt_move)",
    ),
    (
        "what was refunded is not what the book says",
        "SELECT 'refunded' WHERE (SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'refunded') <>"
        " (SELECT coalesce(sum(amount_fen), 0) FROM refund WHERE account = 'refunded')",
    ),
    (
        "a lease is not spent by its vouchers",
        "SELECT lease_id FROM lease WHERE spent <>"
        " (SELECT coalesce(sum(amount), 0) FROM voucher WHERE voucher.lease_id = lease.lease_id)",
    ),
    (
        "a voucher counter is missing or beyond the last",
        "SELECT key_id FROM voucher_counter WHERE last <>"
        " (SELECT count(*) FROM voucher WHERE voucher.key_id = voucher_counter.key_id)",
    ),
    (
        "a shift ended and its drawer is not empty by the book",
        "SELECT shift_id FROM shift WHERE closed_wall_ms IS NOT NULL AND 0 <> (SELECT coalesce(sum(amount), 0)"
        " FROM shift_part AS part JOIN posting ON posting.entry = part.ref"
        " WHERE part.shift_id = shift.shift_id AND part.kind = 'entry' AND posting.account = 'cash')",
    ),
    (
        "a stay is not where its last move led",
        "SELECT stay_id FROM stay WHERE moves <>"
        " (SELECT count(*) FROM stay_move WHERE stay_move.stay_id = stay.stay_id) OR moves > 0 AND zone_now IS NOT"
        " (SELECT zone FROM stay_move WHERE stay_move.stay_id = stay.stay_id AND place = stay.moves)",
    ),
    (
        "a pulse by a machine without a decision",
        "SELECT decision_id FROM pulse WHERE by = '' AND NOT EXISTS"
        " (SELECT 1 FROM decision WHERE decision.decision_id = pulse.decision_id)",
    ),
)


def check_books(conn: sqlite3.Connection) -> list[str]:
    """Everything that does not hold, in words; empty when all is right."""
    wrong = [f"{what}: {row[0]}" for what, query in BOOKS for row in conn.execute(query)]
    return wrong + check_chain(conn)


def check_chain(conn: sqlite3.Connection) -> list[str]:
    """Is the log as it was written: no gap, every hash over the one before, up to the stream's head?"""
    newest = log.newest(conn)
    first = conn.execute("SELECT min(seq) FROM outbox WHERE epoch = ?", (newest.epoch,)).fetchone()[0]
    if first is None:
        return [] if newest.seq == 0 else ["the log is empty but its head is not"]
    seq, head = first, GENESIS if first == 1 else None
    while rows := log.bodies(conn, newest.epoch, seq, MOST_EVENTS):
        for body, after in rows:
            if head is not None and chain_hash(head, body) != after:
                return [f"the log is not as it was written at event {seq}"]
            head, seq = after, seq + 1
    return [] if (seq - 1, head) == (newest.seq, newest.head) else [f"the log ends at {seq - 1}, not at {newest.seq}"]
