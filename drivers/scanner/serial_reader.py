"""Two-dimensional readers on a serial port, or on USB as a virtual one: one line of text a code."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from drivers.serial_port import SerialLine, SerialPort, check_baud
from drivers.wiring import Wiring

LONGEST = 1024  # a QR of the sizes people print holds less
SILENCE_MS = 100  # ends a code whose reader sends no line end
_ENDS = re.compile(rb"[\r\n\x00\x03]+")
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")  # AIM identifier that readers may put before the text


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialScannerOptions(SerialPort):
    """*same_after_ms*: the same code seen within this time is the same paper, still held there."""

    same_after_ms: int = 2000

    def __post_init__(self) -> None:
        check_baud(self.baud)


class Codes:
    """From bytes to texts; what is too long or not text is thrown away whole."""

    def __init__(self) -> None:
        self._buffer = b""
        self._spoilt = False

    def feed(self, data: bytes) -> Iterator[str]:
        """Texts that end in *data*; b"" is silence, which ends what was begun."""
        *whole, rest = _ENDS.split(self._buffer + data)
        for code in [*whole, rest] if not data else whole:
            yield from self._text(code)
        self._buffer = b"" if not data else rest
        if len(self._buffer) > LONGEST:
            self._buffer, self._spoilt = b"", True

    def _text(self, code: bytes) -> Iterator[str]:
        spoilt, self._spoilt = self._spoilt, False
        if not code or spoilt or len(code) > LONGEST:
            return
        try:
            text = _SYMBOLOGY.sub("", code.decode("utf-8").strip())
        except UnicodeDecodeError:
            return
        if text and text.isprintable():
            yield text


class SerialScanner:
    """Listens; the reader's own light and trigger are its own business."""

    def __init__(
        self, line: SerialLine, options: SerialScannerOptions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = line
        self._same_after_s = options.same_after_ms / 1000
        self._clock = clock

    async def scans(self) -> AsyncIterator[str]:
        """Codes as they are read. Raises DeviceUnreachableError; call again to reopen the port."""
        codes, last, seen_at = Codes(), "", 0.0
        while True:
            for text in codes.feed(await self._line.read_some()):
                now = self._clock()
                again = text == last and now - seen_at < self._same_after_s
                last, seen_at = text, now
                if not again:
                    yield text

    async def check(self) -> None:
        """Open the port: more a reader does not tell. Raises DeviceUnreachableError."""
        await self._line.check()

    async def aclose(self) -> None:
        """Close the port."""
        await self._line.aclose()


async def open_serial_scanner(options: SerialScannerOptions, wiring: Wiring) -> SerialScanner:
    """A reader whose port is opened when it is first listened to."""
    return SerialScanner(SerialLine(f"scanner {wiring.name}", options, SILENCE_MS), options)
