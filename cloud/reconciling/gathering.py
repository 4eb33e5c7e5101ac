"""A lot's day out of the capabilities that know its parts."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.coupons import day as coupons
from cloud.fees import day as fees
from cloud.lots import day as lots
from cloud.merchants import ledger
from cloud.reconciling.comparing import LotDay, PhoneBook, StayBook, UseBook
from domain.ledger import REDEEMED, UNFUNDED


def lot_day(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> LotDay:
    """Everything of the time, as the cloud knows it now."""
    at = (operator_id, lot_id, from_ms, until_ms)
    taken = lots.taken_in(conn, *at)
    by_phone = taken.get("phone", {})
    unknown = fees.unknown(conn, operator_id, lot_id, by_phone)
    return LotDay(
        _stays(conn, *at),
        _phone(conn, *at),
        _uses(conn, *at),
        sorted((payment_id, by_phone[payment_id]) for payment_id in unknown),
        {method: sum(each.values()) for method, each in taken.items()},
    )


def _stays(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> list[StayBook]:
    rows = lots.stays_ended(conn, operator_id, lot_id, from_ms, until_ms)
    ids = [row["stay_id"] for row in rows]
    taken = lots.taken_for(conn, operator_id, lot_id, ids)
    owed = lots.owed_for(conn, operator_id, lot_id, ids)
    off = coupons.off_of(conn, operator_id, lot_id, ids)
    return [
        StayBook(
            one, row["fee_fen"], row["discount_fen"], row["waived_fen"], row["paid_fen"], row["owed_fen"],
            taken.get(one, 0), off.get(one, 0), owed.get(one, 0),
        )
        for one, row in zip(ids, rows, strict=True)
    ]  # fmt: skip


def _phone(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> list[PhoneBook]:
    rows = fees.paid_in(conn, operator_id, lot_id, from_ms, until_ms)
    taken = lots.amounts(conn, operator_id, lot_id, [name for row in rows for name in fees.at_the_lot(row)])
    back = fees.returned(conn, rows)
    return [
        PhoneBook(
            row["payment_id"], row["amount_fen"], row["state"] == "booked", row["used_fen"], row["back_fen"],
            sum(taken.get(name, 0) for name in fees.at_the_lot(row)) if row["used_fen"] else 0,
            back.get(row["order_id"], 0),
        )
        for row in rows
    ]  # fmt: skip


def _uses(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> list[UseBook]:
    uses = coupons.uses(conn, operator_id, lot_id, from_ms, until_ms)
    charged = ledger.landed(conn, operator_id, REDEEMED, [one.event_id for one in uses if not one.lost])
    lost = ledger.landed(conn, operator_id, UNFUNDED, [one.event_id for one in uses if one.lost])
    return [
        UseBook(one.name, one.charge, (lost if one.lost else charged).get(one.event_id, 0), one.unit, one.lost)
        for one in uses
    ]
