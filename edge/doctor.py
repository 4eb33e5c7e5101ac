"""What is wrong with this edge and what to do about it, one line a finding."""

from __future__ import annotations

import asyncio
import platform
import sqlite3
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from domain.document import DocumentError
from domain.moment import Quality
from domain.wire import Json
from drivers.base import BadOptionsError, Checkable, DeviceError, Printer, PrinterStatus
from edge.asking import ask_daemon, ask_database
from edge.clock import Clock
from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.disk import Level, free_percent, level_of
from edge.finding import Finding
from edge.lanes.devices import open_devices
from edge.machine import machine_findings
from edge.pricelists import load_prices
from edge.services import offline_list
from edge.services.checking import check_books
from edge.settings import EdgeSettings
from plumbing.settings import SettingsError

SAFE_SQLITE = (3, 51, 3)
DEVICE_S = 3.0
OLD_LIST_H = 48
LIST_ADVICE = (
    "while the edge is dead it lets in cars that may no longer, and not those that now may; it is tried every hour: "
    "look at the camera's line and login"
)
NEXT_STEP = {
    "camera": "open the camera's own page from here; look at its power, cable, address, login and clock",
    "barrier": "cars wait until this is mended: open by the gate's own button; look at its power, cable, address",
    "loop": "until this is mended cars are noticed by the cameras only; look at the board's power, cable, address",
    "arm": "open by the gate's own button; lotgate test tries its pulse with somebody watching",
    "display": "cars go on without it; look at the board's power, A and B, baud",
    "scanner": "vouchers can be typed at the booth meanwhile; look at its cable and its serial mode",
    "printer": "is it on, and its address right? lotgate find shows what is there",
    "disk": "make room on the disk of the data folder",
}


async def examine(settings: EdgeSettings, source: str, folder: Path) -> list[Finding]:
    """Look at everything that can be looked at without moving anything."""
    standing = await ask_daemon(settings, "/standing")
    quality = Clock().now().quality if standing is None else Quality(standing["clock"])
    found = [_versions(), _clock(quality), *_disk(settings), *_files(settings)]
    if standing is None:
        found += [*_database(settings), *await _devices(settings, source, folder)]
    else:
        found += _of_daemon(standing)
    copies = standing["copies"] if standing else None
    machine = await asyncio.to_thread(machine_findings, settings, copies, time.time())
    return [*found, *machine, *await _broker(settings)]


def _versions() -> Finding:
    sqlite = tuple(int(part) for part in sqlite3.sqlite_version.split("."))
    note = "" if sqlite >= SAFE_SQLITE else " (before 3.51.3: exactly one connection, as the daemon keeps it)"
    return Finding(True, f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}{note}")


def _clock(quality: Quality) -> Finding:
    advice = "timedatectl set-ntp true; lengths do not depend on it, prices by the hour and dates on slips do"
    return Finding(quality >= Quality.NTP, f"clock quality: {quality.name.lower()}", advice)


def _disk(settings: EdgeSettings) -> list[Finding]:
    if not settings.data.is_dir():
        return [Finding(False, f"{settings.data} is not there", "run lotgate provision --config …")]
    free = free_percent(settings.data)
    advice = "make room: below 10 % no pictures are kept, below 2 % nothing is issued"
    mode = settings.data.stat().st_mode & 0o077
    privacy = "private" if not mode else "open to others on this machine"
    open_folder = Finding(not mode, f"{settings.data} is {privacy}", f"chmod 700 {settings.data}")
    return [Finding(level_of(free) is Level.FINE, f"disk: {free} % free", advice), open_folder]


def _files(settings: EdgeSettings) -> Iterable[Finding]:
    try:
        load_prices(settings)
    except (DocumentError, SettingsError) as exc:
        return [Finding(False, f"price lists: {exc}", "mend the file named")]
    return [Finding(True, "price lists and calendars read")]


def _database(settings: EdgeSettings) -> list[Finding]:
    def look(conn: sqlite3.Connection) -> list[Finding]:
        state = conn.execute("PRAGMA quick_check").fetchone()[0]
        wrong = check_books(conn)
        return [
            Finding(state == "ok", f"database: {state}", "restore the last backup; keep this file for the makers"),
            Finding(not wrong, "books and log hold", "; ".join(wrong[:3])),
            *_lists(offline_list.standing(conn, [one.camera for one in settings.camera_lists], now_ms)),
        ]

    now_ms = Clock().now().wall_ms

    try:
        return ask_database(settings, look)
    except (DatabaseDamagedError, DatabaseInUseError, FileNotFoundError) as exc:
        return [Finding(False, str(exc), "")]


