"""Two-dimensional readers on a serial port, or on USB as a virtual one: one line of text a code."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from drivers.scanner.codes import SILENCE_MS, scans_of
from drivers.serial_port import SerialLine, SerialPort, check_baud
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialScannerOptions(SerialPort):
    """*same_after_ms*: the same code seen within this time is the same paper, still held there."""

    same_after_ms: int = 2000

    def __post_init__(self) -> None:
        check_baud(self.baud)


class SerialScanner:
    """Listens; the reader's own light and trigger are its own business."""

    def __init__(
        self, line: SerialLine, options: SerialScannerOptions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = line
        self._same_after_s = options.same_after_ms / 1000
        self._clock = clock

    def scans(self) -> AsyncIterator[str]:
        """Codes as they are read. Raises DeviceUnreachableError; call again to reopen the port."""
        return scans_of(self._line.read_some, self._same_after_s, self._clock)

    async def check(self) -> None:
        """Open the port: more a reader does not tell. Raises DeviceUnreachableError."""
        await self._line.check()

    async def aclose(self) -> None:
        """Close the port."""
        await self._line.aclose()


async def open_serial_scanner(options: SerialScannerOptions, wiring: Wiring) -> SerialScanner:
    """A reader whose port is opened when it is first listened to."""
    return SerialScanner(SerialLine(f"scanner {wiring.name}", options, SILENCE_MS), options)
