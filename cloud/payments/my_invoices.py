"""A merchant's payments in money, and what became of the invoices it asked for (E23)."""

from __future__ import annotations

from aiohttp import web

from cloud.access.roles import Right
from cloud.payments import invoices
from cloud.web.state import allow, merchant_of, read
from plumbing.web import page_number, render

STATES = ("none", *invoices.STATES)
AGAIN = ("refused", "reversed")  # another may be asked for


async def invoices_page(request: web.Request) -> web.Response:
    """Every payment with its invoice, and the way to ask for one."""
    session, state = await allow(request, Right.OWN_MERCHANT), request.query.get("state", "")
    chosen = state if state in STATES else ""
    page, asked = await read(request, invoices.of_merchant, merchant_of(session), chosen, page_number(request.query))
    return render(request, "my_invoices.html", page=page, asked=asked, state=chosen, states=STATES, again=AGAIN)


def add_routes(app: web.Application) -> None:
    """One page."""
    app.router.add_get("/m/invoices", invoices_page)
