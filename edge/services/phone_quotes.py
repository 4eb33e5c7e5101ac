"""What a phone is asked to pay: the fee as the exit would ask it now, written down and signed (sync §7)."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace

from domain import exit_pass, fee_quote
from domain.decision import Refuse
from domain.fee_quote import FeeQuote
from domain.moment import Moment
from edge.db import arrears, channels, phone, stays
from edge.db.database import Database, transaction
from edge.db.phone import QuoteRow
from edge.db.stays import StayRow
from edge.services import prepaid, settling
from edge.services.lot import Lot


def quote_stay(db: Database, lot: Lot, stay_id: str, now: Moment) -> FeeQuote | Refuse:
    """Quote what an open stay owes. Refuses ``no_open_stay``, ``nothing_due`` and ``clock_unknown``."""
    with transaction(db) as conn:
        return quote_of_stay(conn, lot, stays.get(conn, stay_id), now)


def quote_of_stay(conn: sqlite3.Connection, lot: Lot, stay: StayRow | None, now: Moment) -> FeeQuote | Refuse:
    """The same in the caller's transaction. One that says the same and is good for a while yet is given again."""
    if stay is None or not stay.is_open:
        return Refuse("no_open_stay")
    if not now.is_vouched:
        return Refuse("clock_unknown")
    decision = settling.standing(conn, lot, stay, now)
    why, priced = decision.explanation, decision.priced
    if priced is None or not why.get("due_fen"):
        return Refuse("nothing_due")
    made = _fresh(lot, stay.stay_id, stay.plate, now)
    made = replace(
        made,
        fee_fen=int(why["fee_fen"]),
        off_fen=int(why["off_fen"]),
        before_fen=stay.paid_fen + stay.waived_fen,
        leave_min=prepaid.leave_within_min(lot, stay._replace(settled=now)),
    )
    return _kept(conn, lot, replace(made, debts_fen=int(why["due_fen"]) - made.stay_due_fen), priced.off)


def quote_debts(conn: sqlite3.Connection, lot: Lot, plate: str, now: Moment) -> FeeQuote | Refuse:
    """Quote what a plate owes here from earlier visits and may be asked for. Refuses as `quote_of_stay`."""
    if not now.is_vouched:
        return Refuse("clock_unknown")
    owed = sum(debt.left_fen for debt in arrears.open_of(conn, plate))
    if not owed:
        return Refuse("nothing_due")
    return _kept(conn, lot, replace(_fresh(lot, "", plate, now), debts_fen=owed), ())


def seal_of(conn: sqlite3.Connection) -> bytes:
    """What hides plates in this lot's quotes; b"" until the cloud has told the lot's key."""
    row = channels.get(conn, "keys", exit_pass.CODE_ROW)
    return fee_quote.seal_key(bytes.fromhex(str(row["secret"]))) if row and row.get("secret") else b""


def token_of(lot: Lot, quote: FeeQuote, seal: bytes) -> str:
    """The quote's signed text."""
    return fee_quote.issue(quote, lot.sign, seal)


def _fresh(lot: Lot, stay_id: str, plate: str, now: Moment) -> FeeQuote:
    number = hashlib.sha256(lot.new_id(now).encode()).hexdigest()[: 2 * fee_quote.NUMBER_BYTES]
    made_s = now.wall_ms // 1000
    return FeeQuote(number, lot.lot_id, stay_id, plate, 0, 0, 0, 0, made_s, made_s + 60 * lot.rules.quote_good_min, 0)


def _kept(conn: sqlite3.Connection, lot: Lot, made: FeeQuote, off: tuple[tuple[str, int], ...]) -> FeeQuote:
    """The newest quote where it says the same, is unpaid and not half over; else this one, from now on."""
    newest = next(iter(phone.quotes_of(conn, lot.lot_id, made.stay_id, made.plate, 1)), None)
    if newest is not None and newest.off == off:
        same = replace(newest.quote, number=made.number, made_s=made.made_s, until_s=made.until_s) == made
        half = (made.until_s - made.made_s) // 2
        left_s = newest.quote.until_s - made.made_s
        is_open = same and half <= left_s <= 2 * half and not phone.payments_of(conn, newest.quote.number)
        if is_open:
            return newest.quote
    phone.insert_quote(conn, QuoteRow(made, off))
    return made
