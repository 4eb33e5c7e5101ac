"""A driver's phone, known by nothing but a secret of its own."""

from __future__ import annotations

import secrets

from aiohttp import web

from plumbing.web.request import visit

COOKIE, COOKIE_S = "lg_wallet", 90 * 86_400
SHORTEST, LONGEST = 20, 100


def secret_of(request: web.Request, *, make: bool = False) -> str:
    """The phone's secret; "" for a phone that has none, or a fresh one where *make* says so."""
    kept = request.cookies.get(COOKIE, "")
    if SHORTEST <= len(kept) <= LONGEST:
        return kept
    return secrets.token_urlsafe(24) if make else ""


def keep(request: web.Request, response: web.Response, secret: str) -> web.Response:
    """Have the phone keep *secret*."""
    secure = visit(request).shell.https
    response.set_cookie(COOKIE, secret, max_age=COOKIE_S, path="/", httponly=True, samesite="Lax", secure=secure)
    return response
