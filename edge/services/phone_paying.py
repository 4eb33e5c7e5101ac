"""Money paid by phone: booked once, whether the cloud's list, an exit pass or its digits tell of it first (sync §7).

A payment is a fact. What it is for is looked at when this lot learns of it: the stay, else what the stay left owing;
what is over goes back to whoever paid, and the cloud is told so once.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass, replace

from domain import exit_pass
from domain.decision import Priced, Refuse
from domain.events import PaymentApplied, PaymentTaken
from domain.exit_pass import ExitPass
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from domain.wire import Json
from edge.db import arrears as owed
from edge.db import channels, counted, log, money, phone, stays, vouchers
from edge.db.database import Database, transaction
from edge.db.phone import PhonePayment, QuoteRow
from edge.db.stays import StayRow
from edge.services import arrears, paying, settling
from edge.services.lot import Lot
from edge.settings import Arrears

logger = logging.getLogger(__name__)

METHOD = ACCOUNT = BY = "phone"
LIST, PASS, CODE = "list", "pass", "code"
SETTLED, PART, DEBT, RETURNED = "settled", "part", "debt", "returned"
LATE_S = 120  # who confirmed in the wallet at the last moment still paid in time


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as somebody tells of it; *how* is ``list``, ``pass`` or ``code``."""

    payment_id: str
    number: str
    stay_id: str
    plate: str
    fen: int
    paid_ms: int
    how: str


def take_listed(db: Database, lot: Lot, now: Moment) -> list[PhonePayment]:
    """Take every payment the cloud's list tells of that was not taken yet, each in its own transaction."""
    taken = []
    for key, row in phone.untaken(db.conn):
        told = _from_row(key, row)
        if told is None:
            logger.warning("left aside: payment %s is not written as payments are", key)
            continue
        with transaction(db) as conn:
            taken.append(take(conn, lot, told, now))
    return taken


def take_pass(db: Database, lot: Lot, token: str, now: Moment) -> PhonePayment | Refuse:
    """Take the payment an exit pass tells of; the same pass again changes nothing. Refuses ``pass_not_ours``."""
    paid = exit_pass.read(token, lot.lot_id, lot.verify, lot.cloud_key) if lot.cloud_key else None
    if paid is None:
        return Refuse("pass_not_ours")
    with transaction(db) as conn:
        return take(conn, lot, _from_pass(paid), now)


def take_code(db: Database, lot: Lot, stay_id: str, typed: str, now: Moment) -> PhonePayment | Refuse:
    """Take the payment that eight typed digits prove, for a quote of this stay. Refuses ``pass_code_wrong``."""
    digits = exit_pass.code_in(typed)
    with transaction(db) as conn:
        stay, row = stays.get(conn, stay_id), channels.get(conn, "keys", exit_pass.CODE_ROW)
        if digits is None or stay is None or row is None:
            return Refuse("pass_code_wrong")
        key = bytes.fromhex(str(row.get("secret", "")))
        for one in phone.quotes_of(conn, lot.lot_id, stay_id, stay.plate):
            quote = one.quote
            if exit_pass.is_code(digits, key, quote.number, stay_id, quote.due_fen):
                told = Told(
                    f"{CODE}-{quote.number}", quote.number, stay_id, stay.plate, quote.due_fen,
                    min(now.wall_ms, quote.until_s * 1000), CODE,
                )  # fmt: skip
                return _taken_before(conn, quote.number) or take(conn, lot, told, now)
        return Refuse("pass_code_wrong")


def _taken_before(conn: sqlite3.Connection, number: str) -> PhonePayment | None:
    """Digits tell of a quote, not of one payment: what is known of the quote already is what they tell."""
    return next(iter(phone.payments_of(conn, number)), None)


def take(conn: sqlite3.Connection, lot: Lot, told: Told, now: Moment) -> PhonePayment:
    """Book a payment in the caller's transaction; one that is known already is given back as it was booked."""
    known = phone.payment(conn, told.payment_id)
    if known is not None:
        return known
    taken = _stood_for(conn, told, now) or _booked_elsewhere(conn, told, now) or _booked(conn, lot, told, now)
    phone.insert_payment(conn, taken)
    log.append(
        conn,
        PaymentApplied(
            taken.payment_id, taken.number, taken.stay_id, taken.told, taken.outcome, taken.used_fen, taken.back_fen
        ),
        now,
        taken.payment_id,
    )
    return taken


def _row(told: Told, outcome: str, used_fen: int, now: Moment, stands_for: str = "") -> PhonePayment:
    return PhonePayment(
        told.payment_id, told.number, told.stay_id, told.how, outcome, told.fen, used_fen, told.fen - used_fen,
        stands_for, now.wall_ms,
    )  # fmt: skip


def _stood_for(conn: sqlite3.Connection, told: Told, now: Moment) -> PhonePayment | None:
    """The payment whose digits were typed before: it was booked then."""
    digits = phone.by_digits(conn, told.number) if told.how != CODE else None
    if digits is None:
        return None
    return _row(told, digits.outcome, min(told.fen, digits.used_fen), now, digits.payment_id)


def _booked_elsewhere(conn: sqlite3.Connection, told: Told, now: Moment) -> PhonePayment | None:
    """The device before this one booked it."""
    booked = money.payment(conn, told.payment_id)
    return None if booked is None else _row(told, SETTLED, min(told.fen, booked.amount_fen), now)


