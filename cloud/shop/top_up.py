"""A merchant fills its purse with money from its phone (S1.19): an order, paid like any other."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right
from cloud.act import Act, Refused
from cloud.merchants import service as merchants
from cloud.payments.orders import PayOrder, Wanted, open_order
from cloud.web.state import allow, change, field_of, login_of, merchant_of, words
from domain.fen import fen_from_yuan
from plumbing.web import render

PAY_WITHIN_MS = 15 * 60_000
MOST_FEN = 10_000_000


def order(conn: Connection, act: Act, merchant_id: int, fen: int, within_ms: int = PAY_WITHIN_MS) -> PayOrder | Refused:
    """An order for *fen*; a postpaid merchant pays its statements instead."""
    row = merchants.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] is None:
        return Refused("settlement_missing")
    if row["payment_mode"] == merchants.PaymentMode.POSTPAID.value:
        return Refused("postpaid_tops_up_nothing")
    if not 0 < fen <= MOST_FEN:
        return Refused("amount_malformed")
    wanted = Wanted(
        purpose="topup",
        subject=f"merchant:{merchant_id}",
        amount_fen=fen,
        description=row["name"],
        expires_ms=act.now_ms + within_ms,
        merchant_id=merchant_id,
        return_path="/m/ledger",
    )
    return open_order(conn, act, wanted)


async def page(request: web.Request) -> web.Response:
    """How much?"""
    merchant_of(await allow(request, Right.OWN_MERCHANT))
    return render(request, "top_up.html", error="", typed="")


async def begin(request: web.Request) -> web.Response:
    """From here to the page where it is paid."""
    session = await allow(request, Right.OWN_MERCHANT)
    typed = await field_of(request, "yuan")
    try:
        fen = int(fen_from_yuan(typed))
    except ValueError:
        fen = 0
    made = await change(request, login_of(session), order, merchant_of(session), fen)
    if isinstance(made, Refused):
        return render(request, "top_up.html", status=422, error=words(request, made), typed=typed)
    raise web.HTTPSeeOther(made.cashier_path)


def add_routes(app: web.Application) -> None:
    """The form, and the order it makes."""
    app.router.add_get("/m/top-up", page)
    app.router.add_post("/m/top-up", begin)
