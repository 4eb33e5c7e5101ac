"""A person gives money back: what it was paid for is taken back in the same transaction, once that is decided."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.payments import orders, refunds
from cloud.payments.orders import DONE, Duties


def ask(
    conn: Connection, act: Act, duties: Duties, order_id: str, amount_fen: int, reason: str, limit_fen: int,
    number: str = "",
) -> Refused | None:  # fmt: skip
    """As ``refunds.ask``; nothing is kept where what was given cannot be taken back."""
    attempt = conn.begin_nested()
    made = refunds.ask(conn, act, order_id, amount_fen, reason, limit_fen, number)
    refused = made if isinstance(made, Refused) else _take_back(conn, act, duties, made)
    if refused is None:
        attempt.commit()
    else:
        attempt.rollback()
    return refused


def decide(conn: Connection, act: Act, duties: Duties, refund_id: str, *, agreed: bool) -> Refused | None:
    """As ``refunds.decide``; an agreed refund takes back what was given."""
    attempt = conn.begin_nested()
    refused = refunds.decide(conn, act, refund_id, agreed=agreed)
    if refused is None and agreed:
        refused = _take_back(conn, act, duties, refund_id)
    if refused is None:
        attempt.commit()
    else:
        attempt.rollback()
    return refused


def _take_back(conn: Connection, act: Act, duties: Duties, refund_id: str) -> Refused | None:
    """Undo what a due refund's money was for. Money that nothing was given for has nothing to undo."""
    refund = refunds.get(conn, act.operator_id, refund_id)
    if refund is None or refund["state"] != "due" or refund["try_state"] != "paid":
        return None
    order = orders.get(conn, act.operator_id, refund["order_id"])
    if order is None or order.fulfilment != DONE:
        return None
    undo = duties.take_back.get(order.purpose)
    return Refused("refund_elsewhere") if undo is None else undo(conn, act, order, refund["amount_fen"])
