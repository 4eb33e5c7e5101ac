"""Forms and scripts must prove that they came from our own page.

The token is an HMAC under the session cookie's secret (under a visitor cookie before login), so it is bound to the
session, needs no storage, and holds over restarts and several workers. The browser's own Origin or Sec-Fetch-Site
must agree as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from plumbing.web.request import Shell, visit

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
H = TypeVar("H", bound=Callable[..., object])

_EXEMPT = "__lotgate_csrf_exempt__"


class CsrfError(Exception):
    """A form came without its token, with an old one, or from another site; nothing was carried out."""


def csrf_exempt(handler: H) -> H:
    """Mark a handler whose callers are machines that prove themselves otherwise and carry no cookies."""
    setattr(handler, _EXEMPT, True)
    return handler


def is_exempt(handler: object) -> bool:
    """Whether *handler* was marked with `csrf_exempt`."""
    return bool(getattr(handler, _EXEMPT, False))


def csrf_token(request: web.Request) -> str:
    """The token for forms on the page being made; made again after sign-in, as the session is then another."""
    notes = visit(request)
    secret = notes.token or notes.seed
    digest = hmac.digest(secret.encode(), b"lotgate-csrf:" + notes.shell.name.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def check(request: web.Request) -> None:
    """Raises CsrfError unless *request* is safe, exempt, or carries the token and comes from here."""
    if request.method in SAFE_METHODS or is_exempt(request.match_info.handler):
        return
    if request.match_info.http_exception is not None:  # nothing is there: 404 or 405, not a forged form
        return
    if not from_here(request, visit(request).shell):
        raise CsrfError("the request comes from another site")
    given = request.headers.get(HEADER) or await _field(request)
    if not hmac.compare_digest(given.encode(), csrf_token(request).encode()):
        raise CsrfError("the token is missing or belongs to another session")


def from_here(request: web.Request, shell: Shell) -> bool:
    """What the browser says of where the request was made; without a word from it the token alone decides."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin in shell.origins or (urlsplit(origin).netloc == request.host and origin != "null")
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    return True


async def _field(request: web.Request) -> str:
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return ""
    try:
        posted = await request.post()
    except (ValueError, LookupError, HttpProcessingError) as exc:  # no boundary, an unknown charset, half a part
        raise web.HTTPBadRequest from exc
    refuse_nul(text for text in posted.values() if isinstance(text, str))
    value = posted.get(FIELD, "")
    return value if isinstance(value, str) else ""


def refuse_nul(texts: Iterable[str]) -> None:
    """No text of ours has a NUL in it, and PostgreSQL keeps none. Raises HTTPBadRequest."""
    if any("\x00" in text for text in texts):
        raise web.HTTPBadRequest
