"""The listeners for people: one application each, sharing a running edge and nothing of each other's pages."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from aiohttp import web

from edge.db.people import Attendant
from edge.facade import Edge
from edge.receipt_faces import Wording
from edge.services.staffing import MERCHANT, SUPERVISOR, is_at_least
from edge.web import (
    alarms,
    arrears,
    attend,
    booth,
    cameras,
    counter,
    coupons,
    drawer,
    driver,
    extend,
    fee,
    hold,
    lane_tasks,
    lists,
    lock,
    login,
    phone_pay,
    printers,
    receipts,
    refunds,
    reopen,
    rules,
    scan,
    shifts,
    staff,
    stock,
    tasks,
    words,
    zones,
)
from edge.web.api import add_health
from edge.web.kept_sessions import KeptSessions
from edge.web.keys import EDGE, ONCE, PASSWORDS, SESSIONS, SIGNED_IN, THROTTLE, WATCH, Once, see_other
from edge.web.printdesk import PrintDesk
from edge.web.watch import Changed, Watch
from plumbing.i18n import SHELL_LOCALE, Catalogue, load_catalogue
from plumbing.lanepage import fee_lines
from plumbing.lanepage import pages as lanepage
from plumbing.metrics import Metrics
from plumbing.passwords import Passwords
from plumbing.web import (
    LoginThrottle,
    NavItem,
    Sessions,
    Shell,
    create_app,
    current_session,
)

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def lot_applications(edge: Edge, metrics: Metrics) -> Mapping[str, web.Application]:
    """The pages of a running edge by the name of their listener; health and figures stand on the booth's."""
    passwords, watch = Passwords(), Watch(edge)
    booth_pages = booth_app(edge, passwords, watch)
    add_health(booth_pages, edge, metrics)

    async def looking(_app: web.Application) -> AsyncIterator[None]:
        await watch.start()
        yield
        await watch.stop()
        passwords.close()

    booth_pages.cleanup_ctx.append(looking)
    pages = {"booth": booth_pages}
    if edge.settings.listeners.counter is not None:
        pages["counter"] = counter_app(edge, passwords, watch)
    if edge.settings.listeners.driver is not None:
        pages["driver"] = driver_app(edge)
    booth_pages[SIGNED_IN] = tuple(app[SESSIONS] for app in pages.values() if SESSIONS in app)
    return pages


def booth_app(edge: Edge, passwords: Passwords, watch: Watch) -> web.Application:
    """The touchscreen's pages, for the lot's own people."""

    def navigation(request: web.Request) -> tuple[NavItem, ...]:
        session = current_session(request)
        if session is None:
            return ()
        names = (
            "cars",
            "lists",
            "arrears",
            "entry",
            *(("shift",) if edge.office.lot.workstations else ()),
            "cameras",
            *(("people",) if is_at_least(session.role, SUPERVISOR) else ()),
            "pin",
        )
        return NavItem("/booth", "booth.lanes"), *(NavItem(f"/booth/{name}", f"booth.{name}") for name in names)

    sessions = Sessions(KeptSessions(edge.office), "booth", idle_minutes=edge.settings.rules.booth_lock_min)
    app = _app(edge, passwords, watch, Shell("booth", driver_words(), sessions=sessions, navigation=navigation))
    app[login.MAY], app[login.SHOWS_NAMES] = _is_of_the_lot, True
    looks = (booth, alarms, cameras, lists, printers, rules, zones)
    app.router.add_post("/booth/lock", login.lock)
    acts = (
        tasks, coupons, fee, lock, phone_pay, arrears, lane_tasks, hold, extend, attend, staff, stock, reopen, shifts,
        receipts, refunds, drawer, scan,
    )  # fmt: skip
    for pages in (*looks, *acts):
        pages.add_routes(app)
    return app


def counter_app(edge: Edge, passwords: Passwords, watch: Watch) -> web.Application:
    """The counter's pages, for merchants' staff and the lot's own people."""

    def navigation(request: web.Request) -> tuple[NavItem, ...]:
        if current_session(request) is None:
            return ()
        return NavItem("/counter", "counter.print"), NavItem("/counter/vouchers", "counter.today")

    listener = edge.settings.listeners.counter
    https = listener is not None and listener.certificate is not None
    if listener is not None and not https and listener.host not in LOOPBACK:
        log.warning(
            "the counter listens on %s without a certificate: PINs cross the network in the clear", listener.host
        )
    sessions = Sessions(KeptSessions(edge.office), "counter")
    shell = Shell("counter", driver_words(), sessions=sessions, navigation=navigation, https=https)
    app = _app(edge, passwords, watch, shell)
    app[login.MAY], app[login.SHOWS_NAMES] = _is_anybody, False
    app[counter.DESK] = desk = PrintDesk(edge, lambda: watch.hub.publish(Changed(vouchers=True)))

    async def printing(_app: web.Application) -> AsyncIterator[None]:
        await desk.start()
        yield
        await desk.stop()

    app.cleanup_ctx.append(printing)
    counter.add_routes(app)
    return app


def driver_app(edge: Edge) -> web.Application:
    """The lanes' pages for drivers' phones: nobody signs in, and nothing else is reachable."""
    listener = edge.settings.listeners.driver
    catalogue = driver_words()
    app = create_app(
        Shell(
            "driver",
            catalogue,
            templates=(lanepage.TEMPLATES,),
            title_key="driver.title",
            home="/",
            https=listener is not None and listener.certificate is not None,
            zone=edge.settings.time_zone,
            max_body=lanepage.MOST_BYTES,
            static=lanepage.STATIC,
        )
    )
    app[EDGE] = edge
    driver.add_routes(app, catalogue)
    return app


@cache
def driver_words() -> Catalogue:
    """Words of every page of the lot, those of a fee's lines among them."""
    return load_catalogue(SHELL_LOCALE, HERE / "locale", lanepage.LOCALE)


def receipt_words(locale: str) -> Wording:
    """A receipt's lines in the lot's language, whoever has it printed."""
    t = driver_words().speaking(locale)
    return Wording(partial(fee_lines.rule, t), partial(words.coupon, t))


def _is_anybody(_person: Attendant) -> bool:
    return True


def _is_of_the_lot(person: Attendant) -> bool:
    return not person.role.startswith(MERCHANT)


def _app(edge: Edge, passwords: Passwords, watch: Watch, shell: Shell) -> web.Application:
    """What both listeners have: their own sessions and throttle, sign-in, the way home."""
    home = f"/{shell.name}"
    shell = replace(
        shell,
        templates=(HERE / "templates",),
        title_key=f"{shell.name}.title",
        home=home,
        zone=edge.settings.time_zone,
        static=HERE / "static",
    )
    if shell.sessions is None:
        raise ValueError("pages of an edge need sessions")
    app = create_app(shell)
    app[EDGE], app[PASSWORDS], app[SESSIONS] = edge, passwords, shell.sessions
    app[THROTTLE], app[ONCE], app[WATCH] = LoginThrottle(), Once(), watch
    login.add_routes(app)

    async def index(_request: web.Request) -> web.Response:
        return see_other(home)

    async def let_pages_go(_app: web.Application) -> None:
        watch.hub.close()

    app.router.add_get("/", index)
    app.on_shutdown.append(let_pages_go)
    return app
