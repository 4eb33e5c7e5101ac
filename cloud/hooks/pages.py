"""Web hooks: a list, a form, and what became of every message."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right
from cloud.act import Act, Refused
from cloud.hooks import service
from cloud.merchants import service as merchants
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, path_id, read, whole, words
from plumbing.web import page_number, render


def _list_values(conn: Connection, operator_id: int) -> dict[str, Any]:
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    return {"hooks": service.hooks(conn, operator_id), "names": names}


async def _list(
    request: web.Request, error: str = "", made: str = "", form: dict[str, Any] | None = None
) -> web.Response:
    values = await read(request, _list_values)
    blank = {"url": "", "merchant_id": "", "facts": list(service.FACTS)}
    status = 422 if error else 200
    return render(
        request, "hooks.html", status=status, error=error, made=made, form=form or blank, facts=service.FACTS, **values
    )


async def page(request: web.Request) -> web.Response:
    """All hooks."""
    await allow(request, Right.KEYS)
    return await _list(request)


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


def _one_values(conn: Connection, operator_id: int, hook_id: int, number: int) -> dict[str, Any]:
    row = service.find(conn, operator_id, hook_id)
    if row is None:
        raise web.HTTPNotFound
    return {"hook": row, "page": service.messages(conn, operator_id, hook_id, number)}


async def _one(request: web.Request, error: str = "") -> web.Response:
    values = await read(request, _one_values, path_id(request, "hook_id"), page_number(request.query))
    return render(request, "hook.html", status=422 if error else 200, error=error, **values)


async def one_page(request: web.Request) -> web.Response:
    """One hook and its messages."""
    await allow(request, Right.KEYS)
    return await _one(request)


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
    app.router.add_post("/admin/hooks", create)
    app.router.add_get(one, one_page)
    app.router.add_post(f"{one}/switch", switch)
    app.router.add_post(f"{one}/ping", ping)
    app.router.add_post(f"{one}/again", send_again)