def _lists(rows: Iterable[Json]) -> list[Finding]:
    """Lists that cameras keep for when this appliance is dead."""
    return [_list(row) for row in rows]


def _list(row: Json) -> Finding:
    what, hours = f"camera {row['camera']}: offline list of {row['cars']} cars", row["hours"]
    if not row["named"]:
        advice = "it is no longer in camera_lists and still lets them in: name it there with most = 0 for an hour"
        return Finding(False, f"{what} that nobody keeps", advice)
    age = "never finished" if hours is None else f"{hours} hours old"
    why = f" ({row['why']})" if row["why"] else ""
    if hours is None or hours > OLD_LIST_H:
        return Finding(False, f"{what}, {age}{why}", LIST_ADVICE)
    if row["left_out"]:
        advice = "raise most, if the camera holds more; else they wait while the edge is dead"
        return Finding(False, f"{what}, {row['left_out']} do not fit", advice)
    return Finding(True, f"{what}, {age}")


async def _devices(settings: EdgeSettings, source: str, folder: Path) -> list[Finding]:
    """Open what a lot file names and ask each device that can be asked; nothing is moved or shown."""
    async with AsyncExitStack() as stack:
        try:
            devices = await open_devices(settings, stack, source, folder)
        except (SettingsError, BadOptionsError) as exc:
            return [Finding(False, f"devices: {exc}", "mend the lot file")]
        found = [Finding(True, f"{len(devices.cameras)} cameras, {len(devices.barriers)} barriers in the lot file")]
        for kind, named in devices.by_kind().items():
            for name, device in named.items():
                if isinstance(device, Checkable):
                    found.append(await _checked(kind, name, device))
        found += [await _printer(name, printer) for name, printer in devices.printers.items()]
        return found


async def _checked(kind: str, name: str, device: Checkable) -> Finding:
    try:
        async with asyncio.timeout(DEVICE_S):
            await device.check()
    except (DeviceError, TimeoutError) as exc:
        what = str(exc) or f"no answer in {DEVICE_S:.0f} s"
        return Finding(False, what if name in what else f"{kind} {name}: {what}", NEXT_STEP[kind])
    return Finding(True, f"{kind} {name} answers")


async def _printer(name: str, printer: Printer) -> Finding:
    try:
        async with asyncio.timeout(DEVICE_S):
            status = await printer.status()
    except (DeviceError, TimeoutError) as exc:
        what = str(exc) or f"printer {name}: no answer in {DEVICE_S:.0f} s"
        return Finding(False, what, NEXT_STEP["printer"])
    well = status in (PrinterStatus.READY, PrinterStatus.UNKNOWN)
    return Finding(well, f"printer {name}: {status.value}", "paper, cover, cutter")


def _of_daemon(standing: dict[str, object]) -> list[Finding]:
    wrong = standing["wrong"]
    found = [Finding(True, f"daemon runs: {standing['inside']} cars inside, {standing['backlog']} events to send")]
    if isinstance(wrong, dict):
        found += [Finding(False, f"{part}: {why}", _next_step(part)) for part, why in wrong.items()]
    lists = standing["lists"]
    found += _lists(lists if isinstance(lists, list) else [])
    link = standing["link"]
    return [*found, Finding(link != "offline", f"line to the cloud: {link}", "the lot goes on without it")]


def _next_step(part: str) -> str:
    """What to do about a part the daemon calls wrong; *part* is "lane: kind name"."""
    kind = part.rpartition(": ")[2].partition(" ")[0]
    return NEXT_STEP.get(kind, "see the log: journalctl -u lotgate-edge")


async def _broker(settings: EdgeSettings) -> list[Finding]:
    broker = settings.broker
    if broker is None:
        return []
    place = f"{broker.host}:{broker.port}"
    claimed = Finding(settings.cloud_key_file.exists(), "claimed by a cloud", "run lotgate provision --claim …")
    try:
        async with asyncio.timeout(DEVICE_S):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
            writer.close()
    except (OSError, TimeoutError) as exc:
        return [claimed, Finding(False, f"broker {place}: {str(exc) or 'no answer'}", "cable, name, firewall, port")]
    return [claimed, Finding(True, f"broker {place} answers")]
