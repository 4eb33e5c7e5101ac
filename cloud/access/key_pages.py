"""Keys of programs: a list, a form, the key shown once."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access import keys
from cloud.access.roles import Right
from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.merchants import service as merchants
from cloud.web.lists import ShortList, short_list
from cloud.web.state import allow, change, done, field_of, login_of, read, whole, words, zone_of
from plumbing.web import render, texts


def _values(conn: Connection, operator_id: int) -> dict[str, Any]:
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    return {"keys": keys.listed(conn, operator_id), "names": names}


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[RowMapping]:
    t, zone = texts(request), zone_of(request)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        return [
            row["name"],
            found["names"].get(row["merchant_id"], "") if row["merchant_id"] else t("keys.operator"),
            ", ".join(t(f"scope.{scope}") for scope in row["scopes"].split()),
            row["start"],
            sheets.written(row["created_ms"], zone),
            row["created_by"],
            sheets.written(row["used_ms"], zone),
            t("keys.revoked" if row["revoked_ms"] else "keys.active"),
            sheets.written(row["revoked_ms"], zone),
            row["revoked_by"],
        ]

    names = ("keys.name", "keys.reach", "keys.scopes", "keys.start", "col.created", "col.by", "keys.used", "col.state",
             "keys.revoked", "col.by")  # fmt: skip
    return short_list(request, [t(name) for name in names], found["keys"], cells)


async def _page(
    request: web.Request, error: str = "", made: str = "", form: dict[str, Any] | None = None
) -> web.Response:
    values = await read(request, _values)
    blank = {"name": "", "merchant_id": "", "scopes": [Scope.READ.value]}
    status = 422 if error else 200
    return render(
        request, "keys.html", status=status, error=error, made=made, form=form or blank, scopes=list(Scope),
        page=_listed(request, values).page(request), names=values["names"],
    )  # fmt: skip


async def page(request: web.Request) -> web.Response:
    """All keys."""
    await allow(request, Right.KEYS)
    return await _page(request)


async def export(request: web.Request) -> web.Response:
    """The list as a file."""
    await allow(request, Right.KEYS)
    found = await read(request, _values)
    return await _listed(request, found).file(request, "keys", texts(request)("nav.keys"))


def _create(conn: Connection, act: Act, name: str, scopes: list[str], merchant_id: int | None) -> keys.Made | Refused:
    if merchant_id is not None and merchants.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    return keys.create(conn, act, name, scopes, merchant_id)


async def create(request: web.Request) -> web.Response:
    """Make one; it is shown on this page and never again."""
    session = await allow(request, Right.KEYS)
    posted = (await request.post()).getall("scope", [])
    scopes = [each for each in posted if isinstance(each, str)]
    form = {name: await field_of(request, name) for name in ("name", "merchant_id")}
    merchant_id = whole(form["merchant_id"]) if form["merchant_id"] else None
    made = await change(request, login_of(session), _create, form["name"], scopes, merchant_id)
    if isinstance(made, Refused):
        return await _page(request, words(request, made), form={**form, "scopes": scopes})
    return await _page(request, made=made.text)


async def revoke(request: web.Request) -> web.Response:
    """End one."""
    session = await allow(request, Right.KEYS)
    refused = await change(request, login_of(session), keys.revoke, whole(await field_of(request, "key_id")) or 0)
    if refused is None:
        raise done("/admin/keys", "key_revoked")
    return await _page(request, words(request, refused))


def add_routes(app: web.Application) -> None:
    """The page of keys."""
    app.router.add_get("/admin/keys", page)
    app.router.add_get("/admin/keys.{kind:csv|xlsx}", export)
    app.router.add_post("/admin/keys", create)
    app.router.add_post("/admin/keys/revoke", revoke)
