"""What ``lotgate doctor`` says of the machine itself: disk, copies, clock, certificates; in the lot's language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.copies import State
from edge.copying import LOG
from edge.finding import Finding, doctors_words
from edge.ntp import ntp_program
from edge.settings import EdgeSettings
from plumbing import backup
from plumbing.backup import BackupError
from plumbing.i18n import Texts
from plumbing.tls import not_after

WORN_PERCENT = 80
SOON_DAYS = 30
OLD_COPY_S = 3_600
OLD_FILE_S = 86_400  # without the daemon: nobody can say that nothing happened since


@dataclass(frozen=True, slots=True)
class Places:
    """Where a Linux machine tells of itself; tests have a tree of their own."""

    sys: Path = Path("/sys")
    local_time: Path = Path("/etc/localtime")


@dataclass(frozen=True, slots=True)
class Medium:
    """The whole disk a folder lies on. *kind*: SD, MMC (soldered) or empty; *used_percent* of its life, if it says."""

    disk: str
    kind: str
    used_percent: int | None


def medium_of(folder: Path, places: Places) -> Medium | None:
    """What *folder* lies on; None where nobody can say (a network, memory, a container)."""
    number = folder.stat().st_dev
    link = places.sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    if not link.exists():
        return None
    disk = link.resolve()
    disk = disk.parent if (disk / "partition").exists() else disk
    kind, life = _read(disk / "device" / "type"), _read(disk / "device" / "life_time")
    return Medium(disk.name, kind if disk.name.startswith("mmcblk") else "", _used(life))


def _used(life: str) -> int | None:
    """``0x02 0x01``: an eMMC's wear in steps of ten per cent, the worse of its two parts."""
    try:
        steps = [int(part, 16) for part in life.split()]
    except ValueError:
        return None
    return max(steps) * 10 if any(steps) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def machine_findings(
    settings: EdgeSettings, copies: dict[str, object] | None, now_s: float, places: Places | None = None
) -> list[Finding]:
    """Everything about the machine; *copies*: what the running daemon says of them, None while none runs."""
    places, t = places or Places(), doctors_words(settings.locale)
    return [
        *_disk(settings, t, places),
        *_copies(settings, t, places, copies, now_s),
        *_clocks(settings, t, places),
        *_certificates(settings, t, now_s),
    ]


def _disk(settings: EdgeSettings, t: Texts, places: Places) -> Iterator[Finding]:
    medium = medium_of(settings.data, places) if settings.data.is_dir() else None
    if medium is None:
        return
    if medium.kind == "SD":
        yield Finding(False, t("doctor.sd_card", disk=medium.disk), t("doctor.sd_card_do"))
    else:
        yield Finding(True, t("doctor.medium", disk=medium.disk))
    if medium.used_percent is not None:
        worn = medium.used_percent >= WORN_PERCENT
        yield Finding(not worn, t("doctor.wear", percent=medium.used_percent), t("doctor.wear_do"))


def _copies(
    settings: EdgeSettings, t: Texts, places: Places, told: dict[str, object] | None, now_s: float
) -> Iterator[Finding]:
    folder = settings.copies.folder
    if folder is None:
        yield Finding(False, t("doctor.no_copies"), t("doctor.no_copies_do"))
        return
    if folder.is_dir() and settings.data.is_dir():
        ours, theirs = medium_of(settings.data, places), medium_of(folder, places)
        if ours is not None and theirs is not None and ours.disk == theirs.disk:
            yield Finding(False, t("doctor.same_disk", disk=ours.disk), t("doctor.same_disk_do"))
    state = str(told["state"]) if told else ""
    if state and state not in (State.FINE, State.WAITING):
        yield Finding(False, t("doctor.copies_fail", why=str(told["why"]) if told else ""), t("doctor.copies_fail_do"))
        return
    as_of_ms = told.get("as_of_ms") if told else _newest_ms(folder, settings.edge)
    if not isinstance(as_of_ms, int):
        yield Finding(state == State.WAITING, t("doctor.copies_none"), t("doctor.copies_fail_do"))
        return
    age_s = now_s - as_of_ms / 1000
    old = age_s > (max(OLD_COPY_S, settings.copies.every_min * 360) if told else OLD_FILE_S)
    yield Finding(not old, t("doctor.copies_age", minutes=max(0, int(age_s // 60))), t("doctor.copies_fail_do"))


def _newest_ms(folder: Path, edge: str) -> int | None:
    for path in reversed(backup.copies(folder, edge)):
        try:
            found = backup.said_of(path)
        except BackupError:
            continue
        if LOG in found.standing:
            return found.made_ms
    return None


def _clocks(settings: EdgeSettings, t: Texts, places: Places) -> Iterator[Finding]:
    clocks = places.sys / "class" / "rtc"
    if clocks.is_dir():  # no folder: a container, whose host keeps the time
        has_one = any(clocks.iterdir())
        yield Finding(has_one, t("doctor.rtc" if has_one else "doctor.no_rtc"), t("doctor.no_rtc_do"))
    program = ntp_program()
    yield Finding(
        bool(program), t("doctor.ntp", program=program) if program else t("doctor.no_ntp"), t("doctor.no_ntp_do")
    )
    zone = str(places.local_time.resolve()).partition("zoneinfo/")[2]
    if zone:
        same = zone == settings.time_zone
        what = t("doctor.zone", zone=zone) if same else t("doctor.other_zone", zone=zone, lot=settings.time_zone)
        yield Finding(same, what, t("doctor.other_zone_do", lot=settings.time_zone))


def _certificates(settings: EdgeSettings, t: Texts, now_s: float) -> Iterator[Finding]:
    broker, listeners = settings.broker, settings.listeners
    named = [broker.certificate, broker.ca] if broker else []
    named += [one.certificate for one in (listeners.booth, listeners.device, listeners.counter) if one is not None]
    for path in dict.fromkeys(path for path in named if path is not None):
        try:
            ends = not_after(path.read_bytes())
        except (OSError, ValueError) as exc:
            yield Finding(
                False, t("doctor.certificate_unread", path=str(path), why=str(exc)), t("doctor.certificate_do")
            )
            continue
        left = (ends - datetime.fromtimestamp(now_s, UTC)).days
        what = t("doctor.certificate", path=str(path), day=f"{ends:%Y-%m-%d}", days=left)
        yield Finding(left >= SOON_DAYS, what, t("doctor.certificate_do"))
