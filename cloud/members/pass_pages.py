"""The operator's pages of months paid online: what a month costs at each lot, who paid, a month taken at the desk."""

from __future__ import annotations

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import extending
from cloud.web.state import allow, change, done, field_of, login_of, path_id, read, whole, words
from domain.fen import fen_from_yuan
from plumbing.web import page_number, render


async def _passes(request: web.Request, refused: Refused | None = None) -> web.Response:
    session = await allow(request, Right.VIEW)
    return render(
        request, "passes.html", status=422 if refused else 200, error=words(request, refused),
        names=await read(request, lots.names), prices=await read(request, extending.prices),
        page=await read(request, extending.listed, page_number(request.query)),
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def passes(request: web.Request) -> web.Response:
    """Prices by lot, and the months that were paid."""
    return await _passes(request)


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
    app.router.add_post("/admin/people/passes", set_price)
    app.router.add_post("/admin/people/{number:[0-9]+}/extend", extend)
