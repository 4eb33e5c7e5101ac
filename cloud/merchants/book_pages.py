"""The operator's books and leases: balances with their check, every ledger row, what lots hold of merchants' money."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.db import paged
from cloud.lots import edges as lot_edges
from cloud.merchants import branches, in_words, leases, ledger, service
from cloud.web import named
from cloud.web.state import allow, change, done, field_of, login_of, read, search_of, whole, words, zone_of
from domain.fen import yuan
from domain.lease import LeaseState
from domain.ledger import Commodity
from plumbing.i18n import Texts
from plumbing.web import Page, page_number, render, texts

EXPORTED = ("col.number", "col.when", "col.merchant", "col.act", "col.subject", "books.account", "books.purse",
            "col.funds", "books.amount", "col.by", "col.remark")  # fmt: skip
LEASES = ("col.number", "col.merchant", "col.edge", "books.purse", "leases.granted", "leases.spent", "leases.left",
          "col.state", "col.when")  # fmt: skip


def _movements(conn: Connection, operator_id: int, merchant_id: int | None, search: str, page: int) -> Page[RowMapping]:
    return paged(conn, service.movements(operator_id, merchant_id, search=search), page)


def _every(conn: Connection, operator_id: int, merchant_id: int | None, search: str) -> list[RowMapping]:
    query = service.movements(operator_id, merchant_id, search=search)
    return list(conn.execute(query.limit(sheets.MOST_ROWS)).mappings())


def _books(conn: Connection, operator_id: int) -> dict[str, Any]:
    names = {row["merchant_id"]: row["name"] for row in service.everyone(conn, operator_id)}
    books = [each for each in ledger.merchant_books(conn) if each.merchant_id in names]
    return {
        "books": books,
        "names": names,
        "losses": ledger.operator_losses(conn, operator_id),
        "branches": branches.account_names(conn, operator_id),
    }


def _sought(request: web.Request) -> tuple[int | None, str]:
    return whole(request.query.get("merchant", "")), search_of(request)


async def books(request: web.Request) -> web.Response:
    """Balances per merchant with their check (I1, I2), and the ledger rows."""
    await allow(request, Right.VIEW)
    merchant_id, search = _sought(request)
    found = await read(request, _movements, merchant_id, search, page_number(request.query))
    values = await read(request, _books)
    return render(request, "books.html", page=found, chosen=merchant_id, search=search, **values)


async def books_file(request: web.Request) -> web.Response:
    """The ledger rows as a table file."""
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    rows = [_book_cells(t, row, zone) for row in await read(request, _every, *_sought(request))]
    return await sheets.table_file(request.match_info["kind"], "ledger", t("nav.books"), [*map(t, EXPORTED)], rows)


def _book_cells(t: Texts, row: RowMapping, zone: ZoneInfo) -> list[sheets.Cell]:
    return [
        row["entry_id"],
        sheets.written(row["made_ms"], zone),
        row["merchant_name"],
        in_words.entry(t, row["kind"]),
        named.subject(t, row["subject"]),
        in_words.account(t, row["account"]),
        t(f"unit.{row['commodity']}"),
        t(f"funds.{row['funds']}"),
        in_words.amount(row["amount"], row["commodity"]),
        named.who(t, row["made_by"]),
        row["note"],
    ]


def _state(request: web.Request) -> str:
    state = request.query.get("state", "")
    return state if state in set(LeaseState) else ""


async def _leases(request: web.Request, role: str, refused: Refused | None = None) -> web.Response:
    state, search = _state(request), search_of(request)
    return render(
        request,
        "leases.html",
        status=422 if refused else 200,
        page=await read(request, leases.listed, search, state, page_number(request.query)),
        held=await read(request, leases.held),
        places={row["edge_id"]: row["lot_name"] for row in await read(request, lot_edges.edges)},
        states=list(LeaseState),
        state=state,
        error=words(request, refused),
        money=may(role, Right.MONEY),
    )


async def leases_page(request: web.Request) -> web.Response:
    """What lots hold of merchants' money."""
    return await _leases(request, (await allow(request, Right.VIEW)).role)


async def leases_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    found = await read(request, leases.every, search_of(request), _state(request), sheets.MOST_ROWS)
    rows = [_lease_cells(t, row, zone) for row in found]
    return await sheets.table_file(request.match_info["kind"], "leases", t("nav.leases"), [*map(t, LEASES)], rows)


def _lease_cells(t: Texts, row: RowMapping, zone: ZoneInfo) -> list[sheets.Cell]:
    amounts = [row["granted"], row["spent"], row["left"] if row["state"] != "closed" else 0]
    shown = [yuan(one) if row["commodity"] == Commodity.FEN.value else one for one in amounts]
    purse = f"{t('unit.' + row['commodity'])} · {t('funds.' + row['funds'])}"
    state = t(f"lease.{row['state']}")
    since = sheets.written(row["granted_ms"], zone)
    return [row["lease_id"], row["merchant_name"], row["edge_id"], purse, *shown, state, since]


async def call_back(request: web.Request) -> web.Response:
    """Ask an edge to give a lease back."""
    session = await allow(request, Right.MONEY)
    lease_id = whole(await field_of(request, "lease_id")) or 0
    refused = await change(request, login_of(session), leases.call_back, lease_id)
    if refused is not None:
        return await _leases(request, session.role, refused)
    raise done("/admin/leases", "lease_called_back")


def add_routes(app: web.Application) -> None:
    """Books and leases."""
    add_get = app.router.add_get
    add_get("/admin/books", books)
    add_get("/admin/books.{kind:csv|xlsx}", books_file)
    add_get("/admin/leases", leases_page)
    add_get("/admin/leases.{kind:csv|xlsx}", leases_file)
    app.router.add_post("/admin/leases/call-back", call_back)
