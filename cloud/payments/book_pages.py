"""Bills beside our book and invoices on the operator's pages; asking for an invoice on the payer's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.act import Act, Refused
from cloud.payments import accounts, bills, invoices, orders
from cloud.payments.desk import DESK
from cloud.payments.provider import ProviderError
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, read, whole, words
from plumbing.web import page_number, render

PAYER = "payer"  # who asks for an invoice without an account here


async def _bills(request: web.Request, error: str = "") -> web.Response:
    session = await allow(request, Right.VIEW)
    only_open = "all" not in request.query
    return render(
        request, "pay_bills.html", status=422 if error else 200, error=error, tab="bills", only_open=only_open,
        bills=await read(request, bills.listed), accounts=await read(request, accounts.accounts),
        page=await read(request, bills.differences, only_open=only_open, page=page_number(request.query)),
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def bills_page(request: web.Request) -> web.Response:
    """Bills by day, and what they do not share with our book."""
    return await _bills(request)


async def take_bill(request: web.Request) -> web.Response:
    """Take the bill of a day now."""
    await allow(request, Right.MONEY)
    known = {row["account_id"]: row["name"] for row in await read(request, accounts.accounts)}
    account_id = whole(await field_of(request, "account_id")) or 0
    try:
        day = date.fromisoformat(await field_of(request, "day"))
    except ValueError:
        return await _bills(request, words(request, Refused("day_malformed")))
    if account_id not in known:
        return await _bills(request, words(request, Refused("account_unknown")))
    try:
        await request.config_dict[DESK].take_bill(account_id, known[account_id], day)
    except ProviderError:
        return await _bills(request, words(request, Refused("provider_silent")))
    raise done("/admin/payments/bills", "bill_taken")


async def close_difference(request: web.Request) -> web.Response:
    """A difference was worked off."""
    session = await allow(request, Right.MONEY)
    difference_id, reason = whole(await field_of(request, "difference_id")) or 0, await field_of(request, "reason")
    refused = await change(request, login_of(session), bills.close, difference_id, reason)
    if refused is not None:
        return await _bills(request, words(request, refused))
    raise done("/admin/payments/bills", "difference_closed")


async def _invoices(request: web.Request, error: str = "") -> web.Response:
    session = await allow(request, Right.VIEW)
    state = request.query.get("state", "")
    page = await read(request, invoices.listed, state if state in invoices.STATES else "", page_number(request.query))
    return render(
        request, "pay_invoices.html", status=422 if error else 200, error=error, tab="invoices", page=page, state=state,
        states=invoices.STATES, money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def invoices_page(request: web.Request) -> web.Response:
    """Invoices asked for, issued and to be reversed."""
    return await _invoices(request)


ACTS: dict[str, Callable[[Connection, Act, str, str], Refused | None]] = {
    "issue": invoices.issue,
    "refuse": invoices.refuse,
    "reverse": invoices.reverse,
}


async def settle_invoice(request: web.Request) -> web.Response:
    """Issued, refused or reversed, under the number of the tax system or for a reason."""
    session = await allow(request, Right.MONEY)
    work = ACTS.get(await field_of(request, "act"))
    if work is None:
        raise web.HTTPUnprocessableEntity
    asked = request.match_info["invoice"], await field_of(request, "text")
    refused = await change(request, login_of(session), work, *asked)
    if refused is not None:
        return await _invoices(request, words(request, refused))
    raise done("/admin/payments/invoices", "invoice_changed")


async def _ask(request: web.Request, error: str = "") -> web.Response:
    cloud, order_id = request.config_dict[CLOUD], request.match_info["order"]
    order = await cloud.db.run(orders.get, cloud.operator_id, order_id)
    if order is None or order.fulfilment != orders.DONE:
        raise web.HTTPNotFound
    form = {name: await field_of(request, name) for name in ("title", "tax_number", "email")}
    return render(
        request, "invoice_ask.html", status=422 if error else 200, order=order, error=error, form=form,
        invoice=await cloud.db.run(invoices.current, order_id), fen=await cloud.db.run(invoices.payable_fen, order_id),
    )  # fmt: skip


async def ask_page(request: web.Request) -> web.Response:
    """Who is on the invoice?"""
    return await _ask(request)


async def ask(request: web.Request) -> web.Response:
    """Ask for the invoice of a payment, by the order's own address."""
    form = [await field_of(request, name) for name in ("title", "tax_number", "email")]
    made = await change(request, PAYER, invoices.request, request.match_info["order"], *form)
    if isinstance(made, Refused):
        return await _ask(request, words(request, made))
    raise web.HTTPSeeOther(f"/payments/{request.match_info['order']}/invoice")


def add_routes(app: web.Application) -> None:
    """Bills and invoices."""
    add_get, add_post = app.router.add_get, app.router.add_post
    add_get("/admin/payments/bills", bills_page)
    add_post("/admin/payments/bills", take_bill)
    add_post("/admin/payments/differences", close_difference)
    add_get("/admin/payments/invoices", invoices_page)
    add_post("/admin/payments/invoices/{invoice}", settle_invoice)
    add_get("/payments/{order}/invoice", ask_page)
    add_post("/payments/{order}/invoice", ask)
