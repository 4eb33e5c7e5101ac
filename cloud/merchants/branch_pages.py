"""Branches of a merchant on the operator's pages, and what a login acts for on the merchant's."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.pages import NO_BRANCH
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.merchants import branches, ledger, service
from cloud.merchants.branches import Place, Plan
from cloud.web.lists import ShortList, short_list
from cloud.web.state import CLOUD, SESSIONS, allow, change, done, field_of, login_of, path_id, read, whole, words
from domain.fen import fen_from_yuan, yuan
from domain.ledger import Commodity, branch_account
from plumbing.passwords import random_password
from plumbing.web import render, texts


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


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[RowMapping]:
    t, purses = texts(request), found["purses"]
    lot_names = {lot["lot_id"]: lot["name"] for lot in found["lots"]}

    def left(row: RowMapping, unit: Commodity) -> int:
        return int(purses.get((branch_account(row["branch_id"]), unit.value), 0))

    def cells(row: RowMapping) -> list[sheets.Cell]:
        own, served = row["own_purse"], found["served"].get(row["branch_id"], [])
        return [
            row["name"],
            t("merchants.enabled" if row["enabled"] else "merchants.disabled"),
            t("branches.own" if own else "branches.shared"),
            yuan(left(row, Commodity.FEN)) if own else "",
            left(row, Commodity.MIN) if own else "",
            yuan(row["month_fen"]) if row["month_fen"] else t("shop.no_limit"),
            row["month_min"] or t("shop.no_limit"),
            ", ".join(lot_names.get(lot_id, "") for lot_id in served) or t("shop.every_lot"),
        ]

    heads = [t("col.name"), t("col.state"), t("branches.purse"), t("col.money_left"), t("col.time_left")]
    heads += [t("branches.month_fen"), t("branches.month_min"), t("branches.lots")]
    return short_list(request, heads, found["branches"], cells)


async def export(request: web.Request) -> web.Response:
    """A merchant's branches as a file."""
    await allow(request, Right.VIEW)
    found = await read(request, _all, path_id(request, "merchant_id"))
    return await _listed(request, found).file(request, "branches", texts(request)("branches.title"))


async def _page(
    request: web.Request, role: str, refused: Refused | None = None, login: tuple[str, str] | None = None
) -> web.Response:
    values = await read(request, _all, path_id(request, "merchant_id"))
    return render(
        request,
        "branches.html",
        status=422 if refused else 200,
        error=words(request, refused),
        money=may(role, Right.MONEY),
        manage=may(role, Right.MANAGE),
        login=login,
        page=_listed(request, values).page(request),
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
    """What this login may act for; one that acts for a single branch is there at once."""
    session = await allow(request, Right.OWN_BRANCH)
    found = await read(request, branches.places, int(session.user_id))
    if session.data.get("branch_id") == NO_BRANCH and len(found) == 1:
        await _act_for(request, found[0])
        raise web.HTTPSeeOther("/m")
    here = (session.data.get("merchant_id"), session.data.get("branch_id", "0"))
    return render(request, "places.html", places=found, here=here)


async def switch(request: web.Request) -> web.Response:
    """Act for another of them from now on."""
    session = await allow(request, Right.OWN_BRANCH)
    merchant_id = whole(await field_of(request, "merchant_id")) or 0
    branch_id = whole(await field_of(request, "branch_id")) or 0
    found = await read(request, branches.places, int(session.user_id))
    chosen = [place for place in found if (place.merchant_id, place.branch_id) == (merchant_id, branch_id)]
    if not chosen:
        raise web.HTTPNotFound
    await _act_for(request, chosen[0])
    raise done("/m", "switched")


async def _act_for(request: web.Request, place: Place) -> None:
    data = {"merchant_id": str(place.merchant_id), "branch_id": str(place.branch_id)}
    await request.app[SESSIONS].remember(request, **data)


async def new_login(request: web.Request) -> web.Response:
    """A login for one branch alone; its first password is shown this once."""
    session = await allow(request, Right.MANAGE)
    password = random_password(2)
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    args = path_id(request, "branch_id"), await field_of(request, "name"), hashed
    return await _shown(
        request, session.role, await change(request, login_of(session), branches.new_login, *args), password
    )


async def new_password(request: web.Request) -> web.Response:
    """A new first password for a login of branches, shown this once."""
    session, password = await allow(request, Right.MANAGE), random_password(2)
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    args = path_id(request, "merchant_id"), whole(await field_of(request, "user_id")) or 0, hashed
    made = await change(request, login_of(session), branches.new_password, *args)
    return await _shown(request, session.role, made, password)


async def _shown(request: web.Request, role: str, made: str | Refused, password: str) -> web.Response:
    if isinstance(made, Refused):
        return await _page(request, role, made)
    return await _page(request, role, login=(made, password))


def add_routes(app: web.Application) -> None:
    """Branches for the operator, places for a merchant's login."""
    add_get, add_post = app.router.add_get, app.router.add_post
    base = "/admin/merchants/{merchant_id:[0-9]+}/branches"
    add_get(base, page)
    add_get(base + ".{kind:csv|xlsx}", export)
    add_post(base, add)
    add_post(base + "/members", admit)
    add_post(base + "/members/dismiss", dismiss)
    add_post(base + "/members/password", new_password)
    add_post(base + "/{branch_id:[0-9]+}", limit)
    add_post(base + "/{branch_id:[0-9]+}/logins", new_login)
    add_post(base + "/{branch_id:[0-9]+}/fill", fill)
    add_get("/m/places", places)
    add_post("/m/places", switch)
