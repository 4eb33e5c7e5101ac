"""The street's end of every device: cameras, barriers, loops and a printer that live in this process.

They stand behind the same Protocols as the drivers and are opened through the registry by the lot file's
``type = "street"``; what is left out is only the wire, which has tests and a demo of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar
from unittest.mock import patch

from domain.plate import PlateVerdict
from drivers.base import DeviceUnreachableError, LoopChange, PlateCandidate, PlateRead, PrinterStatus
from drivers.registry import MAKES, Make
from drivers.wiring import Wiring

KINDS = ("camera", "barrier", "loop", "printer")
LOOKS_S = 0.4  # from the trigger to the read
T = TypeVar("T")


class Device(Generic[T]):
    """A device with power and one listener. A dead one answers nobody; what it says to nobody is lost."""

    def __init__(self, name: str, now_s: Callable[[], float]) -> None:
        self.name, self.now_s = name, now_s
        self.is_on = True
        self.dark: list[tuple[float, float]] = []  # when it was off
        self._since = 0.0
        self._listener: asyncio.Queue[T | None] | None = None

    def switch(self, *, on: bool) -> None:
        """Give it power or take it."""
        if on == self.is_on:
            return
        self.is_on = on
        if on:
            self.dark.append((self._since, self.now_s()))
        else:
            self._since = self.now_s()
            self.say(None)

    def require(self) -> None:
        """Raises DeviceUnreachableError when it is dead."""
        if not self.is_on:
            raise DeviceUnreachableError(f"{self.name} does not answer")

    def say(self, value: T | None) -> None:
        """Tell whoever listens."""
        if self._listener is not None:
            self._listener.put_nowait(value)

    async def heard(self, first: tuple[T, ...] = ()) -> AsyncIterator[T]:
        """Everything said from now on, after *first*. Raises DeviceUnreachableError when the power goes."""
        self.require()
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        self._listener = queue
        for value in first:
            queue.put_nowait(value)
        while (said := await queue.get()) is not None:
            yield said
        raise DeviceUnreachableError(f"{self.name} does not answer")

    async def aclose(self) -> None:
        """The daemon that listened is gone."""
        self._listener = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a camera makes of the car before it: "" where it finds no plate."""

    text: str
    confidence: float = 97
    sure: bool = True


class StreetCamera(Device[PlateRead]):
    """Reads by itself when a car comes, and again when it is asked to."""

    def __init__(self, name: str, now_s: Callable[[], float]) -> None:
        super().__init__(name, now_s)
        self.before: Look | None = None  # who stands there
        self._numbers = itertools.count(1)

    def see(self, look: Look) -> None:
        """A car is in its picture."""
        self.before = look
        if self.is_on:
            self.say(self._read(look))

    def _read(self, look: Look) -> PlateRead:
        verdict = PlateVerdict.ACCEPT if look.sure else PlateVerdict.ASK
        found = (PlateCandidate(look.text, look.confidence, verdict=verdict),) if look.text else ()
        return PlateRead(f"{self.name}-{next(self._numbers)}", self.name, found)

    async def trigger(self) -> None:
        """Look again at whoever is there."""
        self.require()
        if self.before is not None:
            look = self.before
            asyncio.get_running_loop().call_later(LOOKS_S, self._look_again, look)

    def _look_again(self, look: Look) -> None:
        if self.is_on:
            self.say(self._read(look))

    def reads(self) -> AsyncIterator[PlateRead]:
        """As the Protocol says."""
        return self.heard()


