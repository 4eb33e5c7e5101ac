"""The edge daemon: everything opened in order, run until told to stop, closed in reverse.

Only this file knows every part. A device that fails is tried again where it is used; any other failure ends the
daemon, and whoever started it (systemd) starts it again: nothing that was committed is lost, nothing is done twice.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from aiohttp import web

from domain.moment import Moment, Quality
from drivers.base import DeviceError, Holdable
from edge.certificate import Certificate
from edge.clock import WRONG_MS, Clock, clock_of
from edge.cold_time import keep_time
from edge.copies import Copies
from edge.db import attendance, boots, holds, log
from edge.db.database import Database, DatabaseLock, DiskFullError, open_database, transaction
from edge.db.holds import Hold
from edge.disk import DiskGuard
from edge.facade import Edge
from edge.finding import LOCALE
from edge.jobs import start_jobs
from edge.lanes.attendance import Attendance
from edge.lanes.board import Board
from edge.lanes.devices import LotDevices, open_devices
from edge.lanes.live import LiveLanes
from edge.lanes.office import Office
from edge.lanes.screen import Screen
from edge.lanes.sides import Turn
from edge.lanes.worker import LaneWorker
from edge.layouts import Layouts
from edge.lot import build_lot
from edge.ntp import chrony_is_right
from edge.offline_lists import duties
from edge.pictures import Pictures
from edge.pins import PinBox
from edge.pricelists import load_prices
from edge.printing import slip_printers
from edge.selftest import SelfTest
from edge.services import staffing, telling_prices, timing
from edge.services.leases import HANDLERS
from edge.services.lot_files import keep_files, lot_files
from edge.services.recovering import recover, stopped_cleanly
from edge.services.shedding import weigh
from edge.settings import Broker, EdgeSettings, Listener
from edge.sync.commands import Actuator, Handler, close_unfinished
from edge.sync.link import EdgeLink
from edge.sync.seeing import no_picture
from edge.web import driver
from edge.web.api import local_app
from edge.web.app import driver_words, lot_applications, receipt_words
from edge.web.device import device_app
from plumbing.demo_clock import DemoClock
from plumbing.files import read_secret
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.metrics import Metrics
from plumbing.mqtt import MqttOptions
from plumbing.notify import Watchdog, notify
from plumbing.onethread import OneThread
from plumbing.paper.profile import Profile
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey, PublicKey, load_or_create_key
from plumbing.tls import TlsFiles
from plumbing.unixpath import socket_path

logger = logging.getLogger(__name__)

DISK_S = 10.0
NOTE_CLOCKS_MS = 60_000
LISTENING = {
    errno.EADDRINUSE: "is in use by another program: end that one, or choose another port",
    errno.EADDRNOTAVAIL: "is no address of this machine",
    errno.EACCES: "needs rights this account does not have: choose a port from 1024 up",
}
STOP_S = 1.0  # pages get this long to end

Applications = Callable[[Edge, Metrics], Mapping[str, web.Application]]


class ListenerError(Exception):
    """A port cannot be had; the message names the listener and says what to do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A daemon that is up: what it is, and on which port each listener was given."""

    edge: Edge
    devices: LotDevices
    ports: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ClockSeen:
    """How the clock was when last looked at, so that a change is told once."""

    noted_ms: int
    quality: Quality = Quality.UNKNOWN
    is_wrong: bool = False


def release() -> str:
    """The version of this program."""
    try:
        return metadata.version("lotgate")
    except metadata.PackageNotFoundError:
        return "unknown"


async def run_edge(
    settings: EdgeSettings,
    stop: asyncio.Event,
    *,
    source: str = "settings",
    folder: Path = Path(),
    clock: Clock | None = None,
    applications: Applications = lot_applications,
    on_ready: Callable[[Opened], None] = lambda opened: None,
) -> None:
    """Run one lot until *stop* is set.

    Raises SettingsError, TariffError and their like for bad files, DatabaseInUseError when another process runs this
    lot, and OutdatedDatabaseError when the cloud has seen more than this database holds.
    """
    async with AsyncExitStack() as stack:
        office, key = await _open_office(settings, clock or _clock(settings), stack)
        devices = await open_devices(settings, stack, source, folder)
        live = LiveLanes()
        held = await office.thread.run(holds.standing, office.db.conn, settings.devices.barriers)
        await _hold_again(devices, held)
        workers = _workers(settings, office, devices, live, held)
        selftest = SelfTest(workers.values(), devices.printers)
        certificate = Certificate(settings.edge, settings.broker) if settings.broker else None
        link = _link(settings, office, live, selftest, certificate, devices.profiles)
        watchdog = Watchdog()
        edge = Edge(
            settings,
            office,
            live,
            workers,
            Copies(settings, office.thread, office.db, office.now, office.incident),
            slip_printers(devices.printers, devices.profiles, Layouts(office.read, settings.slips).of),
            lambda: _link_state(link),
            lambda: watchdog.stuck,
            devices.cameras,
            receipt_words(settings.locale),
        )
        metrics = _metrics(edge)
        opened = Opened(edge, devices, await _listen(settings, edge, devices, applications(edge, metrics), stack))
        await office.commit(keep_files, office.db, lot_files(settings, Path(source)), office.now())
        jobs = start_jobs(office, devices.cameras, settings.pictures, duties(settings))
        stack.callback(jobs.shutdown, wait=False)
        tasks: dict[str, Awaitable[None]] = {f"lane {name}": worker.run() for name, worker in workers.items()}
        tasks |= edge.scans.tasks(settings, devices, edge.parts)
        tasks |= {
            "clock": _watch_clock(office),
            "disk": _watch_disk(office),
            "copies": edge.copies.run(),
            "watchdog": watchdog.run(),
            "self-test": selftest.run(),
            "tickets": edge.tickets.dispense(),
            "waiting slips": edge.slips.keep_printing(),
            "phone payments": edge.phone.run(),
        }
        if link is not None:
            handlers = {**HANDLERS, **driver.handlers(office.lot, driver_words())}
            handlers |= {"cert.install": certificate.install} if certificate else {}
            tasks["cold time"] = keep_time(
                settings, office.clock, office.thread, office.db, _cloud_key(settings), lambda: link.last_error
            )
            tasks["sync"] = run_link(settings, link, key, handlers, actuators(edge))
        _watch(watchdog, office, workers)
        notify("READY=1", f"STATUS={settings.name}: {len(workers)} lanes")
        on_ready(opened)
        await _run_until(stop, tasks)
        notify("STOPPING=1")


def _clock(settings: EdgeSettings) -> Clock:
    if settings.demo_clock is None:
        return clock_of(None)
    logger.warning(
        "DEMO: the clocks follow %s and may be put forward by hours; no fee here is real", settings.demo_clock
    )
    return clock_of(DemoClock(settings.demo_clock))


async def _open_office(settings: EdgeSettings, clock: Clock, stack: AsyncExitStack) -> tuple[Office, PrivateKey]:
    """The database under its lock, prices, key and lot; what an earlier end left is set right."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DatabaseLock(settings.database)
    stack.callback(lock.release)
    prices = load_prices(settings)
    key = load_or_create_key(settings.key_file)
    disk = DiskGuard(settings.data)
    await asyncio.to_thread(disk.look)  # a full disk gives its ballast before anything is written
    thread = await stack.enter_async_context(OneThread("edge-db"))
    db = await thread.run(open_database, settings.database)
    stack.push_async_callback(thread.run, _close, db, clock)
    now = await thread.run(_restore_time, db, clock)
    files = await stack.enter_async_context(OneThread("edge-pictures"))
    pictures = Pictures(settings.data / "pictures", files, disk)
    lot = build_lot(settings, prices, key, now)
    said = await thread.run(attendance.standing, db.conn)
    pins = PinBox(SealKey.of(key))
    office = Office(thread, db, lot, clock, pictures, disk, Attendance(lot, said), pins)

    def start() -> None:
        with transaction(db) as conn:
            prices.keep(conn)
        staffing.close_pins(db, pins.close)
        found = recover(db, release(), now)
        telling_prices.tell(db, prices, settings.rules, now)
        close_unfinished(db, now)
        logger.info(
            "started after %s end: %d vouchers in doubt, %d settled cars not seen leaving",
            "a clean" if found.clean else "an unclean", found.doubtful_vouchers, found.waiting_cars,
        )  # fmt: skip

    await thread.run(start)
    return office, key


