"""What belongs to one request, and how handlers ask for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from plumbing.i18n import Catalogue, Texts

if TYPE_CHECKING:
    from plumbing.web.sessions import Session, Sessions

THEMES = ("auto", "light", "dark")


class LoginNeededError(Exception):
    """The caller must sign in first; the shell answers with the login page, or 401 under /api."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation: where it leads, and the catalogue key of its words.

    Entries with a *group*, another key, stand below its words in a column at the side, in the order given.
    """

    href: str
    key: str
    group: str = ""


def _no_navigation(_request: web.Request) -> Sequence[NavItem]:
    return ()


@dataclass(frozen=True, slots=True)
class Shell:
    """How one listener's pages are put together. *name* marks its cookies: no listener takes another's."""

    name: str
    catalogue: Catalogue
    templates: Sequence[Path] = ()
    sessions: Sessions | None = None
    navigation: Callable[[web.Request], Sequence[NavItem]] = _no_navigation
    title_key: str = ""  # catalogue key of the product name in the bar; the bare name where empty
    home: str = "/"
    login_path: str = "/login"
    logout_path: str = "/logout"
    https: bool = False  # cookies Secure and __Host-, HSTS sent
    zone: str = "Asia/Shanghai"
    max_body: int = 1024 * 1024  # bytes of a request; larger is answered 413
    origins: Collection[str] = ()  # further "https://host" that forms may come from, behind a renaming proxy
    trusted_proxies: Collection[str] = ()  # addresses whose X-Forwarded-For is believed
    static: Path | None = None  # the listener's own files, served under /static/<name>/


@dataclass(slots=True)
class Visit:
    """The shell's notes on one request."""

    shell: Shell
    id: str
    language: str
    theme: str
    seed: str  # the anonymous visitor's CSRF secret
    seed_is_new: bool
    token: str = field(default="", repr=False)  # the session cookie's value, "" when nobody is signed in
    session: Session | None = None


SHELL = web.AppKey("shell", Shell)
VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)


def visit(request: web.Request) -> Visit:
    """The shell's notes on *request*."""
    return request[VISIT]


def texts(request: web.Request) -> Texts:
    """The catalogue in the language of *request*."""
    notes = visit(request)
    return notes.shell.catalogue.speaking(notes.language)


def request_id(request: web.Request) -> str:
    """The number a person may quote and the log carries."""
    return visit(request).id


def current_session(request: web.Request) -> Session | None:
    """Who is signed in, or None."""
    return visit(request).session


async def require_session(request: web.Request) -> Session:
    """Who is signed in. Raises LoginNeededError, which the shell turns into the login page or 401."""
    session = visit(request).session
    if session is None:
        raise LoginNeededError
    return session


def safe_next(request: web.Request, default: str) -> str:
    """Where ``?next=`` leads if that is a path of this listener, else *default*: never another site."""
    target = request.query.get("next", "")
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return default
    return target if target.isprintable() else default


def client_address(request: web.Request) -> str:
    """The caller's address: the last X-Forwarded-For entry when a trusted proxy speaks, else the socket's."""
    remote = request.remote or ""
    if remote in request.config_dict[SHELL].trusted_proxies:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return forwarded or remote
    return remote


def wants_json(request: web.Request) -> bool:
    """True under /api and for callers that ask for JSON and not for pages."""
    accept = request.headers.get("Accept", "")
    path = request.path
    return path == "/api" or path.startswith("/api/") or ("json" in accept and "text/html" not in accept)
