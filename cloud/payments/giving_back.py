"""A person gives money back: what it was paid for is taken back in the same transaction, once that is decided."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from cloud.act import Act, Refused, or_nothing
from cloud.payments import orders, refunds
from cloud.payments.orders import DONE, Duties, PayOrder


@or_nothing
def ask(
    conn: Connection, act: Act, duties: Duties, order_id: str, amount_fen: int, reason: str, limit_fen: int,
    number: str = "",
) -> Refused | None:  # fmt: skip
    """As ``refunds.ask``; nothing is kept where what was given cannot be taken back."""
    made = refunds.ask(conn, act, order_id, amount_fen, reason, limit_fen, number)
    return made if isinstance(made, Refused) else _take_back(conn, act, duties, made)


@or_nothing
def decide(conn: Connection, act: Act, duties: Duties, refund_id: str, *, agreed: bool) -> Refused | None:
    """As ``refunds.decide``; an agreed refund takes back what was given, or either word ends what was held for it."""
    refused = refunds.decide(conn, act, refund_id, agreed=agreed)
    return refused or _decided(conn, act, duties, refund_id, agreed=agreed)


def _take_back(conn: Connection, act: Act, duties: Duties, refund_id: str) -> Refused | None:
    """Undo what a refund's money was for once it is due; hold it, where its purpose can, while it is asked for."""
    refund = refunds.get(conn, act.operator_id, refund_id)
    order = None if refund is None else _given_for(conn, act, refund)
    if refund is None or order is None:
        return None
    undo = duties.take_back.get(order.purpose)
    if undo is None:
        return Refused("refund_elsewhere")
    work = undo if refund["state"] == "due" else duties.hold.get(order.purpose)
    return work(conn, act, order, refund["amount_fen"]) if work is not None else None


def _decided(conn: Connection, act: Act, duties: Duties, refund_id: str, *, agreed: bool) -> Refused | None:
    refund = refunds.get(conn, act.operator_id, refund_id)
    order = None if refund is None else _given_for(conn, act, refund)
    if refund is not None and order is not None and order.purpose in duties.decided:
        return duties.decided[order.purpose](conn, act, order, refund["amount_fen"], agreed=agreed)
    return _take_back(conn, act, duties, refund_id) if agreed else None


def _given_for(conn: Connection, act: Act, refund: RowMapping) -> PayOrder | None:
    """The order whose money a refund gives back; None where nothing was given for it, so nothing is to be undone."""
    order = orders.get(conn, act.operator_id, refund["order_id"]) if refund["try_state"] == "paid" else None
    return order if order is not None and order.fulfilment == DONE else None