def _restore_time(db: Database, clock: Clock) -> Moment:
    """Let the clock know what was known of the time before; returns the moment of this start."""
    clock.restore(boots.last(db.conn))
    clock.keep(log.anchors(db.conn, clock.now().boot))
    timing.note_clocks(db, clock.now())
    return clock.now()


def _close(db: Database, clock: Clock) -> None:
    timing.note_clocks(db, clock.now())
    with suppress(DiskFullError):
        stopped_cleanly(db)
    db.conn.close()


async def _hold_again(devices: LotDevices, held: Mapping[str, Hold]) -> None:
    """A restart does not close a barrier a person holds open: it is latched before any board is written off."""
    for name in held:
        barrier = devices.barriers[name]
        if isinstance(barrier, Holdable):
            with suppress(DeviceError):  # its lane goes on trying
                await barrier.hold()


def _workers(
    settings: EdgeSettings, office: Office, devices: LotDevices, live: LiveLanes, held: Mapping[str, Hold]
) -> dict[str, LaneWorker]:
    """One worker a lane; lanes with one barrier between them share who may open it."""
    texts = load_catalogue(SHELL_LOCALE, LOCALE).speaking(settings.locale)
    screen = Screen(Board(texts, settings.boards, settings.name))
    barriers = [lane.barrier for lane in settings.lanes if lane.barrier]
    shared = {name: Turn() for name in barriers if barriers.count(name) > 1}
    return {
        lane.name: LaneWorker(
            lane,
            settings.rules,
            office,
            devices.of_lane(lane),
            live,
            screen,
            shared.get(lane.barrier),
            held[lane.barrier].reason if lane.barrier in held else "",
        )
        for lane in settings.lanes
    }


