"""The operator's pages of months paid online: what a month costs at each lot, who paid, a month taken at the desk."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import extending
from cloud.reach import Lots
from cloud.web.state import (
    allow,
    change,
    done,
    field_of,
    login_of,
    lots_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from domain.fen import fen_from_yuan, yuan
from plumbing.web import page_number, render, texts


async def _passes(request: web.Request, refused: Refused | None = None) -> web.Response:
    session = await allow(request, Right.VIEW_LOTS)
    within = lots_of(session)
    return render(
        request, "passes.html", status=422 if refused else 200, error=words(request, refused),
        names=await read(request, lots.names, within), prices=await read(request, extending.prices),
        page=await read(request, extending.listed, search_of(request), page_number(request.query), within),
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def passes(request: web.Request) -> web.Response:
    """Prices by lot, and the months that were paid."""
    return await _passes(request)


async def months_file(request: web.Request) -> web.Response:
    """The months that were paid, as a file."""
    within = lots_of(await allow(request, Right.VIEW_LOTS))
    t, zone, names = texts(request), zone_of(request), await read(request, lots.names)
    rows: list[list[sheets.Cell]] = [
        [
            sheets.written(row["done_ms"], zone),
            row["name"],
            names.get(row["lot_id"], ""),
            row["order_id"],
            yuan(row["amount_fen"]),
            sheets.written(row["from_ms"], zone),
            sheets.written(row["until_ms"], zone),
            t("passes.driver") if row["created_by"] == "driver:phone" else row["created_by"],
            t(f"pass_month.{row['state']}"),
        ]
        for row in await read(request, extending.every, search_of(request), sheets.MOST_ROWS, within)
    ]
    columns = ("col.when", "people.name", "col.lot", "payments.order", "passes.amount", "records.from", "records.to",
               "col.by", "col.state")  # fmt: skip
    heads = [t(name) for name in columns]
    return await sheets.table_file(request.match_info["kind"], "passes", t("passes.paid"), heads, rows)


def _price_list(conn: Connection, operator_id: int, within: Lots) -> list[tuple[str, int | None]]:
    prices = extending.prices(conn, operator_id)
    return [(name, prices.get(lot_id)) for lot_id, name in lots.names(conn, operator_id, within).items()]


async def prices_file(request: web.Request) -> web.Response:
    """What a month costs at each lot, as a file."""
    within = lots_of(await allow(request, Right.VIEW_LOTS))
    t = texts(request)
    rows: list[list[sheets.Cell]] = [
        [lot, t("passes.not_offered") if fen is None else yuan(fen)]
        for lot, fen in await read(request, _price_list, within)
    ]
    heads = [t("col.lot"), t("passes.month")]
    return await sheets.table_file(request.match_info["kind"], "pass-prices", t("passes.prices"), heads, rows)


async def set_price(request: web.Request) -> web.Response:
    """What a month costs at a lot; empty or 0: not offered."""
    session = await allow(request, Right.MONEY)
    lot_id = whole(await field_of(request, "lot_id")) or 0
    try:
        month_fen = int(fen_from_yuan(await field_of(request, "yuan") or "0"))
    except ValueError:
        return await _passes(request, Refused("amount_malformed"))
    refused = await change(request, login_of(session), extending.set_price, lot_id, month_fen)
    if refused is not None:
        return await _passes(request, refused)
    raise done("/admin/people/passes", "pass_price_set")


async def extend(request: web.Request) -> web.Response:
    """A month at the desk: on to the page with the code the driver scans."""
    session = await allow(request, Right.MONEY)
    order = await change(request, login_of(session), extending.begin_here, path_id(request, "number"))
    if isinstance(order, Refused):
        return await _passes(request, order)
    raise web.HTTPSeeOther(order.cashier_path)


def add_routes(app: web.Application) -> None:
    """Months paid online."""
    app.router.add_get("/admin/people/passes", passes)
    app.router.add_get("/admin/people/passes.{kind:csv|xlsx}", months_file)
    app.router.add_get("/admin/people/passes/prices.{kind:csv|xlsx}", prices_file)
    app.router.add_post("/admin/people/passes", set_price)
    app.router.add_post("/admin/people/{number:[0-9]+}/extend", extend)
