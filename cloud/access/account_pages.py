"""The operator's accounts: a list, a form, roles, first passwords shown once."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access import accounts
from cloud.access.roles import OFFICE, Right
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.web.lists import ShortList, short_list
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, path_id, read, whole, words, zone_of
from plumbing.passwords import random_password
from plumbing.web import Session, render, texts

HERE = "/admin/accounts"
BLANK: dict[str, Any] = {"login": "", "name": "", "role": "", "lots": frozenset()}


def _values(conn: Connection, operator_id: int) -> dict[str, Any]:
    return {
        "people": accounts.listed(conn, operator_id),
        "makers": accounts.makers(conn, operator_id),
        "lots": lots.names(conn, operator_id),
        "lots_of": accounts.lots_by_user(conn, operator_id),
    }


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[RowMapping]:
    t, zone = texts(request), zone_of(request)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        return [
            row["login"],
            row["name"],
            t(f"office.{row['role']}"),
            " ".join(found["lots"].get(lot_id, "") for lot_id in sorted(found["lots_of"].get(row["user_id"], ()))),
            t("office.enabled" if row["enabled"] else "office.disabled"),
            sheets.written(row["signed_in_ms"], zone),
            row["signed_in_from"],
            sheets.written(row["created_ms"], zone),
            found["makers"].get(row["login"], ""),
        ]

    heads = [t("login.account"), t("col.name"), t("office.role"), t("col.lot"), t("col.state"), t("office.last")]
    heads += [t("office.from"), t("col.created"), t("col.by")]
    return short_list(request, heads, found["people"], cells)


async def export(request: web.Request) -> web.Response:
    """The accounts as a file."""
    await allow(request, Right.ACCOUNTS)
    found = await read(request, _values)
    return await _listed(request, found).file(request, "accounts", texts(request)("nav.accounts"))


async def _lots_in(request: web.Request) -> frozenset[int]:
    """The lots ticked in the form; anything that is no number is no lot."""
    ticked = (whole(each) for each in (await request.post()).getall("lot", []) if isinstance(each, str))
    return frozenset(number for number in ticked if number is not None)


async def _page(
    request: web.Request, session: Session, error: str = "", made: Any = None, form: dict[str, Any] | None = None
) -> web.Response:
    values = {"error": error, "made": made, "form": form or BLANK, "roles": OFFICE, "own": login_of(session)}
    found = await read(request, _values)
    page = _listed(request, found).page(request)
    return render(request, "accounts.html", status=422 if error else 200, page=page, **values, **found)


async def page(request: web.Request) -> web.Response:
    """The operator's accounts."""
    return await _page(request, await allow(request, Right.ACCOUNTS))


async def create(request: web.Request) -> web.Response:
    """An account; its first password is shown this once."""
    session, password = await allow(request, Right.ACCOUNTS), random_password()
    form = {name: await field_of(request, name) for name in ("login", "name", "role")}
    hashed, ticked = await request.config_dict[CLOUD].passwords.hash(password), await _lots_in(request)
    made = await change(request, login_of(session), accounts.create, **form, password_hash=hashed, lot_ids=ticked)
    return await _shown(request, session, made, password, {**form, "lots": ticked})


async def _shown(
    request: web.Request, session: Session, made: str | Refused, password: str, form: dict[str, Any] | None = None
) -> web.Response:
    if isinstance(made, Refused):
        return await _page(request, session, words(request, made), form=form)
    return await _page(request, session, made=(made, password))


async def reset(request: web.Request) -> web.Response:
    """A new first password, shown this once."""
    session, password = await allow(request, Right.ACCOUNTS), random_password()
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    made = await change(request, login_of(session), accounts.reset, path_id(request, "user_id"), hashed)
    return await _shown(request, session, made, password)


async def role(request: web.Request) -> web.Response:
    """Another role, or other lots."""
    session, wanted = await allow(request, Right.ACCOUNTS), await field_of(request, "role")
    user_id, ticked = path_id(request, "user_id"), await _lots_in(request)
    refused = await change(request, login_of(session), accounts.set_role, user_id, wanted, ticked)
    return await _after(request, session, refused, "office_role")


async def enable(request: web.Request) -> web.Response:
    """In or out."""
    session, enabled = await allow(request, Right.ACCOUNTS), await field_of(request, "enabled") == "1"
    user_id = path_id(request, "user_id")
    refused = await change(request, login_of(session), accounts.set_enabled, user_id, enabled=enabled)
    return await _after(request, session, refused, "office_enabled" if enabled else "office_disabled")


async def _after(request: web.Request, session: Session, refused: Refused | None, key: str) -> web.Response:
    if refused is not None:
        return await _page(request, session, words(request, refused))
    raise done(HERE, key)


def add_routes(app: web.Application) -> None:
    """Pages of the operator's accounts."""
    one = HERE + "/{user_id:[0-9]+}"
    app.router.add_get(HERE, page)
    app.router.add_get(HERE + ".{kind:csv|xlsx}", export)
    app.router.add_post(HERE, create)
    app.router.add_post(f"{one}/role", role)
    app.router.add_post(f"{one}/enabled", enable)
    app.router.add_post(f"{one}/password", reset)
