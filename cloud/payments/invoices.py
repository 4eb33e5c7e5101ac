"""Invoices for what was paid in money: asked for, issued, reversed after a refund, never two for one payment (E23).

A coupon's part of a fee is in no order, so no invoice can hold it. What was paid at the office has no order; those who
keep it tell of it as ``PaidHere``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import paged
from cloud.payments import refunds
from cloud.payments.tables import pay_invoice, pay_order, pay_try
from plumbing.web.paging import Page

TITLE_LENGTH, NUMBER_LENGTH, REASON_LENGTH = 100, 40, 128
TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
TO_DO = ("requested", "to_reverse")  # for the office
STATES = ("requested", "issued", "to_reverse", "reversed", "refused")


def payable_fen(conn: Connection, order_id: str) -> int:
    """What an invoice for an order may hold: what was paid and honoured, less what went back or is on its way."""
    query = select(pay_try).where(pay_try.c.order_id == order_id, pay_try.c.state == "paid")
    return sum(
        int(row["paid_fen"]) - refunds.refunded_fen(conn, row["number"]) for row in conn.execute(query).mappings()
    )


@dataclass(frozen=True, slots=True)
class PaidHere:
    """A payment in money that no provider knows: made at the office. *left_fen* is what of it has not gone back.

    *name* is its kind and number ("topup-12"), *about* what the payer reads of it.
    """

    name: str
    merchant_id: int
    kind: str
    about: str
    paid_fen: int
    left_fen: int
    paid_ms: int


def request(conn: Connection, act: Act, order_id: str, title: str, tax_number: str, email: str) -> str | Refused:
    """Ask for an invoice; its id."""
    order = conn.execute(
        select(pay_order)
        .where(pay_order.c.order_id == order_id, pay_order.c.operator_id == act.operator_id)
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if order is None or order["fulfilment"] != "done":
        return Refused("order_not_paid")
    amount = payable_fen(conn, order_id)
    return _request(conn, act, {"order_id": order_id, "live": order_id}, amount, title, tax_number, email)


def request_here(conn: Connection, act: Act, paid: PaidHere, title: str, tax_number: str, email: str) -> str | Refused:
    """The same for what was paid at the office; the caller has locked the merchant."""
    what: dict[str, str | int] = {"paid_here": paid.name, "merchant_id": paid.merchant_id, "live": paid.name}
    return _request(conn, act, what, paid.left_fen, title, tax_number, email)


def _request(
    conn: Connection, act: Act, what: dict[str, str | int], amount: int, title: str, tax_number: str, email: str
) -> str | Refused:
    if not title.strip() or len(title) > TITLE_LENGTH:
        return Refused("invoice_title")
    if tax_number and TAX_NUMBER.fullmatch(tax_number) is None:
        return Refused("invoice_tax_number")
    if EMAIL.fullmatch(email) is None or len(email) > TITLE_LENGTH:
        return Refused("invoice_email")
    if current(conn, str(what["live"])) is not None:
        return Refused("invoice_there")
    if amount <= 0:
        return Refused("invoice_nothing")
    invoice_id = act.uuid()
    conn.execute(
        insert(pay_invoice).values(
            invoice_id=invoice_id,
            operator_id=act.operator_id,
            **{"paid_here": "", **what},
            amount_fen=amount,
            title=title.strip(),
            tax_number=tax_number,
            email=email,
            state="requested",
            requested_by=act.by,
            requested_ms=act.now_ms,
            invoice_number="",
            reversal_number="",
            decided_by="",
            reason="",
        )
    )
    return invoice_id


def current(conn: Connection, live: str) -> RowMapping | None:
    """The invoice that stands for an order, or by its name for what was paid at the office."""
    return conn.execute(select(pay_invoice).where(pay_invoice.c.live == live)).mappings().one_or_none()


def _change(conn: Connection, act: Act, invoice_id: str, states: tuple[str, ...], **values: object) -> str | None:
    """Change an invoice that is in one of these states; returns the one it was in, None for no such invoice."""
    at = (pay_invoice.c.invoice_id == invoice_id) & (pay_invoice.c.operator_id == act.operator_id)
    before = conn.execute(select(pay_invoice.c.state).where(at).with_for_update()).scalar_one_or_none()
    if before not in states:
        return None
    values |= {"decided_by": act.by, "decided_ms": act.now_ms}
    conn.execute(update(pay_invoice).where(at).values(**values))
    return str(before)


def _record(conn: Connection, act: Act, invoice_id: str, before: str, after: str, **more: str) -> None:
    """An act of somebody of the operator's, with the invoice's state before and after it."""
    reason = more.pop("reason", "")
    states = {"invoice_state": before}, {"invoice_state": after, **more}
    audit.record(
        conn, act, f"invoice.{after}", f"invoice:{invoice_id}", reason=reason, before=states[0], after=states[1]
    )


def issue(conn: Connection, act: Act, invoice_id: str, number: str) -> Refused | None:
    """It was issued in the tax system under *number*."""
    if not 0 < len(number.strip()) <= NUMBER_LENGTH:
        return Refused("invoice_number")
    before = _change(conn, act, invoice_id, ("requested",), state="issued", invoice_number=number.strip())
    if before is None:
        return Refused("invoice_not_requested")
    _record(conn, act, invoice_id, before, "issued", number=number.strip())
    return None


def refuse(conn: Connection, act: Act, invoice_id: str, reason: str) -> Refused | None:
    """It will not be issued; another may be asked for."""
    if not 0 < len(reason.strip()) <= REASON_LENGTH:
        return Refused("reason_missing")
    before = _change(conn, act, invoice_id, ("requested",), state="refused", reason=reason.strip(), live=None)
    if before is None:
        return Refused("invoice_not_requested")
    _record(conn, act, invoice_id, before, "refused", reason=reason)
    return None


def reverse(conn: Connection, act: Act, invoice_id: str, number: str) -> Refused | None:
    """The red invoice (红字发票) was made under *number*; what is left of the payment may have one of its own."""
    if not 0 < len(number.strip()) <= NUMBER_LENGTH:
        return Refused("invoice_number")
    states = ("issued", "to_reverse")
    before = _change(conn, act, invoice_id, states, state="reversed", reversal_number=number.strip(), live=None)
    if before is None:
        return Refused("invoice_not_issued")
    _record(conn, act, invoice_id, before, "reversed", number=number.strip())
    return None


def after_refund(conn: Connection, act: Act, order_id: str) -> None:
    """Money went back: an invoice not issued yet holds less, an issued one is to be reversed."""
    row = current(conn, order_id)
    if row is not None:
        _follow(conn, act, row, payable_fen(conn, order_id))


def follow(conn: Connection, act: Act, paid: Sequence[PaidHere]) -> None:
    """The same of what was paid at the office."""
    left = {one.name: one.left_fen for one in paid}
    standing = select(pay_invoice).where(pay_invoice.c.operator_id == act.operator_id, pay_invoice.c.live.in_(left))
    for row in conn.execute(standing).mappings().all():
        _follow(conn, act, row, left[row["live"]])


def _follow(conn: Connection, act: Act, row: RowMapping, left: int) -> None:
    if row["state"] == "issued" and left < row["amount_fen"]:
        _change(conn, act, row["invoice_id"], ("issued",), state="to_reverse")
    elif row["state"] == "requested" and left > 0:
        at = pay_invoice.c.invoice_id == row["invoice_id"]
        conn.execute(update(pay_invoice).where(at).values(amount_fen=left))
    elif row["state"] == "requested":
        _change(conn, act, row["invoice_id"], ("requested",), state="refused", live=None)


def listed(conn: Connection, operator_id: int, state: str = "", search: str = "", page: int = 1) -> Page[RowMapping]:
    """Invoices newest first; *search* is part of a title, a tax number, an address or a number."""
    return paged(conn, _query(operator_id, state, search), page)


def every(conn: Connection, operator_id: int, state: str, search: str, most: int) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_query(operator_id, state, search).limit(most)).mappings())


def _query(operator_id: int, state: str, search: str) -> Select[Any]:
    query = select(pay_invoice).where(pay_invoice.c.operator_id == operator_id)
    if state:
        query = query.where(pay_invoice.c.state == state)
    if search:
        names = ("title", "tax_number", "email", "invoice_number", "reversal_number")
        query = query.where(or_(*(pay_invoice.c[name].contains(search, autoescape=True) for name in names)))
    return query.order_by(pay_invoice.c.requested_ms.desc(), pay_invoice.c.invoice_id)


def of_merchant(
    conn: Connection, operator_id: int, merchant_id: int, state: str = "", page: int = 1
) -> tuple[Page[RowMapping], dict[str, RowMapping]]:
    """What a merchant paid in money, the newest first, and by order the invoice last asked for.

    *state* leaves those whose last invoice is in it; "none" those nobody asked one for.
    """
    found = paged(conn, _paid_by(operator_id, merchant_id, state), page)
    return found, _last(conn, found.items)


def every_of_merchant(
    conn: Connection, operator_id: int, merchant_id: int, most: int
) -> tuple[list[RowMapping], dict[str, RowMapping]]:
    """All of it, up to *most*."""
    rows = list(conn.execute(_paid_by(operator_id, merchant_id).limit(most)).mappings())
    return rows, _last(conn, rows)


def last_here(conn: Connection, operator_id: int, merchant_id: int) -> dict[str, RowMapping]:
    """The invoice last asked for of each payment a merchant made at the office, by its name."""
    query = select(pay_invoice).where(
        pay_invoice.c.operator_id == operator_id,
        pay_invoice.c.merchant_id == merchant_id,
        pay_invoice.c.paid_here != "",
    )
    return {row["paid_here"]: row for row in conn.execute(query.order_by(pay_invoice.c.invoice_id)).mappings()}


def _last(conn: Connection, rows: Sequence[RowMapping]) -> dict[str, RowMapping]:
    ids = [row["invoice_id"] for row in rows if row["invoice_id"]]
    found = conn.execute(select(pay_invoice).where(pay_invoice.c.invoice_id.in_(ids))).mappings()
    return {row["order_id"]: row for row in found}


def _paid_by(operator_id: int, merchant_id: int, state: str = "") -> Select[Any]:
    order = pay_order.c
    last = select(func.max(pay_invoice.c.invoice_id)).group_by(pay_invoice.c.order_id)  # their ids go by time
    asked = select(pay_invoice).where(pay_invoice.c.invoice_id.in_(last)).subquery()
    query = select(pay_order, asked.c.invoice_id, asked.c.state.label("invoice_state"))
    query = query.join(asked, asked.c.order_id == order.order_id, isouter=True).where(
        order.operator_id == operator_id, order.merchant_id == merchant_id, order.fulfilment == "done"
    )
    if state:
        query = query.where(asked.c.state.is_(None) if state == "none" else asked.c.state == state)
    return query.order_by(order.created_ms.desc(), order.order_id)
