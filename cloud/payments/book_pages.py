"""Bills beside our book and invoices on the operator's pages; asking for an invoice on the payer's."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Act, Refused
from cloud.days import parse_day
from cloud.payments import accounts, bills, invoices, orders
from cloud.payments.desk import DESK
from cloud.payments.provider import ProviderError
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, read, search_of, whole, words, zone_of
from domain.fen import yuan
from plumbing.web import page_number, render, texts

PAYER = "payer"  # who asks for an invoice without an account here


async def _bills(request: web.Request, error: str = "") -> web.Response:
    session = await allow(request, Right.VIEW)
    only_open, search = "all" not in request.query, search_of(request)
    found = await read(request, bills.differences, only_open=only_open, search=search, page=page_number(request.query))
    return render(
        request, "pay_bills.html", status=422 if error else 200, error=error, tab="bills", only_open=only_open,
        bills=await read(request, bills.listed),
        accounts=await read(request, accounts.accounts), page=found, search=search,
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


def _state(request: web.Request) -> str:
    state = request.query.get("state", "")
    return state if state in invoices.STATES else ""


async def bills_page(request: web.Request) -> web.Response:
    """Bills by day, and what they do not share with our book."""
    return await _bills(request)


async def take_bill(request: web.Request) -> web.Response:
    """Take the bill of a day now."""
    await allow(request, Right.MONEY)
    known = {row["account_id"]: row["name"] for row in await read(request, accounts.accounts)}
    account_id = whole(await field_of(request, "account_id")) or 0
    day = parse_day(await field_of(request, "day"))
    if day is None:
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
    state, search = _state(request), search_of(request)
    page = await read(request, invoices.listed, state, search, page_number(request.query))
    return render(
        request, "pay_invoices.html", status=422 if error else 200, error=error, tab="invoices", page=page, state=state,
        search=search, states=invoices.STATES, money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def invoices_page(request: web.Request) -> web.Response:
    """Invoices asked for, issued and to be reversed."""
    return await _invoices(request)


async def invoices_file(request: web.Request) -> web.Response:
    """Invoices as a file."""
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    found = await read(request, invoices.every, _state(request), search_of(request), sheets.MOST_ROWS)
    names = ("title", "tax_number", "email", "number", "reversal_number")
    heads = [t("col.when"), t("payments.order"), t("payments.amount"), *(t(f"invoice.{name}") for name in names)]
    rows: list[list[sheets.Cell]] = [
        [
            sheets.written(row["requested_ms"], zone),
            row["order_id"] or row["paid_here"],
            yuan(row["amount_fen"]),
            *(row[name] for name in ("title", "tax_number", "email", "invoice_number", "reversal_number")),
            t(f"invoice_state.{row['state']}"),
            row["reason"],
            row["decided_by"],
        ]
        for row in found
    ]
    heads += [t("col.state"), t("col.reason"), t("col.by")]
    return await sheets.table_file(request.match_info["kind"], "invoices", t("payments.tab_invoices"), heads, rows)


async def bills_file(request: web.Request) -> web.Response:
    """Bills by day, beside our book, as a file."""
    await allow(request, Right.VIEW)
    t, sums = texts(request), ("paid_fen", "ours_paid_fen", "refunded_fen", "ours_refunded_fen", "fee_fen")
    found = await read(request, bills.every, sheets.MOST_ROWS)
    rows: list[list[sheets.Cell]] = [
        [row["day"], row["name"], row["lines"], *(yuan(row[name]) for name in sums)] for row in found
    ]
    names = ("lines", "their_paid", "our_paid", "their_back", "our_back", "fee")
    heads = [t("payments.day"), t("payments.account"), *(t(f"bills.{name}") for name in names)]
    return await sheets.table_file(request.match_info["kind"], "bills", t("bills.days"), heads, rows)


async def differences_file(request: web.Request) -> web.Response:
    """What bills and our book do not share, as a file."""
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    only_open = "all" not in request.query
    found = await read(request, bills.every_difference, search_of(request), sheets.MOST_ROWS, only_open=only_open)
    rows: list[list[sheets.Cell]] = [
        [
            row["day"], row["name"], t(f"difference.{row['kind']}"), row["number"], row["refund_id"],
            yuan(row["ours_fen"]), yuan(row["theirs_fen"]), row["reason"], row["closed_by"],
            sheets.written(row["closed_ms"], zone),
        ]
        for row in found
    ]  # fmt: skip
    heads = [
        t("payments.day"), t("payments.account"), t("bills.kind"), t("payments.number"), t("bills.refund"),
        t("bills.ours"), t("bills.theirs"), t("bills.worked_off"), t("col.by"), t("col.closed_at"),
    ]  # fmt: skip
    return await sheets.table_file(request.match_info["kind"], "differences", t("bills.differences"), heads, rows)


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
        request, "invoice_ask.html", status=422 if error else 200, error=error, form=form,
        about=order.description, back=order.cashier_path,
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
    add_get("/admin/payments/bills.{kind:csv|xlsx}", bills_file)
    add_get("/admin/payments/differences.{kind:csv|xlsx}", differences_file)
    add_get("/admin/payments/invoices.{kind:csv|xlsx}", invoices_file)
    add_post("/admin/payments/bills", take_bill)
    add_post("/admin/payments/differences", close_difference)
    add_get("/admin/payments/invoices", invoices_page)
    add_post("/admin/payments/invoices/{invoice}", settle_invoice)
    add_get("/payments/{order}/invoice", ask_page)
    add_post("/payments/{order}/invoice", ask)
