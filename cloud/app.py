"""The cloud service: the one place that knows every part and wires them together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access import account_pages, audit, audit_pages, key_pages, wechat_pages
from cloud.access import pages as access_pages
from cloud.access import service as access
from cloud.access.roles import Role
from cloud.access.service import DatabaseSessions
from cloud.act import Act
from cloud.api import answers, devices
from cloud.api import routes as api_routes
from cloud.booth import people as booth_people
from cloud.booth import people_pages as booth_people_pages
from cloud.booth import shift_pages
from cloud.coupons import booth_claims, claim_pages, code_pages, coupon_pages, sharing, sheet_pages, slip_pages, slips
from cloud.coupons import pages as coupons_pages
from cloud.coupons import service as coupons
from cloud.db import Database, open_engine, upgrade
from cloud.fees import codes as fee_codes
from cloud.fees import pages as fee_pages
from cloud.fees import service as fees
from cloud.hooks import pages as hook_pages
from cloud.hooks import sending
from cloud.lots import arrears_pages, debts_channel, driver_pages, layout_pages, remote_pages
from cloud.lots import edges as lot_edges
from cloud.lots import pages as lots_pages
from cloud.lots import service as lots
from cloud.members import routes as members_routes
from cloud.members import telling
from cloud.merchants import closing, ending, leases, staff_pages
from cloud.merchants import pages as merchants_pages
from cloud.paid import DUTIES
from cloud.payments import routes as payments_routes
from cloud.payments.desk import DESK, Desk
from cloud.payments.provider import PaymentProvider
from cloud.payments.settings import open_providers
from cloud.reconciling import pages as reconciling_pages
from cloud.reconciling import service as reconciling
from cloud.settings import BrokerSettings, CloudSettings
from cloud.shop import admin_pages as shop_admin_pages
from cloud.shop import buying, suggesting, top_up
from cloud.shop import pages as shop_pages
from cloud.sync import pages as sync_pages
from cloud.sync.agent import CloudAgent, Issue
from cloud.sync.flow import Flow
from cloud.sync.link import CloudLink, share_group
from cloud.waiting import pages as waiting_pages
from cloud.web import doors
from cloud.web.shell import cloud_shell, shell_app
from cloud.web.state import CLOUD, SESSIONS, Cloud, tick, wall_ms
from domain.wire import BadMessageError
from plumbing import logs
from plumbing.demo_clock import DemoClock
from plumbing.files import read_secret, write_private
from plumbing.mqtt import MqttOptions
from plumbing.notify import Watchdog, notify
from plumbing.passwords import random_password
from plumbing.sealing import SealKey
from plumbing.signing import PublicKey, load_or_create_key
from plumbing.tls import Authority, BadRequestError
from plumbing.web import Sessions

log = logging.getLogger(__name__)

REFILL_SECONDS = 5.0
EXPIRY_SECONDS = 60.0
DAYS_SECONDS = 600.0
SERVICE = "cloud"  # who does what no person asked for


def open_cloud(settings: CloudSettings) -> Cloud:
    """Bring up database, keys and, at the first start, the first account. Blocks; call before the event loop serves."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.database)
    upgrade(engine)
    database = Database(engine)
    public_url = settings.public_url or f"http://{settings.listen.host}:{settings.listen.port}"
    cloud = Cloud(settings, database, load_or_create_key(settings.config_key), 0, public_url, now_ms=_clock(settings))
    cloud.operator_id, password = _first_start(cloud)
    if password:
        _hand_over(password, settings.first_password_file)
    return cloud


def _clock(settings: CloudSettings) -> Callable[[], int]:
    """UTC now; put forward by a demo's file where there is one."""
    if settings.demo_clock is None:
        return wall_ms
    log.warning("DEMO: the clock follows %s and may be put forward by hours", settings.demo_clock)
    demo = DemoClock(settings.demo_clock)
    return lambda: wall_ms() + demo.ahead_ms()


def _first_start(cloud: Cloud) -> tuple[int, str]:
    """The operator's id, and the first administrator's password if one was just made (E66)."""
    password = random_password()
    hashed = "" if cloud.db.run_here(access.has_users) else cloud.passwords.hash_blocking(password)

    def begin(conn: Connection) -> tuple[int, str]:
        audit.lock(conn)  # workers that start at once make one operator and one account
        known = lots.first_operator(conn)
        operator_id = known or lots.create_operator(conn, cloud.settings.operator, cloud.now_ms())
        if access.has_users(conn):
            return operator_id, ""
        act = Act(operator_id, SERVICE, cloud.now_ms(), cloud.random)
        access.create_user(conn, act, access.FIRST_LOGIN, "Administrator", Role.ADMIN, hashed)
        return operator_id, password

    return cloud.db.run_here(begin)


def _hand_over(password: str, file: Path | None) -> None:
    if file is not None:
        write_private(file, f"{password}\n".encode())
        log.info("first account %s made, its first password is in %s", access.FIRST_LOGIN, file)
        return
    print(f"First account: {access.FIRST_LOGIN}  password: {password}  (shown once)", flush=True)  # noqa: T201


