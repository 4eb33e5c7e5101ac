"""What is wrong with this edge and what to do about it, one line a finding."""

from __future__ import annotations

import asyncio
import platform
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from domain.document import DocumentError
from domain.moment import Quality
from domain.wire import Json
from edge.asking import ask_daemon, ask_database
from edge.clock import Clock
from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.disk import Level, free_percent, level_of
from edge.doctor_devices import DEVICE_S, devices_found, of_daemon
from edge.finding import Finding, doctors_words
from edge.machine import machine_findings
from edge.pricelists import load_prices
from edge.services import offline_list
from edge.services.checking import check_books
from edge.settings import EdgeSettings
from edge.trust import trouble
from plumbing.i18n import Texts
from plumbing.settings import SettingsError

SAFE_SQLITE = (3, 51, 3)
OLD_LIST_H = 48


async def examine(settings: EdgeSettings, source: str, folder: Path, language: str = "") -> list[Finding]:
    """Look at everything that can be looked at without moving anything; *language* "" is that of the lot."""
    settings = replace(settings, locale=language or settings.locale)
    t = doctors_words(settings.locale)
    standing = await ask_daemon(settings, "/standing")
    quality = Clock().now().quality if standing is None else Quality(standing["clock"])
    found = [_versions(t), _clock(quality, t), *_disk(settings, t), *_files(settings, t)]
    if standing is None:
        found += [*_database(settings, t), *await devices_found(settings, source, folder, t)]
    else:
        found += _of_daemon(standing, t)
    copies = standing["copies"] if standing else None
    machine = await asyncio.to_thread(machine_findings, settings, copies, time.time())
    return [*found, *machine, *await _broker(settings, t), *await _cloud(settings, t)]


def _versions(t: Texts) -> Finding:
    sqlite = tuple(int(part) for part in sqlite3.sqlite_version.split("."))
    note = "" if sqlite >= SAFE_SQLITE else t("doctor.old_sqlite")
    return Finding(True, f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}{note}")


def _clock(quality: Quality, t: Texts) -> Finding:
    return Finding(quality >= Quality.NTP, t("doctor.clock", quality=quality.name.lower()), t("doctor_next.clock"))


def _disk(settings: EdgeSettings, t: Texts) -> list[Finding]:
    if not settings.data.is_dir():
        return [Finding(False, t("doctor.not_there", path=settings.data), t("doctor_next.provision"))]
    free = free_percent(settings.data)
    mode = settings.data.stat().st_mode & 0o077
    privacy = t("doctor.open_to_others" if mode else "doctor.private", path=settings.data)
    open_folder = Finding(not mode, privacy, f"chmod 700 {settings.data}")
    return [Finding(level_of(free) is Level.FINE, t("doctor.disk", free=free), t("doctor_next.disk")), open_folder]


def _files(settings: EdgeSettings, t: Texts) -> Iterable[Finding]:
    try:
        load_prices(settings)
    except (DocumentError, SettingsError) as exc:
        return [Finding(False, t("doctor.prices_wrong", why=exc), t("doctor_next.file"))]
    return [Finding(True, t("doctor.prices"))]


def _database(settings: EdgeSettings, t: Texts) -> list[Finding]:
    def look(conn: sqlite3.Connection) -> list[Finding]:
        state = conn.execute("PRAGMA quick_check").fetchone()[0]
        wrong = check_books(conn)
        return [
            Finding(state == "ok", t("doctor.database", state=state), t("doctor_next.database")),
            Finding(not wrong, t("doctor.books_wrong" if wrong else "doctor.books"), "; ".join(wrong[:3])),
            *_lists(offline_list.standing(conn, [one.camera for one in settings.camera_lists], now_ms), t),
        ]

    now_ms = Clock().now().wall_ms

    try:
        return ask_database(settings, look)
    except (DatabaseDamagedError, DatabaseInUseError, FileNotFoundError) as exc:
        return [Finding(False, str(exc), "")]


def _lists(rows: Iterable[Json], t: Texts) -> list[Finding]:
    """Lists that cameras keep for when this appliance is dead."""
    return [_list(row, t) for row in rows]


def _list(row: Json, t: Texts) -> Finding:
    hours, why = row["hours"], f" ({row['why']})" if row["why"] else ""
    age = t("doctor.list_never") if hours is None else t("doctor.list_age", hours=hours)
    what = t("doctor.list", camera=row["camera"], cars=row["cars"], age=age) + why
    if not row["named"]:
        return Finding(False, what, t("doctor_next.list_unnamed"))
    if hours is None or hours > OLD_LIST_H:
        return Finding(False, what, t("doctor_next.list_old"))
    if row["left_out"]:
        return Finding(False, what + t("doctor.list_full", left=row["left_out"]), t("doctor_next.list_full"))
    return Finding(True, what)


def _of_daemon(standing: dict[str, object], t: Texts) -> list[Finding]:
    wrong = standing["wrong"]
    found = [Finding(True, t("doctor.runs", inside=standing["inside"], backlog=standing["backlog"]))]
    if isinstance(wrong, dict):
        found += [of_daemon(t, part, why) for part, why in wrong.items()]
    lists = standing["lists"]
    found += _lists(lists if isinstance(lists, list) else [], t)
    link = str(standing["link"])
    return [*found, Finding(link != "offline", t("doctor.link", state=t(f"link.{link}")), t("doctor_next.link"))]


async def _broker(settings: EdgeSettings, t: Texts) -> list[Finding]:
    broker = settings.broker
    if broker is None:
        return []
    place = f"{broker.host}:{broker.port}"
    is_claimed = settings.cloud_key_file.exists()
    claimed = Finding(
        is_claimed, t("doctor.claimed" if is_claimed else "doctor.not_claimed"), t("doctor_next.not_claimed")
    )
    try:
        async with asyncio.timeout(DEVICE_S):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
            writer.close()
    except (OSError, TimeoutError) as exc:
        what = t("doctor.broker_away", place=place, why=str(exc) or t("fault.silent"))
        return [claimed, Finding(False, what, t("doctor_next.broker"))]
    return [claimed, Finding(True, t("doctor.broker", place=place))]


async def _cloud(settings: EdgeSettings, t: Texts) -> list[Finding]:
    """Payment codes go to the cloud over HTTPS, beside the broker."""
    if not settings.cloud_url_file.exists():
        return []
    url = settings.cloud_url_file.read_text(encoding="utf-8").strip()
    why = await trouble(url, settings.cloud_ca)
    what = t("doctor.cloud_away", place=url, why=why) if why else t("doctor.cloud", place=url)
    return [Finding(not why, what, t("doctor_next.cloud"))]
