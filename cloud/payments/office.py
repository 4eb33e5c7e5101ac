"""Invoices for what a merchant paid at the office: who keeps such payments is told by ``Duties.paid_here``."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.payments import invoices
from cloud.payments.invoices import PaidHere
from cloud.payments.orders import Duties


def find(conn: Connection, operator_id: int, duties: Duties, merchant_id: int, name: str) -> PaidHere | None:
    """What a merchant paid there under this name."""
    return next((one for one in duties.paid_here(conn, operator_id, merchant_id) if one.name == name), None)


def ask(conn: Connection, act: Act, duties: Duties, merchant_id: int, name: str, *payer: str) -> str | Refused:
    """Ask for its invoice, for a payer's title, tax number and e-mail; the invoice's id."""
    found = find(conn, act.operator_id, duties, merchant_id, name)
    return Refused("order_not_paid") if found is None else invoices.request_here(conn, act, found, *payer)
