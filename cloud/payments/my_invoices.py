"""A merchant's payments in money, and what became of the invoices it asked for (E23)."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.payments import invoices
from cloud.web.state import allow, merchant_of, read, search_of, zone_of
from domain.fen import yuan
from plumbing.web import page_number, render, texts

STATES = ("none", *invoices.STATES)
AGAIN = ("refused", "reversed")  # another may be asked for


def _state(request: web.Request) -> str:
    state = request.query.get("state", "")
    return state if state in STATES else ""


async def invoices_page(request: web.Request) -> web.Response:
    """Every payment with its invoice, and the way to ask for one."""
    session, state = await allow(request, Right.OWN_MERCHANT), _state(request)
    sought = merchant_of(session), state, search_of(request), page_number(request.query)
    page, asked = await read(request, invoices.of_merchant, *sought)
    return render(request, "my_invoices.html", page=page, asked=asked, state=state, states=STATES, again=AGAIN)


async def invoices_file(request: web.Request) -> web.Response:
    """The same as a file."""
    session, t, zone = await allow(request, Right.OWN_MERCHANT), texts(request), zone_of(request)
    sought = merchant_of(session), _state(request), search_of(request), sheets.MOST_ROWS
    found, asked = await read(request, invoices.every_of_merchant, *sought)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        one: RowMapping | dict[str, Any] = asked.get(row["order_id"]) or {}
        amount = one["amount_fen"] if one.get("live") else row["amount_fen"]
        state = t(f"invoice_state.{one.get('state', 'none')}")
        return [
            sheets.written(row["paid_ms"] or row["created_ms"], zone),
            row["order_id"],
            t(f"purpose.{row['purpose']}"),
            row["description"],
            yuan(amount),
            state,
            *(one.get(name, "") for name in ("title", "tax_number", "email", "invoice_number", "reversal_number")),
            one.get("reason", ""),
        ]

    names = ("col.when", "payments.order", "payments.purpose", "payments.description", "payments.amount", "col.state",
             "invoice.title", "invoice.tax_number", "invoice.email", "invoice.number", "invoice.reversal_number",
             "col.reason")  # fmt: skip
    rows, heads = [cells(row) for row in found], [t(name) for name in names]
    return await sheets.table_file(request.match_info["kind"], "invoices", t("nav.invoices"), heads, rows)


def add_routes(app: web.Application) -> None:
    """One page and its file."""
    app.router.add_get("/m/invoices", invoices_page)
    app.router.add_get("/m/invoices.{kind:csv|xlsx}", invoices_file)