def make_app(cloud: Cloud, providers: Mapping[str, PaymentProvider] | None = None) -> web.Application:
    """The web application over *cloud*; its background work runs from start-up to clean-up.

    *providers* by account name take the place of those that the settings name.
    """
    sessions = Sessions(DatabaseSessions(cloud.db, lambda: cloud.operator_id), "cloud")
    https = cloud.public_url.startswith("https://")
    zone, proxies = cloud.settings.time_zone, cloud.settings.listen.trusted_proxies
    app = shell_app(cloud_shell(sessions, https=https, zone=zone, origins=(cloud.public_url,), trusted_proxies=proxies))
    app[CLOUD], app[SESSIONS] = cloud, sessions
    known = open_providers(cloud.settings.payments, cloud.now_ms) if providers is None else providers
    app[DESK] = Desk(cloud.db, cloud.act, known, DUTIES, lambda: cloud.public_url, lambda: _moved(cloud))
    app[DESK].fee_per_mille = cloud.settings.payments.fee_per_mille
    for pages in (
        access_pages,
        audit_pages,
        account_pages,
        key_pages,
        wechat_pages,
        hook_pages,
        lots_pages,
        arrears_pages,
        remote_pages,
        layout_pages,
        driver_pages,
        merchants_pages,
        staff_pages,
        coupons_pages,
        code_pages,
        sheet_pages,
        claim_pages,
        booth_claims,
        slip_pages,
        coupon_pages,
        members_routes,
        shift_pages,
        booth_people_pages,
        fee_pages,
        waiting_pages,
        reconciling_pages,  # before the page of an order, whose pattern its file would fit
        payments_routes,
        shop_pages,
        shop_admin_pages,
        fee_codes,
        top_up,
        sync_pages,
        api_routes,
    ):
        pages.add_routes(app)
    app.router.add_get("/healthz", devices.health)
    app.router.add_get("/metrics", cloud.metrics.handler)
    cloud.metrics.watch("db_waiting", "Pieces of work waiting for the database", lambda: cloud.db.waiting)
    cloud.metrics.watch("live_pages", "Pages that follow by themselves", lambda: cloud.hub.listeners)
    cloud.metrics.watch("broker_connected", "1 while connected to the broker", lambda: cloud.is_connected())
    app.middlewares.append(doors.guard)
    doors.check(app)
    app.cleanup_ctx.append(_keep)
    app.cleanup_ctx.append(_payments)
    app.cleanup_ctx.append(_sync)
    app.cleanup_ctx.append(_hooks)
    app.cleanup_ctx.append(_jobs)
    app.on_shutdown.append(_let_pages_go)
    return app


def _moved(cloud: Cloud) -> None:
    cloud.wake()
    cloud.hub.publish("changed")


async def _let_pages_go(app: web.Application) -> None:
    app[CLOUD].hub.close()


async def _keep(app: web.Application) -> AsyncIterator[None]:
    """The database and the hashing threads outlive everything else."""
    yield
    app[CLOUD].passwords.close()
    await asyncio.to_thread(app[CLOUD].db.close)


async def _payments(app: web.Application) -> AsyncIterator[None]:
    """The desk that speaks with payment providers, and its rounds."""
    desk = app[DESK]
    await desk.start()
    async with _running(desk.run(), "payments"):
        yield
    await desk.aclose()


def _issuer(broker: BrokerSettings) -> Issue | None:
    """Signs lots' renewals with the broker's authority, where the settings name it."""
    if broker.authority is None:
        return None
    authority = Authority.load(broker.authority)

    def issue(request: str, edge: str) -> str:
        try:
            return authority.issue_client(request.encode(), edge).decode()
        except BadRequestError as exc:
            raise BadMessageError(str(exc)) from exc

    return issue


async def _sync(app: web.Application) -> AsyncIterator[None]:
    """The line to the edges, while a broker is configured."""
    cloud = app[CLOUD]
    if cloud.settings.broker is None:
        yield
        return
    broker = cloud.settings.broker
    box = SealKey.of(cloud.config_key)

    def heard_key(conn: Connection, operator_id: int, edge_id: str, public: bytes, now_ms: int) -> None:
        booth_people.heard_key(conn, operator_id, edge_id, public, box, now_ms)

    flow = Flow(broker.events_per_second)
    agent = CloudAgent(cloud.config_key, PublicKey.from_raw, flow, _issuer(broker), heard_key)
    group = share_group(cloud.config_key) if broker.workers > 1 else ""
    link = CloudLink(mqtt_options(broker), cloud.db, agent, cloud.now_ms, group=group, key=cloud.config_key)
    cloud.wake, cloud.live, cloud.see = link.wake.set, lambda: link.live, link.see
    cloud.is_connected = lambda: link.is_connected
    async with _running(link.run(), "cloud sync"):
        yield


def mqtt_options(broker: BrokerSettings) -> MqttOptions:
    """How to reach the broker; the password is read from its file here. Raises as ``read_secret``."""
    password = read_secret(broker.password_file) if broker.password_file else None
    return MqttOptions(
        broker.host, broker.port, broker.client_id, broker.username, password, broker.tls,
        longest_wait_seconds=broker.longest_wait_s,
    )  # fmt: skip