def _link(
    settings: EdgeSettings,
    office: Office,
    live: LiveLanes,
    selftest: SelfTest,
    certificate: Certificate | None,
    profiles: Mapping[str, Profile],
) -> EdgeLink | None:
    """The line to the cloud, once the edge was claimed and a broker is configured."""
    if settings.broker is None or not settings.cloud_key_file.exists():
        logger.info("no line to the cloud: %s", "not claimed" if settings.broker else "none configured")
        return None
    return EdgeLink(
        settings.edge, _mqtt(settings.edge, settings.broker, office.clock), office.thread, office.db, office.now,
        live=live.brief, on_anchors=office.clock.keep, busy=lambda: live.is_busy(office.now().wall_ms),
        more=lambda: {
            "test": selftest.result(), "seal": office.pins.key.public.hex(),
            "printers": {name: profile.looks() for name, profile in profiles.items()},
            **(certificate.wanted() if certificate else {}),
        },
        picture=office.entry_picture if settings.pictures.afar else no_picture,
    )  # fmt: skip


def _mqtt(edge: str, broker: Broker, clock: Clock) -> MqttOptions:
    tls = TlsFiles(broker.ca, broker.certificate, broker.key) if broker.ca else None
    password = read_secret(broker.password_file) if broker.password_file else None
    return MqttOptions(
        broker.host, broker.port, edge, broker.username or None, password, tls, clock.utc,
        longest_wait_seconds=broker.longest_wait_s,
    )  # fmt: skip


async def run_link(
    settings: EdgeSettings,
    link: EdgeLink,
    key: PrivateKey,
    handlers: Mapping[str, Handler] = HANDLERS,
    actuators: Mapping[str, Actuator] | None = None,
) -> None:
    """Keep in touch with the cloud; its key was pinned when the edge was claimed."""
    await link.run(key, _cloud_key(settings), lambda: secrets.token_hex(16), handlers, actuators)


def actuators(edge: Edge) -> dict[str, Actuator]:
    """What the cloud may ask for that moves something."""
    catalogue = driver_words()
    return {
        "barrier.open": edge.lanes.open_from_afar,
        "voucher.print": edge.counter.print_from_afar,
        driver.KIND: lambda body: driver.answer_from_afar(edge, catalogue, body),
    }


def _cloud_key(settings: EdgeSettings) -> PublicKey:
    return PublicKey.from_raw(bytes.fromhex(settings.cloud_key_file.read_text(encoding="ascii").strip()))


def _link_state(link: EdgeLink | None) -> str:
    if link is None:
        return "off"
    return "online" if link.in_session else "offline"


async def _listen(
    settings: EdgeSettings,
    edge: Edge,
    devices: LotDevices,
    pages: Mapping[str, web.Application],
    stack: AsyncExitStack,
) -> dict[str, int]:
    """Every listener on its own port, and the command line's socket in the data folder."""
    apps = {"device": device_app(devices.cameras.values()), **pages}
    ports = {}
    for name, app in apps.items():
        listener = getattr(settings.listeners, name)
        if listener is not None:
            ports[name] = await _serve(name, app, listener, stack)
    runner = await _runner(local_app(edge), stack)
    settings.socket.unlink(missing_ok=True)
    with socket_path(settings.socket) as path:
        await web.UnixSite(runner, path).start()
    settings.socket.chmod(0o600)
    stack.callback(settings.socket.unlink, missing_ok=True)
    return ports


