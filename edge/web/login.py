"""Signing in by name and PIN, on either listener; who may is that listener's own question."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from edge.db.people import Attendant
from edge.web.keys import EDGE, PASSWORDS, SESSIONS, THROTTLE, see_other, text_field
from plumbing.web import client_address, current_session, render, safe_next, texts
from plumbing.web.request import visit

MAY: web.AppKey[Callable[[Attendant], bool]] = web.AppKey("may", Callable)  # type: ignore[arg-type]
SHOWS_NAMES = web.AppKey("shows_names", bool)


async def form(request: web.Request) -> web.Response:
    """The sign-in page."""
    if current_session(request) is not None:
        return see_other(visit(request).shell.home)
    return await _page(request)


async def sign_in(request: web.Request) -> web.Response:
    """Take name and PIN; wrong ones are slowed down, and an unknown name takes as long as a wrong PIN."""
    data = await request.post()
    account, pin = text_field(data, "account", 64), text_field(data, "password", 64)
    throttle, address = request.app[THROTTLE], client_address(request)
    wait = throttle.wait_seconds(account, address)
    if wait:
        return await _page(request, texts(request)("login.wait", seconds=wait), account, 429)
    edge = request.app[EDGE]
    person = await edge.staff.get(account)
    known = person if person is not None and request.app[MAY](person) else None
    if not await request.app[PASSWORDS].verify(known.pin_hash if known else None, pin) or known is None:
        throttle.failed(account, address)
        return await _page(request, texts(request)("login.wrong"), account, 422)
    throttle.succeeded(account, address)
    response = see_other(safe_next(request, visit(request).shell.home))
    await request.app[SESSIONS].sign_in(request, response, user_id=known.name, name=known.name, role=known.role)
    await edge.record_act(known.name, f"{visit(request).shell.name}.sign_in")
    return response


async def sign_out(request: web.Request) -> web.Response:
    """End the session."""
    session = current_session(request)
    if session is not None:
        await request.app[EDGE].record_act(session.name, f"{visit(request).shell.name}.sign_out")
    response = see_other(visit(request).shell.login_path)
    await request.app[SESSIONS].sign_out(request, response)
    return response


async def _page(request: web.Request, error: str = "", account: str = "", status: int = 200) -> web.Response:
    people = [one for one in await request.app[EDGE].staff.everyone() if request.app[MAY](one)]
    if not people:
        return render(request, "nobody.html", status=status)
    names = [(one.name, one.name) for one in people] if request.app[SHOWS_NAMES] else []
    return render(request, "login.html", status=status, error=error, account=account, pin=True, accounts=names)


def add_routes(app: web.Application) -> None:
    """The three of them, where the shell expects them."""
    app.router.add_get("/login", form)
    app.router.add_post("/login", sign_in)
    app.router.add_post("/logout", sign_out)