async def _hooks(app: web.Application) -> AsyncIterator[None]:
    """Messages to web hooks, as they fall due."""
    async with _running(sending.run(app[CLOUD]), "web hooks"):
        yield


async def _jobs(app: web.Application) -> AsyncIterator[None]:
    """What happens by itself: leases refilled, expiries noted, old sessions forgotten, open pages kept fresh."""
    cloud = app[CLOUD]
    jobs = {"refill": _refill, "expire": _expire, "close periods": _close_periods, "days": _days}
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(_running(tick(cloud.hub), "tick"))
        for name, work in jobs.items():
            await stack.enter_async_context(_running(work(cloud), name))
        yield


async def _refill(cloud: Cloud) -> None:
    terms = leases.Terms(cloud.settings.leases.cap, cloud.settings.leases.spend_until_h)
    while True:
        await asyncio.sleep(REFILL_SECONDS)
        for edge_id in await cloud.db.run(lot_edges.operator_edges, cloud.operator_id):
            if await cloud.db.run(sharing.refill, cloud.act(SERVICE), edge_id, terms):
                cloud.wake()


async def _expire(cloud: Cloud) -> None:
    while True:
        await cloud.db.run(fees.tell_codes, cloud.operator_id, cloud.config_key, cloud.now_ms())
        await asyncio.sleep(EXPIRY_SECONDS)
        await cloud.db.run(coupons.record_expiries, cloud.operator_id, cloud.now_ms())
        while await cloud.db.run(coupons.withdraw_expired, cloud.operator_id, cloud.now_ms()):
            cloud.wake()
        while await cloud.db.run(coupons.withdraw_papers, cloud.operator_id, cloud.now_ms()):
            cloud.wake()
        for release in (coupons.release_left, coupons.release_papers_left):
            await cloud.db.run(release, cloud.operator_id, cloud.now_ms())
        if await cloud.db.run(ending.end_due, cloud.act(SERVICE)):
            cloud.wake()
        await cloud.db.run(slips.forget, cloud.operator_id, cloud.now_ms())
        await cloud.db.run(access.forget_sessions, cloud.now_ms())
        await cloud.db.run(answers.forget, cloud.now_ms())
        await cloud.db.run(buying.lapse, cloud.operator_id, cloud.now_ms())
        if await cloud.db.run(suggesting.suggest, cloud.act(SERVICE)):
            cloud.hub.publish("changed")
        if await cloud.db.run(debts_channel.tell_debts, cloud.operator_id, cloud.now_ms()):
            cloud.wake()
        if await cloud.db.run(telling.forget_old, cloud.operator_id, cloud.now_ms()):
            cloud.wake()


async def _close_periods(cloud: Cloud) -> None:
    """Statements of the billing periods that are over, at the start and whenever a merchant's next one begins."""
    closed: dict[int, int] = {}
    while True:
        periods = await cloud.db.run(closing.periods_began, cloud.operator_id, cloud.now_ms(), cloud.zone)
        for merchant_id, until_ms in periods.items():
            if closed.get(merchant_id) != until_ms:
                await cloud.db.run(closing.close_period, cloud.act(SERVICE), merchant_id, until_ms, coupons.facts)
        closed = periods
        await asyncio.sleep(EXPIRY_SECONDS)


async def _days(cloud: Cloud) -> None:
    """Each lot's day before, and the two before that again, from ten in its morning (E72)."""
    while True:
        for lot_id, day in await cloud.db.run(reconciling.days_due, cloud.operator_id, cloud.now_ms()):
            await cloud.db.run(reconciling.make, cloud.act(SERVICE), lot_id, day)
        await asyncio.sleep(DAYS_SECONDS)


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """*work* as a named task until the block ends; a bug in it ends the daemon, which systemd starts again."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_end_on_bug)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _end_on_bug(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("%s stopped", task.get_name(), exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def serve(settings: CloudSettings) -> int:
    """Serve until SIGTERM or SIGINT; 0 when it stopped in order."""
    logs.configure(json=settings.log_json, level=settings.log_level)
    cloud = open_cloud(settings)
    runner = web.AppRunner(make_app(cloud), access_log=None, handle_signals=False)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.listen.host, settings.listen.port, shutdown_timeout=5).start()
        host, port = runner.addresses[0][:2]
        if not settings.public_url:
            cloud.public_url = f"http://{host}:{port}"  # port 0 became a real one
        log.info("cloud ready on http://%s:%s", host, port)
        notify("READY=1")
        watchdog = Watchdog()
        watchdog.register("database", lambda: cloud.db.progress, needs=lambda: cloud.db.waiting > 0)
        async with _running(watchdog.run(), "watchdog"):
            await stop.wait()
        notify("STOPPING=1")
    finally:
        await runner.cleanup()
    return 0


def run(settings: CloudSettings) -> int:
    """``serve`` on an event loop of its own."""
    return asyncio.run(serve(settings))
