"""A merchant's page of its own people: accounts, limits a day, first passwords."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access import staff
from cloud.access.roles import Right
from cloud.access.staff import Daily
from cloud.act import Act, Refused
from cloud.merchants import branches, service
from cloud.web.lists import ShortList, short_list
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    merchant_of,
    path_id,
    read,
    whole,
    words,
    zone_of,
)
from domain.fen import fen_from_yuan, yuan
from plumbing.passwords import random_password
from plumbing.web import Session, render, texts

HERE = "/m/staff"


async def _listed(request: web.Request, session: Session) -> ShortList[RowMapping]:
    t, zone = texts(request), zone_of(request)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        return [
            row["login"],
            row["name"],
            row["daily_coupons"],
            "" if row["daily_fen"] is None else yuan(row["daily_fen"]),
            t("merchants.enabled" if row["enabled"] else "merchants.disabled"),
            sheets.written(row["signed_in_ms"], zone),
            row["signed_in_from"],
            sheets.written(row["created_ms"], zone),
        ]

    heads = [t("login.account"), t("col.name"), t("staff.coupons"), t("staff.yuan"), t("col.state"), t("office.last")]
    heads += [t("office.from"), t("col.created")]
    return short_list(request, heads, await read(request, staff.listed, merchant_of(session)), cells)


async def _page(request: web.Request, session: Session, error: str = "", login: Any = None) -> web.Response:
    found = (await _listed(request, session)).page(request)
    values = await read(request, _branches, merchant_of(session))
    return render(request, "staff.html", status=422 if error else 200, error=error, login=login, page=found, **values)


def _branches(conn: Connection, operator_id: int, merchant_id: int) -> dict[str, Any]:
    known = branches.of_merchant(conn, operator_id, merchant_id)
    open_ones = [(str(row["branch_id"]), row["name"]) for row in known if row["enabled"]]
    return {"branches": open_ones, "acts_for": branches.of_staff(conn, operator_id, merchant_id)}


async def export(request: web.Request) -> web.Response:
    """The merchant's people as a file."""
    found = await _listed(request, await allow(request, Right.OWN_MERCHANT))
    return await found.file(request, "staff", texts(request)("nav.staff"))


async def page(request: web.Request) -> web.Response:
    """The merchant's people."""
    return await _page(request, await allow(request, Right.OWN_MERCHANT))


async def _daily(request: web.Request) -> Daily | Refused:
    """The limits of the form; empty: none."""
    coupons, money = await field_of(request, "coupons"), await field_of(request, "yuan")
    try:
        daily = Daily(whole(coupons) if coupons else None, fen_from_yuan(money) if money else None)
    except ValueError:
        return Refused("amount_malformed")
    is_wrong = coupons and (daily.coupons is None or daily.coupons > staff.MOST_COUPONS)
    return Refused("amount_malformed") if is_wrong else daily


def _create(
    conn: Connection, act: Act, merchant_id: int, name: str, hashed: str, daily: Daily, branch_id: int
) -> staff.Account | Refused:
    if branch_id:
        return branches.staff_login(conn, act, merchant_id, branch_id, name, hashed, daily)
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    return staff.create(conn, act, merchant_id, row["account_no"], name, hashed, daily)


async def create(request: web.Request) -> web.Response:
    """An account; its first password is shown this once."""
    session, daily = await allow(request, Right.OWN_MERCHANT), await _daily(request)
    if isinstance(daily, Refused):
        return await _page(request, session, words(request, daily))
    password = random_password(2)
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    branch_id = whole(await field_of(request, "branch_id")) or 0
    args = merchant_of(session), await field_of(request, "name"), hashed, daily, branch_id
    made = await change(request, login_of(session), _create, *args)
    return await _shown(request, session, made, password)


async def _shown(request: web.Request, session: Session, made: staff.Account | Refused, password: str) -> web.Response:
    if isinstance(made, Refused):
        return await _page(request, session, words(request, made))
    return await _page(request, session, login=(made.login, password))


async def limits(request: web.Request) -> web.Response:
    """New limits."""
    session, daily = await allow(request, Right.OWN_MERCHANT), await _daily(request)
    if isinstance(daily, Refused):
        return await _page(request, session, words(request, daily))
    args = merchant_of(session), path_id(request, "user_id"), daily
    refused = await change(request, login_of(session), staff.set_daily, *args)
    return await _after(request, session, refused, "staff_limited")


async def enable(request: web.Request) -> web.Response:
    """In or out."""
    session, enabled = await allow(request, Right.OWN_MERCHANT), await field_of(request, "enabled") == "1"
    args = merchant_of(session), path_id(request, "user_id")
    refused = await change(request, login_of(session), staff.set_enabled, *args, enabled=enabled)
    return await _after(request, session, refused, "enabled" if enabled else "disabled")


async def reset(request: web.Request) -> web.Response:
    """A new first password, shown this once."""
    session, password = await allow(request, Right.OWN_MERCHANT), random_password(2)
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    args = merchant_of(session), path_id(request, "user_id"), hashed
    return await _shown(request, session, await change(request, login_of(session), staff.reset, *args), password)


async def _after(request: web.Request, session: Session, refused: Refused | None, key: str) -> web.Response:
    if refused is not None:
        return await _page(request, session, words(request, refused))
    raise done(HERE, key)


def add_routes(app: web.Application) -> None:
    """Pages of a merchant's people."""
    one = HERE + "/{user_id:[0-9]+}"
    app.router.add_get(HERE, page)
    app.router.add_get(HERE + ".{kind:csv|xlsx}", export)
    app.router.add_post(HERE, create)
    app.router.add_post(f"{one}/limits", limits)
    app.router.add_post(f"{one}/enabled", enable)
    app.router.add_post(f"{one}/password", reset)
