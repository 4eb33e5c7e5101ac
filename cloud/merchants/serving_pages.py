"""Lots beside merchants: who serves which, on one page, with the way to change it."""

from __future__ import annotations

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.lots import service as lots
from cloud.merchants import serving
from cloud.merchants.serving import Sought
from cloud.web.state import allow, lots_of, read, search_of, whole, zone_of
from plumbing.web import Session, page_number, render, texts

HERE = "/admin/lots/merchants"


def _sought(request: web.Request, session: Session) -> Sought:
    search = search_of(request)
    return Sought(search, whole(request.query.get("lot", "")), lots_of(session))


async def page(request: web.Request) -> web.Response:
    """A row a merchant, a column a lot."""
    session = await allow(request, Right.VIEW_LOTS)
    sought = _sought(request, session)
    return render(
        request,
        "serving.html",
        page=await read(request, serving.listed, sought, page_number(request.query)),
        sought=sought,
        names=await read(request, lots.names, sought.within),
        every=may(session.role, Right.VIEW),
        money=may(session.role, Right.MONEY),
    )


async def export(request: web.Request) -> web.Response:
    """The same as a file: in each lot's column since when."""
    session, t = await allow(request, Right.VIEW_LOTS), texts(request)
    sought, zone = _sought(request, session), zone_of(request)
    names = await read(request, lots.names, sought.within)
    rows: list[list[sheets.Cell]] = [
        [
            one.merchant["name"],
            one.merchant["account_no"],
            t("merchants.enabled" if one.merchant["enabled"] else "merchants.disabled"),
            *(sheets.written(one.lots[lot_id][1], zone) if lot_id in one.lots else "" for lot_id in names),
        ]
        for one in await read(request, serving.every, sought, sheets.MOST_ROWS)
    ]
    heads = [t("col.name"), t("col.account"), t("col.state"), *names.values()]
    return await sheets.table_file(request.match_info["kind"], "serving", t("nav.serving"), heads, rows)


def add_routes(app: web.Application) -> None:
    """The page and its files."""
    app.router.add_get(HERE, page)
    app.router.add_get(HERE + ".{kind:csv|xlsx}", export)