async def _runner(app: web.Application, stack: AsyncExitStack) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    return runner


async def _serve(name: str, app: web.Application, listener: Listener, stack: AsyncExitStack) -> int:
    """The port taken. Raises ListenerError when it cannot be had."""
    context = None
    if listener.certificate is not None and listener.key is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(listener.certificate, listener.key)
    runner = await _runner(app, stack)
    try:
        await web.TCPSite(runner, listener.host, listener.port, ssl_context=context).start()
    except OSError as exc:
        place = f"listeners.{name}: {listener.host}:{listener.port}"
        raise ListenerError(f"{place} {LISTENING.get(exc.errno or 0, exc.strerror)}") from exc
    address: Any = runner.addresses[0]
    return int(address[1])


def _metrics(edge: Edge) -> Metrics:
    metrics = Metrics("lotgate_edge")
    thread = edge.office.thread
    metrics.watch("db_waiting", "Calls waiting for the database thread", lambda: thread.waiting)
    metrics.watch("db_calls", "Calls the database thread has finished", lambda: thread.progress)
    metrics.watch("link_online", "1 while the cloud answers", lambda: float(edge.link_state() == "online"))
    metrics.watch(
        "devices_wrong", "Devices that do not work", lambda: sum(len(view.wrong) for view in edge.live.snapshot())
    )
    metrics.watch(
        "cars_waiting", "Cars that wait at a lane", lambda: sum(bool(w.waiting_stay) for w in edge.workers.values())
    )
    return metrics


def _watch(watchdog: Watchdog, office: Office, workers: Mapping[str, LaneWorker]) -> None:
    """The watchdog is fed only if lane workers, database writer and main loop each made progress (sync §10)."""
    thread, loop = office.thread, asyncio.get_running_loop()
    watchdog.register("main loop", lambda: int(loop.time() * 1000))
    watchdog.register("database", lambda: thread.progress, needs=lambda: thread.waiting > 0)
    for name, worker in workers.items():
        watchdog.register(f"lane {name}", lambda w=worker: w.turns)  # type: ignore[misc]


async def _watch_clock(office: Office) -> None:
    """Steps and errors of the wall clock are told; fees do not notice. A better clock mends entry times."""
    seen = ClockSeen(noted_ms=office.now().boot_ms)
    office.clock.ntp = await asyncio.to_thread(chrony_is_right)
    while True:
        await asyncio.sleep(1)
        with suppress(DiskFullError):
            await _look_at_clock(office, seen)


async def _look_at_clock(office: Office, seen: ClockSeen) -> None:
    run, clock, db = office.commit, office.clock, office.db
    step, error, now = clock.stepped(), clock.error_ms(), office.now()
    better, seen.quality = now.quality > seen.quality, now.quality
    is_wrong, was_wrong, seen.is_wrong = abs(error) > WRONG_MS, seen.is_wrong, abs(error) > WRONG_MS
    if step:
        logger.warning("the wall clock jumped by %d ms", step)
        await run(timing.note_step, db, step, now)
    if is_wrong and not was_wrong:
        logger.error("the wall clock is %d ms off the cloud's; let an NTP client run", error)
        await run(timing.raise_wrong_clock, db, error, now)
    if better or step:
        await run(timing.correct_entries, db, now)
    if now.boot_ms - seen.noted_ms >= NOTE_CLOCKS_MS:
        seen.noted_ms = now.boot_ms
        clock.ntp = await asyncio.to_thread(chrony_is_right)
        await run(timing.note_clocks, db, now)


async def _watch_disk(office: Office) -> None:
    while True:
        level = await asyncio.to_thread(office.disk.look)
        with suppress(DiskFullError):
            await office.commit(weigh, office.db, level, office.now())
        await asyncio.sleep(DISK_S)


async def _run_until(stop: asyncio.Event, tasks: Mapping[str, Awaitable[None]]) -> None:
    """Run everything until *stop*; a task that fails ends all and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_named(work), name=name) for name, work in tasks.items()]
            await stop.wait()
            for task in running:
                task.cancel()
    except BaseExceptionGroup as failures:
        raise _first(failures) from failures


async def _named(work: Awaitable[None]) -> None:
    await work


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = failures.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
