"""What came into a merchant's purses and what left them, one purse at a time; a branch sees its own (S1.31)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping, Select

from cloud import sheets
from cloud.access.roles import Right
from cloud.days import day_began
from cloud.db import paged
from cloud.lots import service as lots
from cloud.merchants import branches, in_words
from cloud.merchants import service as merchants
from cloud.web import named
from cloud.web.state import allow, place_of, read, search_of, zone_of
from domain.ledger import Commodity, branch_account, free_account
from plumbing.i18n import Texts
from plumbing.web import page_number, render, texts

MOVEMENT = ("when", "act", "subject", "funds", "amount", "by", "remark")


def _purse(request: web.Request) -> Commodity:
    return Commodity.MIN if request.query.get("purse") == "MIN" else Commodity.FEN


async def _asked(request: web.Request) -> tuple[int, list[str], str]:
    """The merchant, the accounts whoever asks may look into, and the one chosen. Raises HTTPNotFound for another."""
    merchant_id, branch_id = place_of(await allow(request, Right.OWN_BRANCH))
    mine = [branch_account(branch_id)] if branch_id else await read(request, merchants.accounts, merchant_id)
    chosen = request.query.get("account") or mine[0]
    if chosen not in mine:
        raise web.HTTPNotFound
    return merchant_id, mine, chosen


def _movements(request: web.Request, operator_id: int, merchant_id: int, account: str) -> Select[Any]:
    query, zone = request.query, zone_of(request)
    times = day_began(query.get("from", ""), zone), day_began(query.get("to", ""), zone, 1)
    search = search_of(request)
    return merchants.movements(
        operator_id, merchant_id, _purse(request), account, search=search, from_ms=times[0], until_ms=times[1]
    )


def _names(conn: Connection, operator_id: int) -> dict[str, str]:
    """What branches and lots are called, by the account that is theirs."""
    return branches.account_names(conn, operator_id) | {
        free_account(row["lot_id"]): row["name"] for row in lots.lots(conn, operator_id)
    }


async def my_ledger(request: web.Request) -> web.Response:
    """What moved in one purse, money or time."""
    merchant_id, mine, chosen = await _asked(request)

    def found(conn: Connection, operator_id: int) -> Any:
        return paged(conn, _movements(request, operator_id, merchant_id, chosen), page_number(request.query))

    t, names = texts(request), await read(request, _names)
    accounts = {account: in_words.account(t, account, names) for account in mine}
    page = await read(request, found)
    return render(
        request,
        "my_ledger.html",
        page=page,
        commodity=_purse(request),
        accounts=accounts,
        chosen=chosen,
        branches=names,
    )


async def my_ledger_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    merchant_id, _, chosen = await _asked(request)

    def found(conn: Connection, operator_id: int) -> list[RowMapping]:
        query = _movements(request, operator_id, merchant_id, chosen).limit(sheets.MOST_ROWS)
        return list(conn.execute(query).mappings())

    t, zone = texts(request), zone_of(request)
    rows = [_moved(t, row, zone) for row in await read(request, found)]
    heads = [t("books.amount") if name == "amount" else t(f"col.{name}") for name in MOVEMENT]
    return await sheets.table_file(request.match_info["kind"], "ledger", t("nav.ledger"), heads, rows)


def _moved(t: Texts, row: RowMapping, zone: ZoneInfo) -> list[sheets.Cell]:
    return [
        sheets.written(row["made_ms"], zone),
        in_words.entry(t, row["kind"]),
        named.subject(t, row["subject"]),
        t(f"funds.{row['funds']}"),
        in_words.amount(row["amount"], row["commodity"]),
        named.who(t, row["made_by"]),
        row["note"],
    ]


def add_routes(app: web.Application) -> None:
    """The ledger and its file."""
    app.router.add_get("/m/ledger", my_ledger)
    app.router.add_get("/m/ledger.{kind:csv|xlsx}", my_ledger_file)
