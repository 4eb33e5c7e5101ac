"""ESC/POS printers over TCP 9100, a device node or a folder. python-escpos carries the bytes; we made them."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from drivers.base import DeviceRefusedError, DeviceUnreachableError, Fault, PrinterStatus
from drivers.printer.commands import STATUS
from drivers.printer.status import QUESTIONS, is_answer, status_of
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

log = logging.getLogger(__name__)
R = TypeVar("R")

STOPPED = frozenset({PrinterStatus.PAPER_OUT, PrinterStatus.COVER_OPEN, PrinterStatus.OFFLINE, PrinterStatus.FAULT})


@dataclass(frozen=True, slots=True)
class EscposNetworkOptions:
    """A printer with an Ethernet board; it talks to one caller at a time, so each job is a connection."""

    host: str
    port: int = 9100
    connect_ms: int = 3000
    send_ms: int = 15_000  # a slow head and a small buffer hold the sender up
    status_ms: int = 500  # cheap units never answer; after one silence they are not asked again in that connection


@dataclass(frozen=True, slots=True)
class EscposFileOptions:
    """*path*: a device node (``/dev/usb/lp0``), or a folder that gets one file a job."""

    path: Path


class EscposNetworkPrinter:
    """One job at a time, on a thread of its own."""

    def __init__(self, name: str, options: EscposNetworkOptions) -> None:
        self.name = name
        self._options = options
        self._thread = OneThread(f"printer {name}")
        self._lost = False

    async def print(self, data: bytes) -> None:
        """Send *data*, then ask how it went. DeviceRefusedError: it arrived and the printer stopped."""
        status = await self._thread.run(self._connected, lambda device: _send(device, data, self._options))
        if status in STOPPED:
            raise DeviceRefusedError(f"printer {self.name}: {status}; see what came out before printing again")

    async def status(self) -> PrinterStatus:
        """The printer's own word. Raises DeviceUnreachableError when it cannot be reached at all."""
        return await self._thread.run(self._connected, lambda device: _ask(device, self._options))

    async def aclose(self) -> None:
        """Finish the job at hand and end the thread."""
        await self._thread.close()

    def _connected(self, act: Callable[[Any], R]) -> R:
        from escpos.exceptions import Error  # type: ignore[import-untyped]
        from escpos.printer import Network  # type: ignore[import-untyped]

        options = self._options
        device = Network(options.host, options.port)
        try:  # connected here: the library leaves its socket open when nobody answers
            device.device = socket.create_connection((options.host, options.port), options.connect_ms / 1000)
            result = act(device)
        except (Error, OSError) as exc:
            self._went(exc)
            where = f"{options.host}:{options.port}"
            raise DeviceUnreachableError(f"printer {self.name}: {where} does not take the job") from exc
        finally:
            device.close()
        self._came()
        return result

    def _went(self, exc: Exception) -> None:
        if not self._lost:
            self._lost = True
            log.warning("printer %s: lost %s (%s)", self.name, self._options.host, exc)

    def _came(self) -> None:
        if self._lost:
            self._lost = False
            log.info("printer %s is back", self.name)


def _send(device: Any, data: bytes, options: EscposNetworkOptions) -> PrinterStatus:
    device.device.settimeout(options.send_ms / 1000)
    device._raw(data)
    return _ask(device, options)


def _ask(device: Any, options: EscposNetworkOptions) -> PrinterStatus:
    """DLE EOT 1 to 4. Raises OSError when the connection breaks meanwhile."""
    device.device.settimeout(options.status_ms / 1000)
    answers = {}
    for question in QUESTIONS:
        with contextlib.suppress(TimeoutError):
            said = device.query_status(STATUS + bytes([question]))
            if not said:
                raise ConnectionResetError("closed by the printer")
            if is_answer(said[-1]):
                answers[question] = said[-1]
                continue
        break
    return status_of(answers)


class EscposFilePrinter:
    """A device node that takes bytes and says nothing, or a folder of jobs."""

    def __init__(self, name: str, options: EscposFileOptions) -> None:
        self.name = name
        self._path = options.path
        self._thread = OneThread(f"printer {name}")

    async def print(self, data: bytes) -> None:
        """Write *data* whole. Raises DeviceUnreachableError."""
        await self._thread.run(self._write, data)

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
            raise DeviceUnreachableError(f"printer {self.name}: {path} is not there", Fault.ABSENT)
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
