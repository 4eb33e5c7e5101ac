"""The operator's pages of payments: the list, one order with its refunds, and which account takes which money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.days import day_at, parse_day, span_ms
from cloud.lots import service as lots
from cloud.payments import accounts, giving_back, invoices, listing, notices, orders, refunds
from cloud.payments.desk import DESK
from cloud.payments.listing import STATES, Asked
from cloud.payments.orders import PURPOSES
from cloud.payments.provider import State
from cloud.web.lists import ShortList, short_list
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, read, search_of, whole, words, zone_of
from domain.fen import fen_from_yuan, yuan
from plumbing.web import page_number, render, texts

EXPORT_ROWS = 50_000
COLUMNS = ("when", "order", "purpose", "description", "amount", "state", "paid", "fulfilment")


def day_in(request: web.Request) -> tuple[str, int, int]:
    """The day asked for (today where none is): its text, [start, end)."""
    tz = zone_of(request)
    day = parse_day(request.query.get("day", "")) or day_at(request.config_dict[CLOUD].now_ms(), tz)
    return day.isoformat(), *span_ms(day, day, tz)


def _asked(request: web.Request) -> tuple[str, Asked]:
    day, start, end = day_in(request)
    query, search = request.query, search_of(request)
    state, purpose = query.get("state", ""), query.get("purpose", "")
    if search:
        start, end = 0, 2**53  # a number is looked for on every day
    return day, Asked(start, end, state if state in STATES else "", purpose if purpose in PURPOSES else "", search)


async def list_page(request: web.Request) -> web.Response:
    """The orders of a day, and the refunds that wait for a person."""
    session = await allow(request, Right.VIEW)
    (day, asked), (_, start, end) = _asked(request), day_in(request)
    came, went = await read(request, listing.sums, start, end)
    return render(
        request, "payments.html", page=await read(request, listing.listed, asked, page_number(request.query)),
        asked=asked, day=day, states=STATES, purposes=PURPOSES, came=came, went=went,
        waiting=await read(request, listing.waiting_refunds), money=may(session.role, Right.MONEY), tab="orders",
    )  # fmt: skip


async def export(request: web.Request) -> web.Response:
    """The same as a file."""
    await allow(request, Right.VIEW)
    (day, asked), t = _asked(request), texts(request)
    zone = zone_of(request)
    rows: list[Sequence[sheets.Cell]] = [
        (
            sheets.written(row["created_ms"], zone),
            row["order_id"],
            t(f"purpose.{row['purpose']}"),
            row["description"],
            yuan(row["amount_fen"]),
            t(f"pay_state.{row['state']}"),
            sheets.written(row["paid_ms"], zone),
            row["fulfilment"],
        )
        for row in await read(request, listing.every, asked, EXPORT_ROWS)
    ]
    columns = [t(f"payments.{name}") for name in COLUMNS]
    return await sheets.table_file(request.match_info["kind"], f"payments-{day}", t("nav.payments"), columns, rows)


def _one(conn: Connection, operator_id: int, order_id: str) -> dict[str, Any]:
    order = orders.get(conn, operator_id, order_id)
    if order is None:
        raise web.HTTPNotFound
    tries = listing.tries_of(conn, order_id)
    numbers = [row["number"] for row in tries]
    left = {row["number"]: row["paid_fen"] - refunds.refunded_fen(conn, row["number"]) for row in tries}
    return {
        "order": order,
        "tries": tries,
        "left": left,
        "refunds": refunds.of_order(conn, order_id),
        "notices": notices.of_numbers(conn, operator_id, numbers) if numbers else [],
        "invoice": invoices.current(conn, order_id),
    }


async def _page(request: web.Request, error: str = "", said: str = "") -> web.Response:
    session = await allow(request, Right.VIEW)
    values = await read(request, _one, request.match_info["order"])
    limit = request.config_dict[CLOUD].settings.payments.refund_limit_fen
    return render(
        request, "payment.html", status=422 if error else 200, error=error, said=said, limit=limit,
        money=may(session.role, Right.MONEY), by=login_of(session), **values,
    )  # fmt: skip


async def order_page(request: web.Request) -> web.Response:
    """One order: its tries, refunds, notices and invoice."""
    return await _page(request)


def _back(request: web.Request) -> str:
    return f"/admin/payments/{request.match_info['order']}"


async def refund(request: web.Request) -> web.Response:
    """Give money back by the way it came."""
    session = await allow(request, Right.MONEY)
    cloud, desk = request.config_dict[CLOUD], request.config_dict[DESK]
    try:
        fen: int = fen_from_yuan(await field_of(request, "yuan"))
    except ValueError:
        return await _page(request, words(request, Refused("amount_malformed")))
    asked = request.match_info["order"], fen, await field_of(request, "reason")
    limit, number = cloud.settings.payments.refund_limit_fen, await field_of(request, "number")
    refused = await change(request, login_of(session), giving_back.ask, desk.duties, *asked, limit, number)
    if refused is not None:
        return await _page(request, words(request, refused))
    raise done(_back(request), "refund_asked")


async def decide(request: web.Request) -> web.Response:
    """The second person agrees, or does not."""
    session = await allow(request, Right.MONEY)
    refund_id, agreed = await field_of(request, "refund_id"), await field_of(request, "agreed") == "1"
    duties = request.config_dict[DESK].duties
    refused = await change(request, login_of(session), giving_back.decide, duties, refund_id, agreed=agreed)
    if refused is not None:
        return await _page(request, words(request, refused))
    raise done(_back(request), "refund_decided")


async def again(request: web.Request) -> web.Response:
    """Send a failed refund once more."""
    session = await allow(request, Right.MONEY)
    refused = await change(request, login_of(session), refunds.again, await field_of(request, "refund_id"))
    if refused is not None:
        return await _page(request, words(request, refused))
    raise done(_back(request), "refund_decided")


async def look(request: web.Request) -> web.Response:
    """Ask the provider now what became of the tries that wait."""
    await allow(request, Right.VIEW)
    found = await read(request, orders.get, request.match_info["order"])
    if found is None:
        raise web.HTTPNotFound
    await request.config_dict[DESK].look_at(found)
    raise done(_back(request), "payment_looked")


async def take_code(request: web.Request) -> web.Response:
    """Take the money by the payment code a payer shows; answers when there is an end."""
    await allow(request, Right.MONEY)
    code = (await field_of(request, "code")).replace(" ", "")
    outcome = await request.config_dict[DESK].pay_by_code(request.match_info["order"], code)
    if isinstance(outcome, Refused):
        return await _page(request, words(request, outcome))
    if outcome.state is State.PAID:
        raise done(_back(request), "payment_taken")
    return await _page(request, words(request, Refused("code_not_paid")))


async def _listed_accounts(request: web.Request) -> ShortList[RowMapping]:
    t, is_open = texts(request), request.config_dict[DESK].providers

    def cells(row: RowMapping) -> list[sheets.Cell]:
        uses = [use for use in used if use["account_id"] == row["account_id"]]
        said = [
            f"{names.get(use['lot_id'], '') if use['lot_id'] else t('accounts.every_lot')} · "
            + t(f"purpose.{use['purpose']}" if use["purpose"] else "payments.any_purpose")
            for use in uses
        ]
        state = t("accounts.open" if row["name"] in is_open else "accounts.gone")
        provider = f"provider.{row['provider']}"
        return [row["name"], t(provider) if t.catalogue.has(provider) else row["provider"], state, "; ".join(said)]

    names = await read(request, lots.names)
    used = await read(request, accounts.uses)
    heads = [t(name) for name in ("payments.account", "accounts.provider", "col.state", "accounts.uses")]
    return short_list(request, heads, await read(request, accounts.accounts), cells)


async def accounts_file(request: web.Request) -> web.Response:
    """Accounts and what each takes, as a file."""
    await allow(request, Right.VIEW)
    return await (await _listed_accounts(request)).file(request, "accounts", texts(request)("payments.tab_accounts"))


async def _accounts(request: web.Request, error: str = "") -> web.Response:
    session = await allow(request, Right.VIEW)
    return render(
        request, "pay_accounts.html", status=422 if error else 200, error=error, tab="accounts", purposes=PURPOSES,
        page=(await _listed_accounts(request)).page(request),
        accounts=await read(request, accounts.accounts), uses=await read(request, accounts.uses),
        open_names=set(request.config_dict[DESK].providers), money=may(session.role, Right.MONEY),
        names={row["lot_id"]: row["name"] for row in await read(request, lots.lots)},
    )  # fmt: skip


async def accounts_page(request: web.Request) -> web.Response:
    """Accounts, and which of them takes what."""
    return await _accounts(request)


async def assign(request: web.Request) -> web.Response:
    """Have an account take the money of a lot and a purpose, or leave it to the wider rule."""
    session = await allow(request, Right.MONEY)
    lot_id, purpose = whole(await field_of(request, "lot_id")), await field_of(request, "purpose")
    if lot_id is None or purpose not in ("", *PURPOSES):
        raise web.HTTPUnprocessableEntity
    account_id = whole(await field_of(request, "account_id")) or 0
    kinds = {row["account_id"]: row["provider"] for row in await read(request, accounts.accounts)}
    provider = kinds.get(account_id) or await field_of(request, "provider")
    refused = await change(request, login_of(session), accounts.assign, lot_id, purpose, provider, account_id)
    if refused is not None:
        return await _accounts(request, words(request, refused))
    raise done("/admin/payments/accounts", "account_assigned")


def add_routes(app: web.Application) -> None:
    """Lists and one order."""
    add_get, add_post, one = app.router.add_get, app.router.add_post, "/admin/payments/{order}"
    add_get("/admin/payments", list_page)
    add_get("/admin/payments.{kind:csv|xlsx}", export)
    add_get("/admin/payments/accounts", accounts_page)
    add_get("/admin/payments/accounts.{kind:csv|xlsx}", accounts_file)
    add_post("/admin/payments/accounts", assign)
    add_get(one, order_page)
    add_post(f"{one}/refund", refund)
    add_post(f"{one}/decide", decide)
    add_post(f"{one}/again", again)
    add_post(f"{one}/look", look)
    add_post(f"{one}/code", take_code)
