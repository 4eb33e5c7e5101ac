"""Web hooks: a list, a form, and what became of every message."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Act, Refused
from cloud.hooks import service
from cloud.merchants import service as merchants
from cloud.web.lists import ShortList, short_list
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
from plumbing.i18n import Texts
from plumbing.web import page_number, render, texts


def _list_values(conn: Connection, operator_id: int) -> dict[str, Any]:
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    return {"hooks": service.hooks(conn, operator_id), "names": names}


def _state(row: RowMapping) -> str:
    """The word for how a hook is."""
    if row["off_ms"]:
        return "hooks.off_failing" if row["off_why"] == "failing" else "hooks.off"
    return "hooks.failing" if row["failing_ms"] else "hooks.on"


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[RowMapping]:
    t, zone = texts(request), zone_of(request)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        return [
            row["url"],
            found["names"].get(row["merchant_id"], "") if row["merchant_id"] else t("keys.operator"),
            ", ".join(t(f"fact.{fact}") for fact in row["facts"].split()),
            sheets.written(row["created_ms"], zone),
            row["created_by"],
            t(_state(row)),
        ]

    names = ("hooks.url", "keys.reach", "hooks.facts", "col.created", "col.by", "col.state")
    return short_list(request, [t(name) for name in names], found["hooks"], cells)


async def _list(
    request: web.Request, error: str = "", made: str = "", form: dict[str, Any] | None = None
) -> web.Response:
    values = await read(request, _list_values)
    blank = {"url": "", "merchant_id": "", "facts": list(service.FACTS)}
    status = 422 if error else 200
    return render(
        request, "hooks.html", status=status, error=error, made=made, form=form or blank, facts=service.FACTS,
        page=_listed(request, values).page(request), names=values["names"],
    )  # fmt: skip


async def page(request: web.Request) -> web.Response:
    """All hooks."""
    await allow(request, Right.KEYS)
    return await _list(request)


async def export(request: web.Request) -> web.Response:
    """The list as a file."""
    await allow(request, Right.KEYS)
    found = await read(request, _list_values)
    return await _listed(request, found).file(request, "hooks", texts(request)("nav.hooks"))


def _create(
    conn: Connection, act: Act, url: str, facts: list[str], merchant_id: int | None, loopback: bool
) -> service.Made | Refused:
    if merchant_id is not None and merchants.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    return service.create(conn, act, url, facts, merchant_id, loopback=loopback)


async def create(request: web.Request) -> web.Response:
    """Make one; its secret is shown on this page and never again."""
    session = await allow(request, Right.KEYS)
    facts = [each for each in (await request.post()).getall("fact", []) if isinstance(each, str)]
    form = {name: await field_of(request, name) for name in ("url", "merchant_id")}
    merchant_id = whole(form["merchant_id"]) if form["merchant_id"] else None
    loopback = request.config_dict[CLOUD].settings.hooks.allow_loopback
    made = await change(request, login_of(session), _create, form["url"], facts, merchant_id, loopback)
    if isinstance(made, Refused):
        return await _list(request, words(request, made), form={**form, "facts": facts})
    return await _list(request, made=made.secret)


def _one_values(conn: Connection, operator_id: int, hook_id: int, search: str, number: int) -> dict[str, Any]:
    row = service.find(conn, operator_id, hook_id)
    if row is None:
        raise web.HTTPNotFound
    return {"hook": row, "page": service.messages(conn, operator_id, hook_id, search, number)}


async def _one(request: web.Request, error: str = "") -> web.Response:
    asked = path_id(request, "hook_id"), search_of(request), page_number(request.query)
    values = await read(request, _one_values, *asked)
    return render(request, "hook.html", status=422 if error else 200, error=error, **values)


async def one_page(request: web.Request) -> web.Response:
    """One hook and its messages."""
    await allow(request, Right.KEYS)
    return await _one(request)


async def messages_file(request: web.Request) -> web.Response:
    """What became of a hook's messages, as a file."""
    await allow(request, Right.KEYS)
    hook_id, t, zone = path_id(request, "hook_id"), texts(request), zone_of(request)
    if await read(request, service.find, hook_id) is None:
        raise web.HTTPNotFound
    found = await read(request, service.every_message, hook_id, search_of(request), sheets.MOST_ROWS)
    names = ("col.number", "col.when", "hooks.fact", "hooks.tries", "col.state", "hooks.arrived", "hooks.next",
             "col.content")  # fmt: skip
    rows: list[list[sheets.Cell]] = [
        [
            row["message_id"],
            sheets.written(row["made_ms"], zone),
            t(f"fact.{row['fact']}"),
            row["tries"],
            _became(t, row),
            sheets.written(row["arrived_ms"], zone),
            sheets.written(row["next_ms"], zone),
            row["body"],
        ]
        for row in found
    ]
    heads, title = [t(name) for name in names], t("hooks.messages")
    return await sheets.table_file(request.match_info["kind"], f"hook-{hook_id}", title, heads, rows)


def _became(t: Texts, row: RowMapping) -> str:
    if row["arrived_ms"]:
        return t("hooks.arrived")
    if row["next_ms"] is None:
        return t("hooks.given_up")
    return t("hooks.failed" if row["tries"] else "hooks.waiting")


async def _after(request: web.Request, refused: Refused | None, key: str) -> web.Response:
    if refused is not None:
        return await _one(request, words(request, refused))
    raise done(f"/admin/hooks/{path_id(request, 'hook_id')}", key)


async def switch(request: web.Request) -> web.Response:
    """On or off."""
    session = await allow(request, Right.KEYS)
    on = await field_of(request, "on") == "1"
    refused = await change(request, login_of(session), service.switch, path_id(request, "hook_id"), on=on)
    return await _after(request, refused, "hook_on" if on else "hook_off")


async def ping(request: web.Request) -> web.Response:
    """Send a try."""
    session = await allow(request, Right.KEYS)
    refused = await change(request, login_of(session), service.ping, path_id(request, "hook_id"))
    return await _after(request, refused, "hook_sent")


async def send_again(request: web.Request) -> web.Response:
    """One message once more."""
    session = await allow(request, Right.KEYS)
    message_id = whole(await field_of(request, "message_id")) or 0
    args = path_id(request, "hook_id"), message_id
    refused = await change(request, login_of(session), service.send_again, *args)
    return await _after(request, refused, "hook_sent")


def add_routes(app: web.Application) -> None:
    """Pages of web hooks."""
    one = "/admin/hooks/{hook_id:[0-9]+}"
    app.router.add_get("/admin/hooks", page)
    app.router.add_get("/admin/hooks.{kind:csv|xlsx}", export)
    app.router.add_post("/admin/hooks", create)
    app.router.add_get(one, one_page)
    app.router.add_get(one + ".{kind:csv|xlsx}", messages_file)
    app.router.add_post(f"{one}/switch", switch)
    app.router.add_post(f"{one}/ping", ping)
    app.router.add_post(f"{one}/again", send_again)
