"""The doctor's word on each device: what is wrong in a sentence, what to do next, and what it means meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from drivers.base import BadOptionsError, Checkable, DeviceError, Fault, Printer, PrinterStatus
from edge.finding import Finding
from edge.lanes.devices import LotDevices, open_devices
from edge.settings import EdgeSettings
from plumbing.i18n import Texts
from plumbing.settings import SettingsError

DEVICE_S = 3.0
CAMERA_S = 8.0  # a stream needs longer until its first picture
WELL = (PrinterStatus.READY, PrinterStatus.UNKNOWN)


async def devices_found(settings: EdgeSettings, source: str, folder: Path, t: Texts) -> list[Finding]:
    """Open what a lot file names and ask each device that can be asked; nothing is moved or shown."""
    async with AsyncExitStack() as stack:
        try:
            devices = await open_devices(settings, stack, source, folder)
        except (SettingsError, BadOptionsError) as exc:
            return [Finding(False, t("doctor.devices", why=exc), t("doctor_next.lot_file"))]
        found = [Finding(True, t("doctor.named", cameras=len(devices.cameras), barriers=len(devices.barriers)))]
        return [*found, *await _all(devices, t)]


async def _all(devices: LotDevices, t: Texts) -> list[Finding]:
    found = []
    for kind, named in devices.by_kind().items():
        for name, device in named.items():
            if isinstance(device, Checkable):
                found.append(await _asked(t, kind, name, device.check(), CAMERA_S if kind == "camera" else DEVICE_S))
            elif kind == "camera":
                found.append(Finding(True, t("doctor.only_pushes", device=called(t, kind, name))))
    return found + [await _printer(t, name, printer) for name, printer in devices.printers.items()]


async def _asked(t: Texts, kind: str, name: str, answer: Awaitable[None], within_s: float) -> Finding:
    try:
        async with asyncio.timeout(within_s):
            await answer
    except DeviceError as exc:
        return wrong(t, kind, name, exc.fault, str(exc))
    except TimeoutError:
        return wrong(t, kind, name, Fault.SILENT, t("doctor.within", seconds=round(within_s)))
    return Finding(True, t("doctor.answers", device=called(t, kind, name)))


async def _printer(t: Texts, name: str, printer: Printer) -> Finding:
    status = PrinterStatus.UNKNOWN

    async def ask() -> None:
        nonlocal status
        status = await printer.status()

    answered = await _asked(t, "printer", name, ask(), DEVICE_S)
    if not answered.well:
        return answered
    what = t("doctor.printer", device=called(t, "printer", name), status=t(f"printer.{status.value}"))
    advice = "" if status in WELL else t(f"printer_next.{status.value}")
    return Finding(status in WELL, what, advice)


def wrong(t: Texts, kind: str, name: str, fault: Fault, detail: str) -> Finding:
    """What a fault of one device is, with the driver's own words for whoever helps from afar."""
    bare = detail.removeprefix(f"{kind} ").removeprefix(f"{name}: ")  # drivers name themselves, too
    what = t("doctor.fault", device=called(t, kind, name), fault=t(f"fault.{fault.value}"), detail=bare)
    exact = f"fault_next.{fault.value}_{kind}"
    advice = t(exact if t.catalogue.has(exact) else f"fault_next.{fault.value}")
    return Finding(False, what, f"{advice} {t(f'fault_means.{kind}')}")


def of_daemon(t: Texts, part: str, why: str) -> Finding:
    """What a running daemon calls wrong; *part* is "lane: kind name"."""
    lane, _, device = part.rpartition(": ")
    kind, _, name = device.partition(" ")
    if not t.catalogue.has(f"kind.{kind}"):
        return Finding(False, f"{part}: {why}", t("doctor_next.see_log"))
    what = t("doctor.lane_fault", lane=lane, device=called(t, kind, name), detail=why)
    return Finding(False, what, f"{t(f'daemon_next.{kind}')} {t(f'fault_means.{kind}')}".strip())


def called(t: Texts, kind: str, name: str) -> str:
    """A device by kind and name."""
    return f"{t(f'kind.{kind}')} {name}".strip()
