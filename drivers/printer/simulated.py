"""A printer without paper: takes jobs on a TCP port, answers DLE EOT, fails on demand, keeps every byte."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum

from drivers.base import BadFrameError
from drivers.printer.commands import INIT, STATUS, Command, split
from drivers.printer.escpos import EscposNetworkOptions, EscposNetworkPrinter
from drivers.wiring import Wiring


class PrinterFault(StrEnum):
    """What can be wrong with a printer."""

    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    OFFLINE = "offline"
    CUTTER = "cutter"
    MUTE = "mute"  # prints and never answers, as many USB and Bluetooth bridges


ANSWERS: dict[PrinterFault | None, tuple[int, int, int, int]] = {  # DLE EOT 1 to 4
    None: (0x12, 0x12, 0x12, 0x12),
    PrinterFault.PAPER_LOW: (0x12, 0x12, 0x12, 0x1E),
    PrinterFault.PAPER_OUT: (0x1A, 0x32, 0x12, 0x7E),
    PrinterFault.COVER_OPEN: (0x1A, 0x16, 0x12, 0x12),
    PrinterFault.OFFLINE: (0x1A, 0x12, 0x12, 0x12),
    PrinterFault.CUTTER: (0x1A, 0x52, 0x1A, 0x12),
}
STOPS = frozenset(ANSWERS) - {None, PrinterFault.PAPER_LOW}


class SimulatedPrinter:
    """Serves on loopback. ``jobs`` has the bytes of every job that reached the paper, status questions left out."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.fault: PrinterFault | None = None
        self.jobs: list[bytes] = []
        self._breaks_after: tuple[int, PrinterFault] | None = None
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SimulatedPrinter:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Power on, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Pull the plug."""
        if self._server is None:
            return
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers)
        await self._server.wait_closed()
        self._server = None

    def break_after(self, commands: int, fault: PrinterFault) -> None:
        """Let *fault* happen once *commands* commands of the next job are on paper."""
        self._breaks_after = (commands, fault)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None  # noqa: S101 - streams run this in a task
        self._handlers.add(handler)
        rest = b""
        try:
            with contextlib.suppress(ConnectionError, BadFrameError, asyncio.CancelledError):
                while data := await reader.read(4096):
                    commands, rest = split(rest + data)
                    for command in commands:
                        await self._obey(command, writer)
        finally:
            self._handlers.discard(handler)
            writer.transport.abort()

    async def _obey(self, command: Command, writer: asyncio.StreamWriter) -> None:
        if command.name == STATUS:
            await self._answer(command.data[0], writer)
        elif self.fault not in STOPS:
            self._print(command)

    async def _answer(self, question: int, writer: asyncio.StreamWriter) -> None:
        if self.fault is PrinterFault.MUTE or question not in (1, 2, 3, 4):
            return
        writer.write(bytes([ANSWERS[self.fault][question - 1]]))
        await writer.drain()

    def _print(self, command: Command) -> None:
        if command.name == INIT or not self.jobs:
            self.jobs.append(b"")
        self.jobs[-1] += command.name + command.data
        if self._breaks_after is not None:
            left, fault = self._breaks_after
            self._breaks_after = (left - 1, fault) if left > 1 else None
            self.fault = self.fault if left > 1 else fault


@dataclass(frozen=True, slots=True)
class SimulatedPrinterOptions:
    """A printer of its own on a free loopback port."""


class OwnPrinter(EscposNetworkPrinter):
    """The network driver with its own simulated printer beside it."""

    def __init__(self, name: str, printer: SimulatedPrinter) -> None:
        super().__init__(name, EscposNetworkOptions("127.0.0.1", printer.port))
        self.printer = printer

    async def aclose(self) -> None:
        """Close the driver and the printer."""
        await super().aclose()
        await self.printer.stop()


async def open_simulated_printer(options: SimulatedPrinterOptions, wiring: Wiring) -> OwnPrinter:
    """A printer and its driver with a real socket between them."""
    printer = SimulatedPrinter()
    await printer.start()
    return OwnPrinter(wiring.name, printer)