def _booked(conn: sqlite3.Connection, lot: Lot, told: Told, now: Moment) -> PhonePayment:
    stay = stays.get(conn, told.stay_id) if told.stay_id else None
    row = phone.quote(conn, lot.lot_id, told.number)
    if stay is not None and stay.is_open:
        return _for_stay(conn, lot, told, stay, row, now)
    return _for_debts(conn, lot, told, stay, row, now)


def _for_stay(
    conn: sqlite3.Connection, lot: Lot, told: Told, stay: StayRow, row: QuoteRow | None, now: Moment
) -> PhonePayment:
    """A quote of the cloud's own (no *row*) was to cover what was due when it was paid."""
    paid_at = _paid_at(told, now)
    due = paying.due_of(conn, lot, stay.stay_id, now if row else paid_at)
    used = min(told.fen, due)
    if not used:
        return _row(told, RETURNED, 0, now)
    _insert(conn, told, stay.stay_id, used, now)
    collected = owed.open_of(conn, stay.plate) if lot.rules.arrears is Arrears.COLLECT else []
    for_stay = arrears.settle(conn, lot, collected, used, told.payment_id, BY, now, ACCOUNT)
    stays.add_paid(conn, stay.stay_id, for_stay)
    money.post(
        conn, f"pay:{told.payment_id}", move("held", ACCOUNT, for_stay, Commodity.FEN, Funds.PAID), stay.stay_id, now
    )
    if used == due:
        paying.settle_if_paid(conn, lot, stay.stay_id, paid_at)
    elif row is not None and _is_kept_word(row, told):
        _settle_as_quoted(conn, stay.stay_id, row, paid_at)
    else:
        return _row(told, PART, used, now)
    return _row(told, SETTLED, used, now)


def _is_kept_word(row: QuoteRow, told: Told) -> bool:
    """The price rose since, but the whole quote was paid while it was good."""
    quote = row.quote
    return quote.stay_id == told.stay_id and told.fen >= quote.due_fen and told.paid_ms <= _last_ms(quote.until_s)


def _last_ms(until_s: int) -> int:
    return (until_s + LATE_S) * 1000


def _settle_as_quoted(conn: sqlite3.Connection, stay_id: str, row: QuoteRow, paid_at: Moment) -> None:
    """At the price that was said; what a coupon was to carry that another car has paid with or used is forgone."""
    stay = stays.get(conn, stay_id)
    if stay is not None:
        gone = counted.by_others(conn, dict(row.off), stay_id)
        off = tuple((ref, fen) for ref, fen in row.off if not (ref in gone or vouchers.is_ref_used(conn, ref)))
        forgone = sum(fen for _, fen in row.off) - sum(fen for _, fen in off)
        final = settling.ending(Priced(row.quote.fee_fen - forgone, (), off), stay)
        stays.settle(conn, stay_id, paid_at, final.fee_fen, final.off)


def _for_debts(
    conn: sqlite3.Connection, lot: Lot, told: Told, stay: StayRow | None, row: QuoteRow | None, now: Moment
) -> PhonePayment:
    """The car has left, or earlier visits were paid for: what may be asked for is paid, the rest goes back."""
    all_of_them = not told.stay_id or (row is not None and row.quote.debts_fen > 0)
    open_debts = owed.open_of(conn, stay.plate if stay else told.plate)
    debts = [debt for debt in open_debts if all_of_them or debt.stay_id == told.stay_id]
    used = min(told.fen, sum(debt.left_fen for debt in debts))
    if not used:
        return _row(told, RETURNED, 0, now)
    _insert(conn, told, debts[0].stay_id, used, now)
    arrears.settle(conn, lot, debts, used, told.payment_id, BY, now, ACCOUNT)
    return _row(told, DEBT, used, now)


def _insert(conn: sqlite3.Connection, told: Told, stay_id: str, used: int, now: Moment) -> None:
    money.insert_payment(conn, money.PaymentRow(told.payment_id, stay_id, METHOD, used, BY, now.wall_ms))
    log.append(conn, PaymentTaken(told.payment_id, stay_id, METHOD, used, BY), now, told.payment_id)


def _paid_at(told: Told, now: Moment) -> Moment:
    """When it was paid by both clocks: not after now, not before this boot, and now where nobody knows the time."""
    if not now.is_vouched:
        return now
    ago = min(max(0, now.wall_ms - now.uncertainty_ms - told.paid_ms), now.boot_ms)
    return replace(now, boot_ms=now.boot_ms - ago, wall_ms=now.wall_ms - ago)


def _from_pass(paid: ExitPass) -> Told:
    return Told(paid.payment_id, paid.number, paid.stay_id, paid.plate, paid.fen, paid.paid_s * 1000, PASS)


def _from_row(key: str, row: Json) -> Told | None:
    """A row of the channel ``payments``; None when it makes no sense."""
    try:
        told = Told(
            key, str(row["quote"]), str(row["stay_id"]), str(row["plate"]), int(row["fen"]), int(row["paid_ms"]), LIST
        )
    except (KeyError, TypeError, ValueError):
        return None
    return told if told.fen > 0 else None
