"""The devices of one lane tried one by one, with a person watching: what only eyes and ears can tell is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from domain.plate import mask
from drivers.base import Camera, DeviceError, Loop, Printer, Snapshots, Triggerable
from edge.lanes.devices import LaneDevices
from edge.lanes.reads import plate_of
from edge.settings import Lane

T = TypeVar("T")

WATCH_S = 20.0
TEST_LINES = ("测试 TEST", "1234567890")
TEST_VOICE = "测试,一二三"


class Person(Protocol):
    """Whoever stands at the lane."""

    def say(self, text: str) -> None:
        """Tell something."""
        ...

    async def ask(self, question: str) -> bool:
        """A question answered yes or no."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """One device, and how it went; *note* is "" when all was seen."""

    device: str
    well: bool
    note: str = ""


class LaneTry:
    """Tries a lane's devices in the order a car meets them. Nothing moves before the person said yes."""

    def __init__(
        self, lane: Lane, devices: LaneDevices, printers: dict[str, tuple[Printer, bytes]], person: Person, folder: Path
    ) -> None:
        self._lane, self._devices, self._printers = lane, devices, printers
        self._person, self._folder = person, folder

    async def run(self) -> AsyncIterator[Tried]:
        """One result a device."""
        for name, camera in zip(self._lane.cameras, self._devices.cameras, strict=True):
            yield await self._tried(f"camera {name}", lambda n=name, c=camera: self._camera(n, c))  # type: ignore[misc]
        for name, loop in zip(self._lane.reporting_loops, self._devices.loops, strict=True):
            yield await self._tried(f"loop {name}", lambda d=loop: self._loop(d))  # type: ignore[misc]
        if self._devices.barrier is not None:
            yield await self._tried(f"barrier {self._lane.barrier}", self._barrier)
        if self._devices.display is not None:
            yield await self._tried(f"display {self._lane.display}", self._display)
        if self._devices.scanner is not None:
            scans = self._devices.scanner.scans()
            yield await self._tried(
                f"scanner {self._lane.scanner}", lambda: self._watched("Hold a code before the scanner.", scans, 1)
            )
        for name, (printer, page) in self._printers.items():
            yield await self._tried(f"printer {name}", lambda p=printer, b=page: self._printer(p, b))  # type: ignore[misc]

    async def _tried(self, device: str, act: Callable[[], Awaitable[str]]) -> Tried:
        self._person.say(f"--- {device}")
        try:
            note = await act()
        except DeviceError as exc:
            note = str(exc)
        return Tried(device, not note, note)

    async def _camera(self, name: str, camera: Camera) -> str:
        if isinstance(camera, Snapshots):
            path = self._folder / f"{name}.jpg"
            path.write_bytes(await camera.snapshot())
            if not await self._person.ask(f"Does {path} show the lane, upright and sharp?"):
                return "its picture is not right: aim it, and look at its lens and light"
        if isinstance(camera, Triggerable):
            try:
                await camera.trigger()
            except DeviceError as exc:
                self._person.say(f"It cannot be asked to look now ({exc}).")
        self._person.say(f"Drive a car before the camera within {WATCH_S:.0f} s.")
        read = await _first(camera.reads())
        if read is None:
            return f"no plate came within {WATCH_S:.0f} s: check its push address and secret, or its login"
        said = mask(plate_of(read)) if plate_of(read) else "no plate"
        return "" if await self._person.ask(f"It read {said}. Is that this car?") else "it read another plate"

    async def _barrier(self) -> str:
        barrier = self._devices.barrier
        assert barrier is not None  # noqa: S101 - tried only where there is one
        await barrier.prepare()
        if not await self._person.ask("The boom will rise now. Is nobody under it?"):
            return "not tried"
        await barrier.open()
        rose = await self._person.ask("Did the boom rise, once?")
        return "" if rose else "it did not rise: check the wires to open and common, and the gate's power"

    async def _display(self) -> str:
        display = self._devices.display
        assert display is not None  # noqa: S101 - tried only where there is one
        await display.show(TEST_LINES)
        if not await self._person.ask(f"Does the board show {' / '.join(TEST_LINES)}?"):
            return "it shows something else: check lines, columns, baud and its address"
        await display.show(TEST_LINES, speak=TEST_VOICE)
        heard = await self._person.ask(f"Did it say {TEST_VOICE}?")
        return "" if heard else "it said nothing: check its loudspeaker; lanes without a voice may go on so"

    async def _loop(self, loop: Loop) -> str:
        """A loop may tell its present state first, so one change more is wanted."""
        return await self._watched("Drive onto the loop and off again, or hold metal over it.", loop.changes(), 2)

    async def _watched(self, what: str, changes: AsyncIterator[object], wanted: int) -> str:
        """Ask the person to do something and see it come in *wanted* times of one input."""
        self._person.say(f"{what} There are {WATCH_S:.0f} s.")
        seen: Counter[object] = Counter()
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH_S):
                async for change in changes:
                    self._person.say(f"  {change}")
                    seen[getattr(change, "loop", None)] += 1
                    if max(seen.values()) >= wanted:
                        return ""
        return "nothing changed: check its wires, its input number and the detector's lamp"

    async def _printer(self, printer: Printer, page: bytes) -> str:
        await printer.print(page)
        return "" if await self._person.ask("Did the test page come out whole?") else "the page was not right"


async def _first(items: AsyncIterator[T]) -> T | None:
    try:
        async with asyncio.timeout(WATCH_S):
            return await anext(items)
    except TimeoutError:
        return None
