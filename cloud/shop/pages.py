"""The merchants' shop: what can be bought, buying it, what was bought (S2.6-S2.17), on a phone and on a desk."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Refused
from cloud.db import paged
from cloud.shop import buying, offers, products
from cloud.shop.listing import cells, purchase_columns
from cloud.shop.offers import SHOWN
from cloud.shop.stock import State
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    field_of,
    login_of,
    merchant_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from plumbing.web import page_number, render, texts

VIEWS = ("cards", "table")


async def shop(request: web.Request) -> web.Response:
    """What can be bought, filtered by kind and by what was bought, as cards or as a table."""
    session = await allow(request, Right.OWN_MERCHANT)
    query = request.query
    kind = query.get("kind", "") if query.get("kind") in products.KINDS else ""
    shown = query.get("show", "") if query.get("show") in SHOWN else "buyable"
    now_ms = request.config_dict[CLOUD].now_ms()
    found = await read(request, offers.offers, merchant_of(session), kind, now_ms)
    return render(
        request,
        "shop.html",
        offers=[offer for offer in found if offer.is_shown(shown)],
        kind=kind,
        kinds=products.KINDS,
        shown=shown,
        view=query.get("view", "") if query.get("view") in VIEWS else "cards",
        shows=SHOWN,
    )


async def _product(request: web.Request, merchant_id: int, error: str = "", typed: str = "1") -> web.Response:
    now_ms = request.config_dict[CLOUD].now_ms()
    offer = await read(request, offers.one, merchant_id, path_id(request, "product_id"), now_ms)
    if offer is None:
        raise web.HTTPNotFound
    status = 422 if error else 200
    return render(request, "shop_buy.html", status=status, offer=offer, error=error, typed=typed)


async def product(request: web.Request) -> web.Response:
    """One product: what it is, how many may still be bought, and how many are wanted."""
    session = await allow(request, Right.OWN_MERCHANT)
    return await _product(request, merchant_of(session))


async def buy(request: web.Request) -> web.Response:
    """An order for so many; from here to the page where it is paid (S2.10)."""
    session = await allow(request, Right.OWN_MERCHANT)
    typed, merchant_id = await field_of(request, "quantity"), merchant_of(session)
    made = await change(
        request, login_of(session), buying.order_to_pay, merchant_id, path_id(request, "product_id"), whole(typed) or 0
    )
    if isinstance(made, Refused):
        return await _product(request, merchant_id, words(request, made), typed)
    raise web.HTTPSeeOther(made.cashier_path)


def _asked(request: web.Request) -> tuple[str, str]:
    state = request.query.get("state", "")
    return search_of(request), state if state in set(State) else ""


async def purchases(request: web.Request) -> web.Response:
    """What the merchant bought, newest first (S2.17)."""
    session = await allow(request, Right.OWN_MERCHANT)
    merchant_id, now_ms = merchant_of(session), request.config_dict[CLOUD].now_ms()
    search, state = _asked(request)

    def found(conn: Connection, operator_id: int) -> Any:
        query = buying.history(operator_id, merchant_id, search, state)
        return paged(conn, query, page_number(request.query))

    return render(
        request, "purchases.html", page=await read(request, found), search=search, state=state, states=list(State),
        now_ms=now_ms, base="/m/shop/purchases", names=None, money=False, error="",
    )  # fmt: skip


async def purchases_file(request: web.Request) -> web.Response:
    """All of them as a table file."""
    session = await allow(request, Right.OWN_MERCHANT)
    merchant_id = merchant_of(session)

    def found(conn: Connection, operator_id: int) -> list[RowMapping]:
        query = buying.history(operator_id, merchant_id, *_asked(request))
        return list(conn.execute(query.limit(sheets.MOST_ROWS)).mappings())

    t, zone = texts(request), zone_of(request)
    rows = [cells(t, row, zone) for row in await read(request, found)]
    title, kind = t("shop.purchases"), request.match_info["kind"]
    return await sheets.table_file(kind, "purchases", title, purchase_columns(t), rows)


def add_routes(app: web.Application) -> None:
    """The shop and the purchases of a merchant."""
    add_get = app.router.add_get
    add_get("/m/shop", shop)
    add_get("/m/shop/{product_id:[0-9]+}", product)
    app.router.add_post("/m/shop/{product_id:[0-9]+}", buy)
    add_get("/m/shop/purchases", purchases)
    add_get("/m/shop/purchases.{kind:csv|xlsx}", purchases_file)
