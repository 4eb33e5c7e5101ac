"""Puts a listener's application together: notes, errors, sessions, CSRF, headers, static files."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Middleware

from plumbing.i18n import LANGUAGES, choose_language
from plumbing.web import csrf, errors, rendering
from plumbing.web.request import SHELL, THEMES, VISIT, NavItem, Shell, Visit, visit, wants_json
from plumbing.web.sessions import cookie_name, set_cookie

__all__ = ["NavItem", "Shell", "create_app", "walk"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

YEAR_SECONDS = 31_536_000
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
}
PREFERENCE_DAYS = 365


def create_app(shell: Shell) -> web.Application:
    """An application for one listener; add routes (and sub-applications) to it as to any other."""
    middlewares: list[Middleware] = [_take_notes, _answer_errors, _recognise, _check_csrf]
    app = web.Application(middlewares=middlewares, client_max_size=shell.max_body)
    app[SHELL] = shell
    rendering.set_up(app, shell)
    app.on_response_prepare.append(_add_headers)
    app.router.add_static(f"/static/{rendering.SHELL_STATIC}", rendering.STATIC)
    if shell.static is not None:
        app.router.add_static(f"/static/{shell.name}", shell.static)
    return app


class Route(NamedTuple):
    """One way into an application."""

    method: str
    path: str
    handler: object


def walk(app: web.Application) -> Iterator[Route]:
    """Every route of *app* and its sub-applications; the pattern stands for the path where there is one."""
    for route in app.router.routes():
        resource = route.resource
        path = resource.canonical if resource is not None else "*"
        yield Route(route.method, path, route.handler)


@web.middleware
async def _take_notes(request: web.Request, handler: Handler) -> web.StreamResponse:
    shell = request.config_dict[SHELL]
    asked, theme = request.query.get("lang"), request.query.get("theme")
    language = choose_language(asked, request.cookies.get("lg_lang"))
    chosen = theme if theme in THEMES else request.cookies.get("lg_theme", "auto")
    notes = Visit(shell, secrets.token_hex(6), language, chosen if chosen in THEMES else "auto", "", False)
    notes.seed = request.cookies.get(cookie_name(notes, "visitor"), "")
    if not 20 <= len(notes.seed) <= 100:
        notes.seed, notes.seed_is_new = secrets.token_urlsafe(24), True
    request[VISIT] = notes
    if request.method == "GET" and (asked in LANGUAGES or theme in THEMES) and not wants_json(request):
        return _remember_choice(request, asked, theme)
    response = await handler(request)
    if notes.seed_is_new and response.content_type == "text/html" and not response.prepared:
        set_cookie(response, notes, "visitor", notes.seed)
    return response


def _remember_choice(request: web.Request, language: str | None, theme: str | None) -> web.StreamResponse:
    """Keep the switch in a cookie and show the same page without it in the address."""
    response = web.Response(status=303, headers={"Location": rendering.without_choices(request)})
    for name, value, known in (("lg_lang", language, LANGUAGES), ("lg_theme", theme, THEMES)):
        if value in known and value is not None:
            secure = visit(request).shell.https
            response.set_cookie(name, value, max_age=PREFERENCE_DAYS * 86_400, path="/", samesite="Lax", secure=secure)
    return response


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets an answer and the log gets the trace
        return await errors.answer(request, exc)


@web.middleware
async def _recognise(request: web.Request, handler: Handler) -> web.StreamResponse:
    sessions = visit(request).shell.sessions
    if sessions is not None:
        await sessions.recognise(request)
    return await handler(request)


@web.middleware
async def _check_csrf(request: web.Request, handler: Handler) -> web.StreamResponse:
    csrf.refuse_nul((request.path, *request.query.values()))
    await csrf.check(request)
    return await handler(request)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    shell = request.config_dict[SHELL]
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if shell.https:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")
    notes = request.get(VISIT)
    if notes is not None:
        response.headers.setdefault("X-Request-Id", notes.id)
    if request.path.startswith("/static/") and "v" in request.query and response.status in (200, 206, 304):
        response.headers.setdefault("Cache-Control", f"public, max-age={YEAR_SECONDS}, immutable")
    response.headers.setdefault("Cache-Control", "no-store")
