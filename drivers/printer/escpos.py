"""ESC/POS printers over TCP 9100, a device node or a folder. python-escpos carries the bytes; we made them."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from drivers.base import DeviceRefusedError, DeviceUnreachableError, Fault, NothingSentError, PrinterStatus
from drivers.printer.talk import STOPPED, Asks, Dialogue, Question, Talk, hold
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

log = logging.getLogger(__name__)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class EscposNetworkOptions:
    """A printer with an Ethernet board; it talks to one caller at a time, so each job is a connection."""

    host: str
    port: int = 9100
    connect_ms: int = 3000
    send_ms: int = 15_000  # a slow head and a small buffer hold the sender up
    status_ms: int = 500  # cheap units never answer; after one silence they are not asked again in that connection
    finish_ms: int = 10_000  # how long a slip may take to come out after its last byte was sent
    asks: Asks = Asks.DLE_EOT


@dataclass(frozen=True, slots=True)
class EscposFileOptions:
    """*path*: a device node (``/dev/usb/lp0``), or a folder that gets one file a job."""

    path: Path


class EscposNetworkPrinter:
    """One job at a time, on a thread of its own."""

    def __init__(self, name: str, options: EscposNetworkOptions) -> None:
        self.name = name
        self._options = options
        self._talk = Talk(name, options.asks)
        self._thread = OneThread(f"printer {name}")
        self._lost = False

    async def print(self, data: bytes) -> PrinterStatus:
        """Send *data*, then ask how it went. DeviceRefusedError: it arrived and the printer stopped."""
        status = await self._thread.run(self._connected, lambda device: self._send(device, data))
        if status in STOPPED:
            raise DeviceRefusedError(f"printer {self.name}: {status}; see what came out before printing again")
        return status

    async def status(self) -> PrinterStatus:
        """The printer's own word. Raises DeviceUnreachableError when it cannot be reached at all."""
        return await self._thread.run(self._connected, lambda device: self._hold(device, self._talk.look()))

    async def aclose(self) -> None:
        """Finish the job at hand and end the thread."""
        await self._thread.close()

    def _connected(self, act: Callable[[Any], R]) -> R:
        from escpos.exceptions import Error  # type: ignore[import-untyped]
        from escpos.printer import Network  # type: ignore[import-untyped]

        options = self._options
        where = f"{options.host}:{options.port}"
        device = Network(options.host, options.port)
        try:  # connected here: the library leaves its socket open when nobody answers
            device.device = socket.create_connection((options.host, options.port), options.connect_ms / 1000)
        except OSError as exc:
            self._went(exc)
            raise NothingSentError(f"printer {self.name}: {where} does not take the job") from exc
        try:
            result = act(device)
        except (Error, OSError) as exc:
            self._went(exc)
            raise DeviceUnreachableError(f"printer {self.name}: {where} does not take the job") from exc
        finally:
            device.close()
        self._came()
        return result

    def _send(self, device: Any, data: bytes) -> PrinterStatus:
        device.device.settimeout(self._options.send_ms / 1000)
        device._raw(data)
        return self._hold(device, self._talk.after_job())

    def _hold(self, device: Any, dialogue: Dialogue) -> PrinterStatus:
        """Carry a dialogue to its end. Raises OSError when the connection breaks meanwhile."""
        return hold(dialogue, lambda question: self._exchange(device, question))

    def _exchange(self, device: Any, question: Question) -> bytes:
        wait_ms = self._options.finish_ms if question.patient else self._options.status_ms
        device.device.settimeout(wait_ms / 1000)
        heard = b""
        try:
            device._raw(question.data)
            while len(heard) < question.size:
                said = device._read()
                if not said:
                    raise ConnectionResetError("closed by the printer")
                heard += said
        except TimeoutError:
            return b""
        return heard

    def _went(self, exc: Exception) -> None:
        if not self._lost:
            self._lost = True
            log.warning("printer %s: lost %s (%s)", self.name, self._options.host, exc)

    def _came(self) -> None:
        if self._lost:
            self._lost = False
            log.info("printer %s is back", self.name)


class EscposFilePrinter:
    """A device node that takes bytes and says nothing, or a folder of jobs."""

    def __init__(self, name: str, options: EscposFileOptions) -> None:
        self.name = name
        self._path = options.path
        self._thread = OneThread(f"printer {name}")

    async def print(self, data: bytes) -> PrinterStatus:
        """Write *data* whole; UNKNOWN, for nothing comes back. Raises DeviceUnreachableError."""
        await self._thread.run(self._write, data)
        return PrinterStatus.UNKNOWN

    async def status(self) -> PrinterStatus:
        """UNKNOWN: nothing comes back on this way. Raises DeviceUnreachableError when the path is gone."""
        if not self._path.exists():
            raise DeviceUnreachableError(f"printer {self.name}: {self._path} is not there", Fault.ABSENT)
        return PrinterStatus.UNKNOWN

    async def aclose(self) -> None:
        """Finish the job at hand and end the thread."""
        await self._thread.close()

    def _write(self, data: bytes) -> None:
        from escpos.exceptions import Error
        from escpos.printer import File

        path = self._next_job() if self._path.is_dir() else self._path
        if path is self._path and not path.exists():
            raise NothingSentError(f"printer {self.name}: {path} is not there", Fault.ABSENT)
        device = File(str(path))
        try:
            device.open()
            device._raw(data)
        except (Error, OSError) as exc:
            raise DeviceUnreachableError(f"printer {self.name}: cannot write {path}", Fault.FORBIDDEN) from exc
        finally:
            device.close()

    def _next_job(self) -> Path:
        numbers = [int(job.stem) for job in self._path.glob("*.bin") if job.stem.isdecimal()]
        return self._path / f"{max(numbers, default=0) + 1:06d}.bin"


async def open_escpos_network(options: EscposNetworkOptions, wiring: Wiring) -> EscposNetworkPrinter:
    """A printer that is connected to job by job."""
    return EscposNetworkPrinter(wiring.name, options)


async def open_escpos_file(options: EscposFileOptions, wiring: Wiring) -> EscposFilePrinter:
    """A device node or folder, opened job by job."""
    return EscposFilePrinter(wiring.name, options)
