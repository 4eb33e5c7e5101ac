"""How soon the booth's page says that a device was unplugged, and that it is back: each kind by its own cable or
socket, on the live stream that keeps the page right, at any moment of the lot's own looking around.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import shown
from drivers.serial_simulated import SimulatedSerial
from edge.lanes.watching import LOOK_S
from edge.settings import EdgeSettings
from tests.edge.web.running import Visitor, running, visiting
from tests.fakes.silent_port import SilentPort

MOST_S = 2.0
PATIENCE_S = 60.0
ROUNDS = 20


@dataclass
class Screen:
    """The parts of the booth's page as the live stream last told them."""

    parts: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, visitor: Visitor) -> None:
        """Keep them right until cancelled."""
        async with visitor.session.get(visitor.base.rstrip("/") + "/booth/live") as stream:
            name = ""
            async for raw in stream.content:
                key, _, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name, self.parts[value] = value, ""
                elif key == "data":
                    self.parts[name] += value
                elif not key:
                    self.changed.set()

    async def until(self, words: str, *, there: bool) -> None:
        """Wait until it says *words*, or no longer does."""
        async with asyncio.timeout(PATIENCE_S):
            while any(words in part for part in self.parts.values()) is not there:
                self.changed.clear()
                await self.changed.wait()


@dataclass(frozen=True, slots=True)
class Device:
    """One kind: the *words* the booth has for its loss, and how it comes to that."""

    kind: str
    words: str
    unplug: Callable[[], Awaitable[None]]
    plug_in: Callable[[], Awaitable[None]]


@asynccontextmanager
async def lot_with_devices(folder: Path) -> AsyncIterator[tuple[Screen, list[Device]]]:
    """A lot that works, and somebody signed in who looks on."""
    async with (
        SimulatedSerial(folder / "ttyACM0") as scanner,
        SilentPort() as camera,
        running(folder, lambda settings: _with_cables(settings, folder, camera.port)) as lot,
        visiting(lot, "booth") as visitor,
    ):
        await visitor.sign_in()
        screen = Screen()
        following = asyncio.create_task(screen.follow(visitor))
        await lot.enters()  # where a camera is was learned from its own push
        await asyncio.sleep(2 * LOOK_S)
        try:
            yield (
                screen,
                [
                    Device("printer", "连不上打印机", lot.printer.stop, lot.printer.start),
                    Device("scanner", "扫码枪 desk 断开", _at_once(scanner.unplug), _at_once(scanner.plug_in)),
                    Device("camera", "相机 in 没有信号", camera.unplug, camera.plug_in),
                    Device("relay", "道闸继电器 out 连接不上", lot.board.stop, lot.board.start),
                ],
            )
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


def _with_cables(settings: EdgeSettings, folder: Path, port: int) -> EdgeSettings:
    devices = settings.devices
    cameras = {**devices.cameras, "in": {**devices.cameras["in"], "page_port": port}}
    scanners = {"desk": {"type": "serial", "device": str(folder / "ttyACM0")}}
    return replace(settings, devices=replace(devices, cameras=cameras, scanners=scanners))


def _at_once(act: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        act()

    return done


async def rounds(screen: Screen, device: Device, count: int) -> tuple[list[float], list[float]]:
    """Seconds from each unplugging to the words, and from each plugging in to their end."""
    lost: list[float] = []
    back: list[float] = []
    for _ in range(count):
        for act, there, took in ((device.unplug, True, lost), (device.plug_in, False, back)):
            await asyncio.sleep(random.uniform(0, 2 * LOOK_S))
            began = time.perf_counter()
            await act()
            await screen.until(device.words, there=there)
            took.append(time.perf_counter() - began)
    return lost, back


async def measured(folder: Path, count: int) -> list[Figure]:
    """Two figures a device, one after another so that none waits for another's."""
    figures = []
    async with lot_with_devices(folder) as (screen, devices):
        for device in devices:
            for what, took in zip(("unplugged", "plugged in again"), await rounds(screen, device, count), strict=True):
                figures.append(_figure(f"{device.kind} {what}, until the booth says so, p95", sorted(took)))
                progress(f"{device.kind} {what}: {figures[-1].measured}")
    return figures


def _figure(name: str, took: list[float]) -> Figure:
    p50, p95 = (took[min(len(took) - 1, int(len(took) * part))] for part in (0.5, 0.95))
    told = f"{shown(p95)} (p50 {shown(p50)}, longest {shown(took[-1])}, {len(took)} times)"
    return Figure(name, f"≤ {shown(MOST_S)}", told, p95 <= MOST_S)


def run(options: Options) -> list[Figure]:
    """Every kind of device."""
    return asyncio.run(measured(options.folder, 1 if options.smoke else ROUNDS))
