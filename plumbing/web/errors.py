"""What people and machines see when something goes wrong: what happened, what to do next, a number to quote.

Machines get problem details (RFC 9457): ``{"type": "about:blank", "status", "title", "code", "detail", "request_id"}``.
"""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

from aiohttp import web

from plumbing.web.csrf import CsrfError
from plumbing.web.rendering import render
from plumbing.web.request import LoginNeededError, request_id, texts, visit, wants_json

log = logging.getLogger(__name__)

_NAMES = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    409: "conflict",
    413: "too_large",
    422: "bad_request",
    429: "too_many",
    500: "broken",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}
BAD_HEADERS = frozenset({"content-type", "content-length"})


def problem(request: web.Request, status: int, code: str, detail: str = "", **members: object) -> web.Response:
    """Problem JSON with a stable *code*; *members* are further fields of the body."""
    body = {
        "type": "about:blank",
        "status": status,
        "code": code,
        "title": texts(request)(f"error.{_name(status)}_title"),
        "detail": detail or texts(request)(f"error.{_name(status)}_advice"),
        "request_id": request_id(request),
        **members,
    }
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/problem+json")


async def answer(request: web.Request, error: Exception) -> web.StreamResponse:
    """The response for an exception a handler let go. Unknown ones are logged and become 500."""
    match error:
        case LoginNeededError():
            return _to_login(request)
        case CsrfError():
            log.warning("refused a form on %s: %s", request.path, error, extra={"request_id": request_id(request)})
            return _failure(request, 403, "csrf")
        case web.HTTPException() if error.status < 400:
            raise error
        case web.HTTPException():
            response = _failure(request, error.status, _name(error.status))
            kept = {key: value for key, value in error.headers.items() if key.lower() not in BAD_HEADERS}
            response.headers.update(kept)  # Allow of a 405, Retry-After of a 429
            return response
        case _:
            log.error("%s %s failed", request.method, request.path, exc_info=error, extra=_extra(request))
            return _failure(request, 500, "broken")


def _failure(request: web.Request, status: int, name: str) -> web.Response:
    words = texts(request)
    title, advice = words(f"error.{name}_title"), words(f"error.{name}_advice")
    if wants_json(request):
        return problem(request, status, name, advice, title=title)
    return render(request, "error.html", status=status, code=status, title=title, advice=advice)


def _to_login(request: web.Request) -> web.Response:
    if wants_json(request):
        return _failure(request, 401, "unauthorised")
    target = visit(request).shell.login_path
    if request.method == "GET" and request.path_qs != visit(request).shell.home:
        target += "?next=" + quote(request.path_qs, safe="/")
    return web.Response(status=303, headers={"Location": target})


def _name(status: int) -> str:
    return _NAMES.get(status, "bad_request" if status < 500 else "broken")


def _extra(request: web.Request) -> dict[str, str]:
    return {"request_id": request_id(request)}
