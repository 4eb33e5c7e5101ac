"""A coupon that comes after its car has paid: the fee anew with it, and the difference back (0045, 0049).

What was paid and the fee it settled are put to what they would have been with the coupon, so looking again finds
nothing more to give back. The coupon itself is used up as ever, when the car leaves with it. To a phone the difference
goes back by itself; cash comes out of a drawer by an attendant's hand (``refunding``).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from domain.coupon.terms import Late
from domain.decision import Decision, ExitInputs, Priced, decide_exit
from domain.events import PaymentGivenBack
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from edge.db import given_back, log, money, phone, stays
from edge.db.database import Database, transaction
from edge.db.given_back import GivenBack
from edge.db.stays import StayRow
from edge.services import limiting, paying, settling
from edge.services.lot import Lot
from edge.services.phone_paying import ACCOUNT, METHOD


def give_back(db: Database, lot: Lot, now: Moment) -> list[GivenBack]:
    """Look at every car that paid by phone, may still leave and holds coupons; returns what goes back now."""
    made: list[GivenBack] = []
    with transaction(db) as conn:
        ways = limiting.ways_here(conn, lot)
        if ways.late is not Late.REFUND:
            return made
        for stay in given_back.paid_with_coupons(conn):
            made += _of_stay(conn, lot, stay, ways.back_most_fen, now)
    return made


@dataclass(frozen=True, slots=True)
class Difference:
    """What a stay paid beyond its fee with all coupons of now, and how it is settled then."""

    settled: Moment
    priced: Priced
    back_fen: int


def difference(conn: sqlite3.Connection, lot: Lot, stay: StayRow, method: str, now: Moment) -> Difference | None:
    """What came too late for a car that may still leave; None where nothing does, or not all was paid by *method*:
    a phone cannot be given what a drawer took.
    """
    if stay.settled is None or any(one.method != method for one in money.payments(conn, stay.stay_id)):
        return None
    if settling.standing(conn, lot, stay, now).verdict != paying.STILL_LEAVING:
        return None
    anew = _anew(conn, lot, stay, stay.settled)
    if anew is None:
        return None
    back = stay.paid_fen - max(0, anew.fee_fen - anew.off_fen - stay.waived_fen)
    return Difference(stay.settled, anew, back) if back > 0 else None


def settle_anew(conn: sqlite3.Connection, stay: StayRow, found: Difference) -> None:
    """The coupons that came too late count: its fee is settled with them."""
    stays.settle(conn, stay.stay_id, found.settled, found.priced.fee_fen, found.priced.off)


def _of_stay(conn: sqlite3.Connection, lot: Lot, stay: StayRow, most_fen: int, now: Moment) -> list[GivenBack]:
    found, before = difference(conn, lot, stay, METHOD, now), given_back.of_stay(conn, stay.stay_id)
    if found is None or sum(one.amount_fen for one in before) + found.back_fen > most_fen:
        return []
    known = dict(stay.settled_off)
    coupon_id = next((ref for ref, _ in found.priced.off if ref not in known), "")
    settle_anew(conn, stay, found)
    stays.add_paid(conn, stay.stay_id, -found.back_fen)
    return _share(conn, lot, stay.stay_id, coupon_id, found.back_fen, now)


def _anew(conn: sqlite3.Connection, lot: Lot, stay: StayRow, settled: Moment) -> Priced | None:
    """What would have been asked with all coupons of now, at the time of payment or at that of its quote.

    None where neither comes to what was asked with the coupons of then: a price list that changed since, or a device
    that was replaced, must not look like a difference.
    """
    for at in (settled, *_quoted(conn, lot, stay, settled)):
        arrived = stay.arrived if stay.arrived is not None and stay.arrived.wall_ms <= at.wall_ms else None
        unpaid = stay._replace(arrived=arrived, settled=None, settled_off=(), settled_fee_fen=0, paid_fen=0)
        decision = settling.standing(conn, lot, unpaid, at)
        then = _priced(lot, decision, stay.settled_off)
        if then is not None and (then.fee_fen, dict(then.off)) == (stay.settled_fee_fen, dict(stay.settled_off)):
            return decision.priced
    return None


def _priced(lot: Lot, decision: Decision, off: tuple[tuple[str, int], ...]) -> Priced | None:
    """The same decision with the coupons of *off* alone."""
    assert isinstance(decision.inputs, ExitInputs)  # noqa: S101  (an exit was decided)
    known = dict(off)
    coupons = tuple(one for one in decision.inputs.coupons if one.ref in known)
    return decide_exit(replace(decision.inputs, coupons=coupons), lot.price).priced


def _quoted(conn: sqlite3.Connection, lot: Lot, stay: StayRow, settled: Moment) -> list[Moment]:
    """When what was paid had been quoted: who pays in time owes no more, though the price rose meanwhile."""
    found = []
    for row in phone.quotes_of(conn, lot.lot_id, stay.stay_id, stay.plate):
        ago = settled.wall_ms - row.quote.made_s * 1000
        if 0 <= ago <= settled.boot_ms and row.quote.fee_fen == stay.settled_fee_fen:
            found.append(replace(settled, boot_ms=settled.boot_ms - ago, wall_ms=settled.wall_ms - ago))
    return found


def _share(
    conn: sqlite3.Connection, lot: Lot, stay_id: str, coupon_id: str, back_fen: int, now: Moment
) -> list[GivenBack]:
    """Take *back_fen* from the payments of a stay, the newest first."""
    before = given_back.of_stay(conn, stay_id)
    made = []
    for paid in reversed(money.payments(conn, stay_id)):
        gone = sum(one.amount_fen for one in before if one.payment_id == paid.payment_id)
        part = min(back_fen, paid.amount_fen - gone)
        if part > 0:
            back_fen -= part
            made.append(GivenBack(lot.new_id(now), paid.payment_id, stay_id, coupon_id, part, now.wall_ms))
    for back in made:
        given_back.insert(conn, back)
        legs = move(ACCOUNT, "held", back.amount_fen, Commodity.FEN, Funds.PAID)
        money.post(conn, f"back:{back.back_id}", legs, stay_id, now)
        by_phone = phone.payment(conn, back.payment_id)
        quote = by_phone.number if by_phone else ""
        log.append(
            conn,
            PaymentGivenBack(back.back_id, back.payment_id, quote, stay_id, coupon_id, back.amount_fen),
            now,
            back.payment_id,
        )
    return made
