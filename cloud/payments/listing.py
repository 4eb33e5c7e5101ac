"""Orders as lists and sums for the operator's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, func, or_, select

from cloud.db import paged
from cloud.payments.tables import pay_account, pay_order, pay_refund, pay_try
from plumbing.web.paging import Page

STATES = ("open", "paid", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which orders: those made in [start, end), in a state, for a purpose, with a text in what names them."""

    start_ms: int
    end_ms: int
    state: str = ""
    purpose: str = ""
    search: str = ""


def _query(operator_id: int, asked: Asked) -> Select[Any]:
    order = pay_order.c
    query = select(pay_order).where(
        order.operator_id == operator_id, order.created_ms >= asked.start_ms, order.created_ms < asked.end_ms
    )
    if asked.state:
        query = query.where(order.state == asked.state)
    if asked.purpose:
        query = query.where(order.purpose == asked.purpose)
    if asked.search:
        of_try = exists().where(
            pay_try.c.order_id == order.order_id,
            or_(pay_try.c.number == asked.search, pay_try.c.provider_number == asked.search),
        )
        named = [order[name].contains(asked.search, autoescape=True) for name in ("order_id", "subject", "description")]
        query = query.where(or_(of_try, *named))
    return query


def listed(conn: Connection, operator_id: int, asked: Asked, page: int = 1) -> Page[RowMapping]:
    """A page of them, the newest first."""
    return paged(conn, _query(operator_id, asked).order_by(pay_order.c.created_ms.desc(), pay_order.c.order_id), page)


def every(conn: Connection, operator_id: int, asked: Asked, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, the oldest first, for an export."""
    query = _query(operator_id, asked).order_by(pay_order.c.created_ms, pay_order.c.order_id)
    return conn.execute(query.limit(most)).mappings().all()


def sums(conn: Connection, operator_id: int, start_ms: int, end_ms: int) -> tuple[int, int]:
    """(fen that came in, fen that went back) in [start, end)."""
    came = select(func.coalesce(func.sum(pay_try.c.paid_fen), 0)).where(
        pay_try.c.operator_id == operator_id, pay_try.c.ended_ms >= start_ms, pay_try.c.ended_ms < end_ms
    )
    went = select(func.coalesce(func.sum(pay_refund.c.amount_fen), 0)).where(
        pay_refund.c.operator_id == operator_id,
        pay_refund.c.state == "done",
        pay_refund.c.done_ms >= start_ms,
        pay_refund.c.done_ms < end_ms,
    )
    return int(conn.execute(came).scalar_one()), int(conn.execute(went).scalar_one())


def tries_of(conn: Connection, order_id: str) -> Sequence[RowMapping]:
    """The tries to pay an order with the name of their account, the oldest first."""
    query = (
        select(pay_try, pay_account.c.name, pay_account.c.provider)
        .join(pay_account, pay_account.c.account_id == pay_try.c.account_id)
        .where(pay_try.c.order_id == order_id)
        .order_by(pay_try.c.created_ms, pay_try.c.number)
    )
    return conn.execute(query).mappings().all()


def waiting_refunds(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Refunds a person has to do something about: those to agree to, and those that failed."""
    query = (
        select(pay_refund, pay_order.c.merchant_id)
        .join(pay_order, pay_order.c.order_id == pay_refund.c.order_id)
        .where(pay_refund.c.operator_id == operator_id, pay_refund.c.state.in_(("asked", "failed")))
    )
    return conn.execute(query.order_by(pay_refund.c.asked_ms, pay_refund.c.refund_id)).mappings().all()
