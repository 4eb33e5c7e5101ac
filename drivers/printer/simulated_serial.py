"""The simulated printer on a pseudo-terminal: takes jobs, says how it is, fails on demand."""

from __future__ import annotations

from pathlib import Path

from drivers.printer.simulated import QUESTIONS, STOPS, PrinterFault, answer
from drivers.serial_simulated import SimulatedSerial
from plumbing.paper.commands import split


class SimulatedSerialPrinter(SimulatedSerial):
    """*printed*: every byte but the questions."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, self._heard)
        self.fault: PrinterFault | None = None
        self.printed = bytearray()
        self._buffer = b""

    def _heard(self, data: bytes) -> None:
        commands, self._buffer = split(self._buffer + data)
        for command in commands:
            if command.name in QUESTIONS:
                self.say(answer(command, self.fault))
            elif self.fault not in STOPS:
                self.printed += command.name + command.data
