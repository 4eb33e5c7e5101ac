"""Signing in by name and PIN, on either listener; who may is that listener's own question."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from edge.db.people import Attendant
from edge.web.keys import EDGE, SESSIONS, see_other, text_field
from edge.web.proof import Unproven, prove
from plumbing.web import current_session, render, safe_next, texts
from plumbing.web.request import visit

MAY: web.AppKey[Callable[[Attendant], bool]] = web.AppKey("may", Callable)  # type: ignore[arg-type]
SHOWS_NAMES = web.AppKey("shows_names", bool)
SAID = {"pin_wrong": ("login.wrong", 422), "pin_wait": ("login.wait", 429), "pin_locked": ("lock.locked", 429)}


async def form(request: web.Request) -> web.Response:
    """The sign-in page; `?as=` names who locked the screen."""
    if current_session(request) is not None:
        return see_other(visit(request).shell.home)
    return await _page(request, account=request.query.get("as", "")[:64])


async def sign_in(request: web.Request) -> web.Response:
    """Take name and PIN; wrong ones are slowed down and then locked out."""
    data = await request.post()
    account = text_field(data, "account", 64)
    proved = await prove(request, account, text_field(data, "password", 64), request.app[MAY])
    if isinstance(proved, Unproven):
        words, status = SAID[proved.code]
        return await _page(request, texts(request)(words, seconds=proved.wait, minutes=proved.wait), account, status)
    response = see_other(safe_next(request, visit(request).shell.home))
    await request.app[SESSIONS].sign_in(request, response, user_id=proved.name, name=proved.name, role=proved.role)
    await request.app[EDGE].record_act(proved.name, f"{visit(request).shell.name}.sign_in")
    return response


async def lock(request: web.Request) -> web.Response:
    """Leave the screen to nobody: the session ends, and the PIN pad waits for the same person."""
    session = current_session(request)
    shell = visit(request).shell
    response = see_other(f"{shell.login_path}?as={quote(session.name)}" if session else shell.login_path)
    if session is not None:
        await request.app[EDGE].record_act(session.name, f"{shell.name}.lock")
        await request.app[SESSIONS].sign_out(request, response)
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
    """Where the shell expects them."""
    app.router.add_get("/login", form)
    app.router.add_post("/login", sign_in)
    app.router.add_post("/logout", sign_out)
