"""The listeners for people: one application each, sharing a running edge and nothing of each other's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from aiohttp import web

from edge.db.people import Attendant
from edge.facade import Edge
from edge.web import booth, lane_tasks, login, tasks
from edge.web.api import add_health
from edge.web.keys import EDGE, MERCHANT_ROLE, ONCE, PASSWORDS, SESSIONS, THROTTLE, WATCH, Once, see_other
from edge.web.watch import Watch
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.metrics import Metrics
from plumbing.passwords import Passwords
from plumbing.web import (
    LoginThrottle,
    MemorySessionStore,
    NavItem,
    Sessions,
    Shell,
    create_app,
    current_session,
)

HERE = Path(__file__).parent
BOOTH_IDLE_MINUTES = 120  # an attendant may wait that long for the next car


def lot_applications(edge: Edge, metrics: Metrics) -> Mapping[str, web.Application]:
    """The pages of a running edge by the name of their listener; health and figures stand on the booth's."""
    passwords = Passwords()
    booth_pages = booth_app(edge, passwords)
    add_health(booth_pages, edge, metrics)

    async def close(_app: web.Application) -> None:
        passwords.close()

    booth_pages.on_cleanup.append(close)
    return {"booth": booth_pages}


def booth_app(edge: Edge, passwords: Passwords) -> web.Application:
    """The touchscreen's pages, for the lot's own people."""

    def navigation(request: web.Request) -> tuple[NavItem, ...]:
        if current_session(request) is None:
            return ()
        items = ("/booth", "booth.lanes"), ("/booth/cars", "booth.cars"), ("/booth/entry", "booth.entry")
        return tuple(NavItem(href, key) for href, key in items)

    app = _app(edge, passwords, "booth", navigation, "/booth", BOOTH_IDLE_MINUTES)
    app[login.MAY], app[login.SHOWS_NAMES] = _is_of_the_lot, True
    for pages in (booth, tasks, lane_tasks):
        pages.add_routes(app)
    return app


def _is_of_the_lot(person: Attendant) -> bool:
    return not person.role.startswith(MERCHANT_ROLE)


def _app(
    edge: Edge,
    passwords: Passwords,
    name: str,
    navigation: Callable[[web.Request], tuple[NavItem, ...]],
    home: str,
    idle_minutes: int,
    *,
    https: bool = False,
) -> web.Application:
    sessions = Sessions(MemorySessionStore(), name, idle_minutes=idle_minutes)
    shell = Shell(
        name=name,
        catalogue=load_catalogue(SHELL_LOCALE, HERE / "locale"),
        templates=(HERE / "templates",),
        sessions=sessions,
        navigation=navigation,
        title_key=f"{name}.title",
        home=home,
        https=https,
        zone=edge.settings.time_zone,
        static=HERE / "static",
    )
    app = create_app(shell)
    app[EDGE], app[PASSWORDS], app[SESSIONS] = edge, passwords, sessions
    app[THROTTLE], app[ONCE], app[WATCH] = LoginThrottle(), Once(), Watch(edge)
    login.add_routes(app)

    async def index(_request: web.Request) -> web.Response:
        return see_other(home)

    app.router.add_get("/", index)
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_let_pages_go)
    return app


async def _watching(app: web.Application) -> AsyncIterator[None]:
    await app[WATCH].start()
    yield
    await app[WATCH].stop()


async def _let_pages_go(app: web.Application) -> None:
    app[WATCH].hub.close()
