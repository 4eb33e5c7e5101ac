"""What money that came in is for: each purpose of an order and who honours it. Payments knows none of them."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.fees import service as fees
from cloud.lots import incidents
from cloud.members import extending
from cloud.merchants import by_hand, paying_back
from cloud.merchants import service as merchants
from cloud.payments.invoices import PaidHere
from cloud.payments.orders import Alarm, Duties, PayOrder, UnfulfillableError
from cloud.shop import buying
from domain.ledger import Commodity


def _top_up(conn: Connection, act: Act, order: PayOrder) -> None:
    """A merchant's purse is filled with what it paid (S1.19)."""
    refused = merchants.top_up(conn, act, order.merchant_id or 0, Commodity.FEN, order.amount_fen, 0, order.order_id)
    if refused is not None:
        raise UnfulfillableError(refused.code)


def _take_top_up_back(conn: Connection, act: Act, order: PayOrder, amount_fen: int) -> Refused | None:
    """What goes back to the payer leaves the purse first; spent money is not there any more (E14)."""
    return merchants.refund(conn, act, order.merchant_id or 0, Commodity.FEN, amount_fen, order.order_id)


def _hold_top_up(conn: Connection, act: Act, order: PayOrder, amount_fen: int) -> Refused | None:
    """Asked back, not decided: it is in the purse no more and not yet gone."""
    return paying_back.hold(conn, act, order.merchant_id or 0, amount_fen, order.order_id)


def _top_up_decided(conn: Connection, act: Act, order: PayOrder, amount_fen: int, *, agreed: bool) -> Refused | None:
    return paying_back.decided(conn, act, order.merchant_id or 0, amount_fen, order.order_id, agreed=agreed)


def _purchase(conn: Connection, act: Act, order: PayOrder) -> None:
    """Coupons a merchant bought become its stock (S2.14)."""
    purchase_id = int(order.subject.removeprefix("purchase:"))
    refused = buying.settle(conn, act, purchase_id, order.amount_fen, order.order_id)
    if refused is not None:
        raise UnfulfillableError(refused.code)


def _nothing_to_take(conn: Connection, act: Act, order: PayOrder, amount_fen: int) -> Refused | None:
    """A parking fee given back out of goodwill: the car has left, and its stay stays as it was."""
    return None


def _paid_here(conn: Connection, operator_id: int, merchant_id: int) -> list[PaidHere]:
    """What a merchant paid at the office, the newest first."""
    if merchants.get(conn, operator_id, merchant_id) is None:
        return []
    found = [
        *by_hand.top_ups(conn, operator_id, merchant_id),
        *by_hand.paid_statements(conn, operator_id, merchant_id),
        *buying.paid_here(conn, operator_id, merchant_id),
    ]
    return sorted(found, key=lambda one: (-one.paid_ms, one.name))


def _alarm(conn: Connection, act: Act, alarm: Alarm) -> None:
    incidents.raise_incident(
        conn, act.operator_id, alarm.alarm_id, alarm.code, alarm.detail, act.now_ms, lot_id=alarm.lot_id
    )


DUTIES = Duties(
    fulfil={"topup": _top_up, fees.PURPOSE: fees.fulfil, "purchase": _purchase, extending.PURPOSE: extending.fulfil},
    take_back={
        "topup": _take_top_up_back,
        fees.PURPOSE: _nothing_to_take,
        extending.PURPOSE: extending.take_back,
    },
    hold={"topup": _hold_top_up},
    decided={"topup": _top_up_decided, "purchase": buying.refund_decided},
    paid_out={"merchant": paying_back.paid_out, "purchase": buying.paid_out},
    paid_here=_paid_here,
    alarm=_alarm,
)
"""Handed to payments by ``cloud/app.py``. A purpose without an entry in *fulfil* cannot be paid for."""
