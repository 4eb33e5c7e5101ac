"""The operator's side of the shop: what is for sale, what merchants bought, money back for unused coupons."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.db import paged
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.shop import buying, products
from cloud.shop.listing import cells, product_cells, product_columns, purchase_columns
from cloud.shop.products import Product
from cloud.shop.stock import State
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from domain.fen import fen_from_yuan
from plumbing.web import Session, page_number, render, texts


def _sought(request: web.Request) -> tuple[str, str]:
    kind = request.query.get("kind", "")
    return search_of(request), kind if kind in products.KINDS else ""


async def _products(request: web.Request, role: str, error: str = "") -> web.Response:
    search, kind = _sought(request)
    return render(
        request,
        "products.html",
        status=422 if error else 200,
        page=await read(request, products.listed, search, kind, page_number(request.query)),
        lots=await read(request, lots.lots),
        search=search,
        kind=kind,
        kinds=products.KINDS,
        money=may(role, Right.MONEY),
        error=error,
    )


async def products_page(request: web.Request) -> web.Response:
    """What is or was for sale."""
    session = await allow(request, Right.VIEW)
    return await _products(request, session.role)


async def products_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    await allow(request, Right.VIEW)
    asked = _sought(request)

    def found(conn: Connection, operator_id: int) -> list[RowMapping]:
        return list(conn.execute(products.query(operator_id, *asked).limit(sheets.MOST_ROWS)).mappings())

    t, zone = texts(request), zone_of(request)
    rows = [product_cells(t, row, zone) for row in await read(request, found)]
    return await sheets.table_file(request.match_info["kind"], "products", t("nav.sale"), product_columns(t), rows)


async def _typed(request: web.Request) -> Product | None:
    """The product of the form: yuan for money, whole numbers for the rest; None when one of them is neither."""
    kind = await field_of(request, "kind")
    try:
        unit = fen_from_yuan(await field_of(request, "unit") or "0")
        cap = fen_from_yuan(await field_of(request, "cap") or "0")
        text = await field_of(request, "value") or "0"
        value = fen_from_yuan(text) if kind == "AMOUNT" else whole(text)
    except ValueError:
        return None
    numbers = [whole(await field_of(request, name) or "0") for name in ("most", "months", "lot_id", "hours")]
    if value is None or None in numbers:
        return None
    most, months, lot_id, hours = (number or 0 for number in numbers)
    name, meaning = await field_of(request, "name"), await field_of(request, "meaning")
    return Product(name, kind, value, unit, most, months, lot_id, meaning, cap, hours * 60)


async def offer(request: web.Request) -> web.Response:
    """Put a coupon up for sale."""
    session = await allow(request, Right.MONEY)
    typed = await _typed(request)
    if typed is None:
        return await _products(request, session.role, words(request, Refused("product_malformed")))
    made = await change(request, login_of(session), products.offer, typed)
    if isinstance(made, Refused):
        return await _products(request, session.role, words(request, made))
    raise done("/admin/shop", "offered")


async def withdraw(request: web.Request) -> web.Response:
    """Sell no more of it."""
    session = await allow(request, Right.MONEY)
    refused = await change(request, login_of(session), products.withdraw, path_id(request, "product_id"))
    if refused is not None:
        return await _products(request, session.role, words(request, refused))
    raise done("/admin/shop", "withdrawn")


def _asked(request: web.Request) -> tuple[int | None, str, str]:
    state = request.query.get("state", "")
    merchant_id = whole(request.query.get("merchant", ""))
    return merchant_id, search_of(request), state if state in set(State) else ""


def _names(conn: Connection, operator_id: int) -> dict[int, str]:
    return {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}


async def _purchases(request: web.Request, session: Session, error: str = "") -> web.Response:
    asked, now_ms = _asked(request), request.config_dict[CLOUD].now_ms()

    def found(conn: Connection, operator_id: int) -> Any:
        return paged(conn, buying.history(operator_id, *asked), page_number(request.query))

    return render(
        request,
        "purchases.html",
        status=422 if error else 200,
        page=await read(request, found),
        search=asked[1],
        state=asked[2],
        states=list(State),
        now_ms=now_ms,
        base="/admin/shop/purchases",
        names=await read(request, _names),
        money=may(session.role, Right.MONEY),
        by=login_of(session),
        error=error,
    )


async def purchases_page(request: web.Request) -> web.Response:
    """Every merchant's purchases, newest first."""
    session = await allow(request, Right.VIEW)
    return await _purchases(request, session)


async def purchases_file(request: web.Request) -> web.Response:
    """All of them as a table file, with the merchant."""
    await allow(request, Right.VIEW)
    asked = _asked(request)

    def found(conn: Connection, operator_id: int) -> tuple[list[RowMapping], dict[int, str]]:
        rows = conn.execute(buying.history(operator_id, *asked).limit(sheets.MOST_ROWS)).mappings()
        return list(rows), _names(conn, operator_id)

    t, zone = texts(request), zone_of(request)
    rows, names = await read(request, found)
    columns = [t("col.merchant"), *purchase_columns(t)]
    lines = [[names.get(row["merchant_id"], ""), *cells(t, row, zone)] for row in rows]
    return await sheets.table_file(request.match_info["kind"], "purchases", t("shop.purchases"), columns, lines)


async def paid(request: web.Request) -> web.Response:
    """It was paid at the operator's office: by transfer or in cash."""
    session = await allow(request, Right.MONEY)
    purchase_id = path_id(request, "purchase_id")
    refused = await change(request, login_of(session), buying.settle_here, purchase_id)
    if refused is not None:
        return await _purchases(request, session, words(request, refused))
    raise done("/admin/shop/purchases", "purchase_paid")


async def refund(request: web.Request) -> web.Response:
    """Take unused coupons back (E21)."""
    session = await allow(request, Right.MONEY)
    count, reason = whole(await field_of(request, "count")) or 0, await field_of(request, "reason")
    purchase_id = path_id(request, "purchase_id")
    limit_fen = request.config_dict[CLOUD].settings.payments.refund_limit_fen
    fen = await change(request, login_of(session), buying.refund, purchase_id, count, reason, limit_fen)
    if isinstance(fen, Refused):
        return await _purchases(request, session, words(request, fen))
    raise done("/admin/shop/purchases", "purchase_asked_back" if fen > limit_fen else "purchase_refunded")


async def decide(request: web.Request) -> web.Response:
    """The second person's word on coupons asked back that were paid at the office."""
    session = await allow(request, Right.MONEY)
    purchase_id, agreed = path_id(request, "purchase_id"), await field_of(request, "agreed") == "1"
    refused = await change(request, login_of(session), buying.decide, purchase_id, agreed=agreed)
    if refused is not None:
        return await _purchases(request, session, words(request, refused))
    raise done("/admin/shop/purchases", "purchase_decided")


def add_routes(app: web.Application) -> None:
    """Products and purchases."""
    add_get, add_post = app.router.add_get, app.router.add_post
    add_get("/admin/shop", products_page)
    add_get("/admin/shop.{kind:csv|xlsx}", products_file)
    add_post("/admin/shop", offer)
    add_post("/admin/shop/{product_id:[0-9]+}/withdraw", withdraw)
    add_get("/admin/shop/purchases", purchases_page)
    add_get("/admin/shop/purchases.{kind:csv|xlsx}", purchases_file)
    add_post("/admin/shop/purchases/{purchase_id:[0-9]+}/paid", paid)
    add_post("/admin/shop/purchases/{purchase_id:[0-9]+}/refund", refund)
    add_post("/admin/shop/purchases/{purchase_id:[0-9]+}/decide", decide)
