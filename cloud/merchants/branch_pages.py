"""Branches of a merchant on the operator's pages, and what a login acts for on the merchant's."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.merchants import branches, ledger, service
from cloud.merchants.branches import Plan
from cloud.web.state import SESSIONS, allow, change, done, field_of, login_of, path_id, place_of, read, whole, words
from domain.fen import fen_from_yuan
from domain.ledger import Commodity, branch_account
from plumbing.web import render


def _all(conn: Connection, operator_id: int, merchant_id: int) -> dict[str, Any]:
    row = service.get(conn, operator_id, merchant_id)
    if row is None:
        raise web.HTTPNotFound
    found = branches.of_merchant(conn, operator_id, merchant_id)
    return {
        "merchant": row,
        "branches": found,
        "served": branches.lots_of(conn, [each["branch_id"] for each in found]),
        "purses": branches.purses(conn, merchant_id),
        "purse": {unit.value: ledger.purse(conn, merchant_id, unit).total for unit in Commodity},
        "members": branches.members(conn, operator_id, merchant_id),
        "lots": lots.lots(conn, operator_id),
        "account": branch_account,
    }


async def _page(request: web.Request, role: str, refused: Refused | None = None) -> web.Response:
    values = await read(request, _all, path_id(request, "merchant_id"))
    return render(
        request,
        "branches.html",
        status=422 if refused else 200,
        error=words(request, refused),
        money=may(role, Right.MONEY),
        **values,
    )


async def page(request: web.Request) -> web.Response:
    """A merchant's branches and who acts for them."""
    session = await allow(request, Right.VIEW)
    return await _page(request, session.role)


async def _plan(request: web.Request) -> Plan | None:
    try:
        fen = fen_from_yuan(await field_of(request, "month_fen") or "0")
    except ValueError:
        return None
    minutes = whole(await field_of(request, "month_min") or "0")
    chosen = (await request.post()).getall("lot", [])
    lot_ids = tuple(int(lot) for lot in chosen if isinstance(lot, str) and lot.isdigit())
    own = await field_of(request, "purse") == "own"
    return None if minutes is None else Plan(await field_of(request, "name"), own, fen, minutes, lot_ids)


async def _after(request: web.Request, role: str, made: object, key: str) -> web.Response:
    if isinstance(made, Refused):
        return await _page(request, role, made)
    raise done(f"/admin/merchants/{path_id(request, 'merchant_id')}/branches", key)


async def add(request: web.Request) -> web.Response:
    """One more branch."""
    session, plan = await allow(request, Right.MONEY), await _plan(request)
    if plan is None:
        return await _page(request, session.role, Refused("amount_malformed"))
    made = await change(request, login_of(session), branches.add, path_id(request, "merchant_id"), plan)
    return await _after(request, session.role, made, "branch_added")


async def limit(request: web.Request) -> web.Response:
    """Other limits or lots, or closed."""
    session, plan = await allow(request, Right.MONEY), await _plan(request)
    if plan is None:
        return await _page(request, session.role, Refused("amount_malformed"))
    enabled = await field_of(request, "enabled") == "1"
    branch_id = path_id(request, "branch_id")
    refused = await change(request, login_of(session), branches.limit, branch_id, plan, enabled=enabled)
    return await _after(request, session.role, refused, "branch_changed")


async def fill(request: web.Request) -> web.Response:
    """Carry money or time between the merchant's purse and the branch's."""
    session = await allow(request, Right.MONEY)
    unit = Commodity.MIN if await field_of(request, "commodity") == "MIN" else Commodity.FEN
    text = await field_of(request, "amount")
    try:
        amount = whole(text) if unit is Commodity.MIN else fen_from_yuan(text)
    except ValueError:
        amount = None
    signed = -(amount or 0) if await field_of(request, "way") == "back" else amount or 0
    branch_id = path_id(request, "branch_id")
    refused = await change(request, login_of(session), branches.fill, branch_id, unit, signed)
    return await _after(request, session.role, refused, "branch_filled")


async def admit(request: web.Request) -> web.Response:
    """Let another merchant login act for this merchant or a branch of it."""
    session = await allow(request, Right.MANAGE)
    branch_id = whole(await field_of(request, "branch_id")) or 0
    merchant_id, login = path_id(request, "merchant_id"), await field_of(request, "login")
    refused = await change(request, login_of(session), branches.admit, login, merchant_id, branch_id)
    return await _after(request, session.role, refused, "member_admitted")


async def dismiss(request: web.Request) -> web.Response:
    """Take that back."""
    session = await allow(request, Right.MANAGE)
    user_id = whole(await field_of(request, "user_id")) or 0
    branch_id = whole(await field_of(request, "branch_id")) or 0
    merchant_id = path_id(request, "merchant_id")
    refused = await change(request, login_of(session), branches.dismiss, user_id, merchant_id, branch_id)
    return await _after(request, session.role, refused, "member_dismissed")


async def places(request: web.Request) -> web.Response:
    """What this login may act for."""
    session = await allow(request, Right.OWN_MERCHANT)
    found = await read(request, branches.places, int(session.user_id))
    return render(request, "places.html", places=found, here=place_of(session))


async def switch(request: web.Request) -> web.Response:
    """Act for another of them from now on."""
    session = await allow(request, Right.OWN_MERCHANT)
    merchant_id = whole(await field_of(request, "merchant_id")) or 0
    branch_id = whole(await field_of(request, "branch_id")) or 0
    found = await read(request, branches.places, int(session.user_id))
    if (merchant_id, branch_id) not in {(place.merchant_id, place.branch_id) for place in found}:
        raise web.HTTPNotFound
    await request.app[SESSIONS].remember(request, merchant_id=str(merchant_id), branch_id=str(branch_id))
    raise done("/m", "switched")


def add_routes(app: web.Application) -> None:
    """Branches for the operator, places for a merchant's login."""
    add_get, add_post = app.router.add_get, app.router.add_post
    base = "/admin/merchants/{merchant_id:[0-9]+}/branches"
    add_get(base, page)
    add_post(base, add)
    add_post(base + "/members", admit)
    add_post(base + "/members/dismiss", dismiss)
    add_post(base + "/{branch_id:[0-9]+}", limit)
    add_post(base + "/{branch_id:[0-9]+}/fill", fill)
    add_get("/m/places", places)
    add_post("/m/places", switch)
