"""A new device begins where the one before it is known to have been: cars inside, payments, debts, used vouchers.

Nothing of this is told to the cloud again, which told it: the log of the new device begins empty, in its own epoch.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, replace

from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from domain.takeover import Inside, Owed, Takeover
from edge.db import arrears, channels, journal, log, money, people, stays, vouchers
from edge.db.database import Database, transaction
from edge.db.people import Attendant
from edge.services import phone_paying

TAKEN_OVER = "taken_over"  # note: whose place was taken
SALVAGE_OF = "salvage_of"
BEFORE = "before"  # the account that stands for the books of the device before


@dataclass(frozen=True, slots=True)
class Counts:
    """What the new device began with; *unsent*: events of the old one it will tell the cloud."""

    inside: int
    paid_fen: int
    debts: int
    used: int
    people: int
    unsent: int


def begin_with(
    db: Database, taken: Takeover, staff: Collection[Attendant], zones: Collection[str], now: Moment
) -> Counts:
    """Begin an empty database with what the cloud knows, and the *staff* an older copy knew."""
    with transaction(db) as conn:
        for car in reversed(taken.inside):
            _let_in(conn, car, zones)
        for paid in taken.paid:
            if stays.get(conn, paid.stay_id) is None:
                continue  # left aside above
            payment = money.PaymentRow(
                paid.payment_id, paid.stay_id, paid.method, paid.amount_fen, paid.by, paid.wall_ms
            )
            money.insert_payment(conn, payment)
            stays.add_paid(conn, paid.stay_id, paid.amount_fen)
            account = phone_paying.ACCOUNT if paid.method == phone_paying.METHOD else "cash"
            legs = move("held", account, paid.amount_fen, Commodity.FEN, Funds.PAID)
            money.post(conn, f"pay:{paid.payment_id}", legs, paid.stay_id, replace(now, wall_ms=paid.wall_ms))
        for debt in taken.owed:
            _carry_debt(conn, debt, now)
        for used in taken.used:
            at = replace(now, wall_ms=used.wall_ms)
            ref = f"{used.key_id}:{used.counter}"
            use = vouchers.Use("voucher", ref, used.redemption_id, used.stay_id, used.off_fen, "", 0)
            vouchers.use(conn, used.key_id, used.counter, use, at)
        for person in staff:
            people.put(conn, person.name, person.pin_hash, person.role, now)
        _begin_log(conn, taken)
        _say(conn, taken, f"{len(taken.inside)} cars inside taken over", now)
    return counts(db, taken)


def go_on_with(db: Database, taken: Takeover, now: Moment) -> Counts:
    """Go on with a copy of the old device's own database, which knows at least what the cloud knows.

    What it had not sent is kept aside and told under the old device's name; its lists hold until new ones are here.
    """
    with transaction(db) as conn:
        channels.forget_versions(conn)
        journal.set_note(conn, SALVAGE_OF, taken.before.edge)
        log.set_acked(conn, log.Position(taken.before.epoch, taken.before.seq, taken.before.head), [])
        _begin_log(conn, taken)
        _say(conn, taken, f"{stays.count_open(conn)} cars inside by the copy", now)
    return counts(db, taken)


def knows_more(conn: sqlite3.Connection, taken: Takeover) -> bool:
    """Does this copy of the old device's log go through where the cloud stands?"""
    at, newest = taken.before, log.newest(conn)
    return newest.epoch == at.epoch and newest.seq >= at.seq and log.hash_at(conn, at.epoch, at.seq) == at.head


def _let_in(conn: sqlite3.Connection, car: Inside, zones: Collection[str]) -> None:
    """A plate is in the lot once: of two stays the cloud thinks open, the later one is the car that is here."""
    if stays.find_here(conn, car.plate) is not None:
        return
    zone = car.zone if car.zone in zones else next(iter(zones))
    stays.insert(conn, car.stay_id, car.plate, car.plate_raw, car.vehicle_class, zone, car.lane, "", car.entered)


def _carry_debt(conn: sqlite3.Connection, debt: Owed, now: Moment) -> None:
    """What is left of a debt; what became of it before is the cloud's to tell."""
    row = money.DebtRow(debt.debt_id, debt.stay_id, debt.plate, debt.cause, debt.owed_fen, debt.wall_ms)
    money.insert_debt(conn, row)
    legs = move(BEFORE, "owed", debt.owed_fen, Commodity.FEN, Funds.PAID)
    money.post(conn, f"before:{debt.debt_id}", legs, debt.stay_id, now)
    if debt.state == arrears.DISPUTED:
        word = arrears.Move(f"before:{debt.debt_id}", debt.debt_id, "disputed", 0, "", "", "", debt.wall_ms)
        arrears.add(conn, word)


def _begin_log(conn: sqlite3.Connection, taken: Takeover) -> None:
    log.open_epoch(conn, taken.epoch)
    journal.set_note(conn, TAKEN_OVER, taken.before.edge)


def _say(conn: sqlite3.Connection, taken: Takeover, what: str, now: Moment) -> None:
    missing = f", {taken.before.missing} events it told of never came" if taken.before.missing else ""
    journal.incident(conn, "edge_replaced", "", f"in the place of {taken.before.edge}: {what}{missing}", now)


def counts(db: Database, taken: Takeover) -> Counts:
    """What the new device has begun with."""
    conn = db.conn
    paid = sum(one.amount_fen for one in taken.paid)
    inside, unsent, staff = stays.count_open(conn), log.salvage_left(conn), len(people.everyone(conn))
    return Counts(inside, paid, len(taken.owed), len(taken.used), staff, unsent)
