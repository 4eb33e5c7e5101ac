"""From what a reader sends to the codes it read, each once while it is held there."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

LONGEST = 1024  # a QR of the sizes people print holds less
SILENCE_MS = 100  # ends a code whose reader sends no line end
_ENDS = re.compile(rb"[\r\n\x00\x03]+")
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")  # AIM identifier that readers may put before the text


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


async def scans_of(
    read_some: Callable[[], Awaitable[bytes]], same_after_s: float, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[str]:
    """Codes as they are read; *read_some* gives what came, b"" for silence. What it raises ends them."""
    codes, last, seen_at = Codes(), "", 0.0
    while True:
        for text in codes.feed(await read_some()):
            now = clock()
            again = text == last and now - seen_at < same_after_s
            last, seen_at = text, now
            if not again:
                yield text
