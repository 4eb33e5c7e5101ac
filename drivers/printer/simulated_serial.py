"""The simulated printer on a pseudo-terminal: takes jobs, answers DLE EOT, fails on demand."""

from __future__ import annotations

from pathlib import Path

from drivers.printer.commands import STATUS
from drivers.printer.simulated import ANSWERS, PrinterFault
from drivers.serial_simulated import SimulatedSerial


class SimulatedSerialPrinter(SimulatedSerial):
    """*printed*: every byte but the questions. It takes a question's bytes inside a picture for one: print text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, self._heard)
        self.fault: PrinterFault | None = None
        self.printed = bytearray()
        self._buffer = b""

    def _heard(self, data: bytes) -> None:
        self._buffer += data
        while (at := self._buffer.find(STATUS)) >= 0 and len(self._buffer) > at + len(STATUS):
            question = self._buffer[at + len(STATUS)]
            self.printed += self._buffer[:at]
            self._buffer = self._buffer[at + len(STATUS) + 1 :]
            if self.fault is not PrinterFault.MUTE and 1 <= question <= 4:
                self.say(bytes([ANSWERS[self.fault][question - 1]]))
        if STATUS[0] not in self._buffer[-2:]:
            self.printed += self._buffer
            self._buffer = b""
