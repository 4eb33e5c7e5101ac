"""A printer without paper: takes jobs on a TCP port, says how it is, fails at any byte, keeps what it printed.

It may be as slow as paper. Makers' data sheets name 90 to 260 mm/s; the manual of the Axiohm 7286 (chapter 5) 130 mm/s
while up to a quarter of the dots are black and 94 mm/s at half.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from drivers.printer.escpos import EscposNetworkOptions, EscposNetworkPrinter
from drivers.tcp_simulated import SimulatedTcp
from drivers.wiring import Wiring
from plumbing.paper.commands import DRAWER, INIT, SENSOR, STATUS, STATUS_BACK, BadBytesError, Command, split
from plumbing.paper.length import DOTS_A_MM, Roll


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
BACK: dict[PrinterFault | None, bytes] = {  # the four bytes of GS a
    None: bytes((0x10, 0, 0, 0)),
    PrinterFault.PAPER_LOW: bytes((0x10, 0, 3, 0)),
    PrinterFault.PAPER_OUT: bytes((0x18, 0, 0x0F, 0)),
    PrinterFault.COVER_OPEN: bytes((0x38, 0, 0, 0)),
    PrinterFault.OFFLINE: bytes((0x18, 0, 0, 0)),
    PrinterFault.CUTTER: bytes((0x18, 8, 0, 0)),
}
QUESTIONS = (STATUS, STATUS_BACK, SENSOR)
STOPS = frozenset(ANSWERS) - {None, PrinterFault.PAPER_LOW}


def answer(command: Command, fault: PrinterFault | None) -> bytes:
    """What a printer with *fault* says to a question; b"" when it says nothing, or is in no state to get to it."""
    if fault is PrinterFault.MUTE:
        return b""
    if command.name == STATUS:
        return bytes([ANSWERS[fault][command.data[0] - 1]]) if 1 <= command.data[0] <= len(ANSWERS[fault]) else b""
    if command.name == STATUS_BACK:
        return BACK[fault] if command.data[0] else b""
    return b"" if fault in STOPS else bytes([BACK[fault][2]])


class SimulatedPrinter(SimulatedTcp):
    """``jobs`` has the bytes of every job that reached the paper, questions left out.

    *tells_end* False: a unit that does not know GS r. *mm_s*: how fast paper comes out, 0 for at once. As with a real
    one DLE EOT is answered at once and GS r when everything before it is on paper.
    """

    def __init__(self, *, port: int = 0, mm_s: int = 0) -> None:
        super().__init__(port)
        self.mm_s = mm_s
        self._roll, self._printed_at = Roll(), 0.0
        self.fault: PrinterFault | None = None
        self.jobs: list[bytes] = []
        self.drawer_pulses: list[bytes] = []  # pin and times of each
        self.tells_end = True
        self._breaks_at: tuple[int, PrinterFault | None] | None = None
        self._breaks_after: tuple[int, PrinterFault] | None = None

    def break_after(self, commands: int, fault: PrinterFault) -> None:
        """Let *fault* happen once *commands* commands of the next job are on paper."""
        self._breaks_after = (commands, fault)

    def break_at(self, byte: int, fault: PrinterFault | None) -> None:
        """Let *fault* happen once *byte* bytes of the next job have arrived; None pulls the cable there."""
        self._breaks_at = (byte, fault)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take commands as they come, until bytes are none."""
        with contextlib.suppress(BadBytesError):
            await self._listen(reader, writer)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest, heard = b"", 0
        while data := await reader.read(4096):
            is_job = heard > 0 or data.startswith(INIT[:1])
            for part in self._up_to_the_break(data, heard) if is_job else (data,):
                commands, rest = split(rest + part)
                for command in commands:
                    await self._obey(command, writer)
            heard += len(data) if is_job else 0

    def _up_to_the_break(self, data: bytes, heard: int) -> Iterator[bytes]:
        """*data* in the parts before and after what breaks at a byte of it. Raises ConnectionResetError there."""
        if self._breaks_at is None or heard + len(data) < self._breaks_at[0]:
            yield data
            return
        (byte, fault), self._breaks_at = self._breaks_at, None
        yield data[: byte - heard]
        if fault is None:
            raise ConnectionResetError
        self.fault = fault
        yield data[byte - heard :]

    async def _obey(self, command: Command, writer: asyncio.StreamWriter) -> None:
        if command.name in QUESTIONS:
            if command.name != SENSOR or self.tells_end:
                if command.name == SENSOR:
                    await asyncio.sleep(self._printed_at - asyncio.get_running_loop().time())
                writer.write(answer(command, self.fault))
                await writer.drain()
        elif command.name == DRAWER:
            self.drawer_pulses.append(command.data)
        elif self.fault not in STOPS:
            self._print(command)

    def _print(self, command: Command) -> None:
        if command.name == INIT or not self.jobs:
            self.jobs.append(b"")
        self.jobs[-1] += command.name + command.data
        if rows := self.mm_s and self._roll.feed(command):
            begins = max(self._printed_at, asyncio.get_running_loop().time())
            self._printed_at = begins + rows / DOTS_A_MM / self.mm_s
        if self._breaks_after is not None:
            left, fault = self._breaks_after
            self._breaks_after = (left - 1, fault) if left > 1 else None
            self.fault = self.fault if left > 1 else fault


@dataclass(frozen=True, slots=True)
class SimulatedPrinterOptions:
    """A printer of its own on a free loopback port. *mm_s*: how fast paper comes out, 0 for at once."""

    mm_s: int = 200

    def __post_init__(self) -> None:
        if not 0 <= self.mm_s <= 1000:
            raise ValueError(f"mm_s is {self.mm_s}; 0 to 1000 is taken")


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
    printer = SimulatedPrinter(mm_s=options.mm_s)
    await printer.start()
    return OwnPrinter(wiring.name, printer)
