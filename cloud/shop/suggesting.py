"""A merchant's top-up order made by itself when its balance falls below its line, to be paid with one touch (E17).

Nobody is charged without paying: neither provider takes money by a basic product while the payer is not there
(decision 66). At most one such order is open; unpaid it ends after a day, or once there is enough in the purse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.hooks import service as hooks
from cloud.merchants import service as merchants
from cloud.payments import orders
from cloud.payments.orders import PayOrder
from cloud.shop import top_up
from domain.ledger import Commodity

BY: Final = "auto:topup"  # who makes these orders
PAY_WITHIN_MS: Final = 24 * 3_600_000


def suggest(conn: Connection, act: Act) -> list[PayOrder]:
    """Make what is due and end what is not any more; returns the orders made."""
    act, made = replace(act, by=BY), []
    open_now = standing(conn, act.operator_id)
    for row in merchants.with_suggestions(conn, act.operator_id):
        merchant_id = row["merchant_id"]
        left = merchants.used_purses(conn, merchant_id).get(Commodity.FEN.value)
        is_due = left is not None and merchants.is_low(row, Commodity.FEN, left)
        order = open_now.pop(merchant_id, None)
        if is_due and order is None and not _made_meanwhile(conn, act, merchant_id):
            fresh = top_up.order(conn, act, merchant_id, row["suggest_fen"], PAY_WITHIN_MS)
            if not isinstance(fresh, Refused):
                made.append(fresh)
                _tell(conn, act, fresh, left or 0)
        elif not is_due and order is not None:
            orders.cancel(conn, act, order.order_id)
    for order in open_now.values():  # of merchants that want none any more
        orders.cancel(conn, act, order.order_id)
    return made


def _made_meanwhile(conn: Connection, act: Act, merchant_id: int) -> bool:
    """Whether another worker made one since we looked; from here on the merchant is locked."""
    merchants.get(conn, act.operator_id, merchant_id)
    return merchant_id in standing(conn, act.operator_id)


def standing(conn: Connection, operator_id: int) -> dict[int, PayOrder]:
    """The open order made by itself for each merchant that has one."""
    return {order.merchant_id or 0: order for order in orders.open_of(conn, operator_id, BY)}


def _tell(conn: Connection, act: Act, order: PayOrder, left_fen: int) -> None:
    about = {"order_id": order.order_id, "amount_fen": order.amount_fen, "left_fen": left_fen,
             "pay_path": order.cashier_path, "expires_ms": order.expires_ms}  # fmt: skip
    hooks.tell(conn, act.operator_id, order.merchant_id or 0, [("topup.suggested", about)], act.now_ms)