class StreetBarrier(Device[None]):
    """A boom: each pulse is counted and raises it."""

    def __init__(self, name: str, now_s: Callable[[], float]) -> None:
        super().__init__(name, now_s)
        self.pulses: list[float] = []
        self.lost = 0  # asked for and not given: it was dead, or the daemon died before it
        self.told_at = 0.0  # real seconds, of the last pulse
        self.opened = asyncio.Event()
        self.cut: Callable[[], str] = str  # asked at each pulse: "", before, after, dead (House.at_pulse)

    async def open(self) -> None:
        """One pulse."""
        when = self.cut()
        if when == "before" or (when != "dead" and not self.is_on):
            self.lost += 1
        if when in ("before", "dead"):
            raise DeviceUnreachableError("the daemon is gone")
        self.require()
        self.told_at = time.perf_counter()
        self.pulses.append(self.now_s())
        self.opened.set()

    async def prepare(self) -> None:
        """Every output off."""
        self.require()


class StreetLoops(Device[LoopChange]):
    """The loops of one lane."""

    def __init__(self, name: str, now_s: Callable[[], float]) -> None:
        super().__init__(name, now_s)
        self.inputs: dict[str, bool] = {}

    def set(self, loop: str, *, taken: bool) -> None:
        """A car comes onto a loop or leaves it."""
        self.inputs[loop] = taken
        if self.is_on:
            self.say(LoopChange(loop, taken))

    def changes(self) -> AsyncIterator[LoopChange]:
        """As the Protocol says: the present state first."""
        return self.heard(tuple(LoopChange(loop, taken) for loop, taken in self.inputs.items()))


class StreetPrinter(Device[None]):
    """Keeps what was put on paper."""

    def __init__(self, name: str, now_s: Callable[[], float]) -> None:
        super().__init__(name, now_s)
        self.slips = 0

    async def print(self, data: bytes) -> PrinterStatus:
        """One slip."""
        self.require()
        self.slips += bool(data)
        return PrinterStatus.READY

    async def status(self) -> PrinterStatus:
        """Ready, or nobody there."""
        self.require()
        return PrinterStatus.READY


@dataclass(frozen=True, slots=True)
class StreetOptions:
    """A device of the street has none."""


MADE = {"camera": StreetCamera, "barrier": StreetBarrier, "loop": StreetLoops, "printer": StreetPrinter}


class Devices:
    """Every device of the lot by kind and name: made when it is first opened, and there across restarts."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self.cameras: dict[str, StreetCamera] = {}
        self.barriers: dict[str, StreetBarrier] = {}
        self.loops: dict[str, StreetLoops] = {}
        self.printers: dict[str, StreetPrinter] = {}

    def named(self, kind: str, name: str) -> Device[object]:
        """The one of that name."""
        held = getattr(self, f"{kind}s")
        if name not in held:
            held[name] = MADE[kind](name, self._now_s)
        device: Device[object] = held[name]
        return device

    def everything(self) -> list[Device[object]]:
        """All of them."""
        return [one for kind in KINDS for one in getattr(self, f"{kind}s").values()]

    @contextmanager
    def registered(self) -> Iterator[None]:
        """Lot files may name them while this lasts."""
        global _present
        _present = self
        with patch(
            "drivers.registry.MAKES", {**MAKES, **{kind: {**MAKES[kind], "street": _make(kind)} for kind in KINDS}}
        ):
            yield


_present: Devices | None = None


def _make(kind: str) -> Make:
    return Make(__name__, "StreetOptions", f"open_{kind}")


async def open_camera(_: StreetOptions, wiring: Wiring) -> Device[object]:
    """As the registry wants it."""
    return _named("camera", wiring)


async def open_barrier(_: StreetOptions, wiring: Wiring) -> Device[object]:
    """As the registry wants it."""
    return _named("barrier", wiring)


async def open_loop(_: StreetOptions, wiring: Wiring) -> Device[object]:
    """As the registry wants it."""
    return _named("loop", wiring)


async def open_printer(_: StreetOptions, wiring: Wiring) -> Device[object]:
    """As the registry wants it."""
    return _named("printer", wiring)


def _named(kind: str, wiring: Wiring) -> Device[object]:
    assert _present is not None
    return _present.named(kind, wiring.name)
