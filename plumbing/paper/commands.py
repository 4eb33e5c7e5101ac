"""The ESC/POS commands we use: names, and a splitter of printer bytes into commands. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

INIT = b"\x1b@"
ALIGN = b"\x1ba"
BOLD = b"\x1bE"
FEED_LINES = b"\x1bd"
SIZE = b"\x1d!"
HANZI_ON = b"\x1c&"
HANZI_OFF = b"\x1c."
CUT = b"\x1dV"
RASTER = b"\x1dv0"
SYMBOL = b"\x1d(k"
DRAWER = b"\x1bp"
LINE_FEED = b"\n"
STATUS = b"\x10\x04"  # DLE EOT n: answered at once, whatever is still to be printed
STATUS_BACK = b"\x1da"  # GS a n: four bytes now, and again whenever something changes
SENSOR = b"\x1dr"  # GS r n: answered in its turn, after everything before it is on paper

LONGEST_SYMBOL = 7092  # digits of the largest QR
LONGEST_RASTER = 1 << 20

_FIXED = {
    INIT: 0,
    ALIGN: 1,
    BOLD: 1,
    FEED_LINES: 1,
    SIZE: 1,
    HANZI_ON: 0,
    HANZI_OFF: 0,
    DRAWER: 3,
    STATUS: 1,
    STATUS_BACK: 1,
    SENSOR: 1,
}


class BadBytesError(ValueError):
    """Printer bytes that none of ours are."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command with its parameters, or a run of text when *name* is empty."""

    name: bytes
    data: bytes = b""


def split(data: bytes) -> tuple[list[Command], bytes]:
    """Whole commands at the start of *data*, and the bytes of one not yet complete. Raises BadBytesError."""
    commands = []
    place = 0
    while place < len(data):
        found = _next(data, place)
        if found is None:
            break
        command, place = found
        commands.append(command)
    return commands, data[place:]


def _next(data: bytes, start: int) -> tuple[Command, int] | None:
    first = data[start]
    if first == LINE_FEED[0]:
        return Command(LINE_FEED), start + 1
    if first >= 0x20:
        return _text(data, start)
    for name, size in _FIXED.items():
        if data.startswith(name, start):
            return _sized(data, start, name, size)
    for name, measure in _MEASURED.items():
        if data.startswith(name, start):
            length = measure(data[start + len(name) : start + len(name) + 5])
            return None if length is None else _sized(data, start, name, length)
    if len(data) - start < 3 and first in (0x10, 0x1B, 0x1C, 0x1D):
        return None
    raise BadBytesError(f"printer command {data[start : start + 3].hex(' ')} is not known")


def _text(data: bytes, start: int) -> tuple[Command, int]:
    """GB18030 never has a control character inside a character, so text runs up to the next one."""
    end = start
    while end < len(data) and data[end] >= 0x20:
        end += 1
    return Command(b"", data[start:end]), end


def _sized(data: bytes, start: int, name: bytes, size: int) -> tuple[Command, int] | None:
    begin = start + len(name)
    return (Command(name, data[begin : begin + size]), begin + size) if len(data) >= begin + size else None


def _cut_length(head: bytes) -> int | None:
    if not head:
        return None
    return 2 if head[0] in (65, 66, 97, 98) else 1


def _raster_length(head: bytes) -> int | None:
    if len(head) < 5:
        return None
    size = 5 + (head[1] + head[2] * 256) * (head[3] + head[4] * 256)
    if size > LONGEST_RASTER:
        raise BadBytesError(f"printer picture of {size} bytes; at most {LONGEST_RASTER} are taken")
    return size


def _symbol_length(head: bytes) -> int | None:
    if len(head) < 2:
        return None
    size = head[0] + head[1] * 256
    if size > LONGEST_SYMBOL + 3:
        raise BadBytesError(f"printer symbol of {size} bytes; at most {LONGEST_SYMBOL} are taken")
    return size + 2


_MEASURED: dict[bytes, Callable[[bytes], int | None]] = {
    CUT: _cut_length,
    RASTER: _raster_length,
    SYMBOL: _symbol_length,
}
