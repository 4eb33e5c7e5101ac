"""A slip as ESC/POS bytes. Text is GB18030 made here, because printers and libraries differ in what they guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import segno

from domain.slip import Align, Cut, Feed, Line, Qr, Rule, Slip, Text
from drivers.printer.commands import (
    ALIGN,
    BOLD,
    CUT,
    FEED_LINES,
    HANZI_OFF,
    HANZI_ON,
    INIT,
    LINE_FEED,
    RASTER,
    SIZE,
    SYMBOL,
)

COLUMN_DOTS = 12  # font A
QUIET_MODULES = 4
UNPRINTABLE = "〓"  # two columns, as wide as what it stands for
FEED_AND_CUT = bytes([66, 0])
ALIGNMENTS = {Align.LEFT: 0, Align.CENTRE: 1, Align.RIGHT: 2}
LOOKS_LIKE = str.maketrans({"¥": "￥", "\u00a0": " "})  # what GB18030 writes in four bytes and printers do not know


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How one printer likes it: cheap 58 mm units have no QR of their own, so it is drawn."""

    qr: Literal["raster", "native"] = "raster"
    cutter: bool = True  # False: feed past the tear bar instead
    tear_lines: int = 4


DEFAULT = EncodeOptions()


def encode(slip: Slip, options: EncodeOptions = DEFAULT) -> bytes:
    """All bytes of one job, in the order of its lines. Raises ValueError when a QR is wider than the paper."""
    return INIT + b"".join(_line(line, slip.columns, options) for line in slip.lines)


def _line(line: Line, columns: int, options: EncodeOptions) -> bytes:
    match line:
        case Text():
            return _text(line)
        case Rule():
            return _text(Text(line.mark * columns))
        case Qr():
            return _qr(line, columns * COLUMN_DOTS, options)
        case Feed():
            return FEED_LINES + bytes([min(max(line.lines, 0), 255)])
        case Cut():
            return CUT + FEED_AND_CUT if options.cutter else FEED_LINES + bytes([options.tear_lines])


def _text(line: Text) -> bytes:
    style = ALIGN + bytes([ALIGNMENTS[line.align]]) + BOLD + bytes([line.bold])
    size = SIZE + bytes([(line.size - 1) * 0x11])
    return style + size + HANZI_ON + gb_bytes(line.text) + HANZI_OFF + LINE_FEED


def gb_bytes(text: str) -> bytes:
    """*text* in the one- and two-byte part of GB18030; nothing in it can be taken for a printer command."""
    return b"".join(map(_letter, text.translate(LOOKS_LIKE)))


def _letter(letter: str) -> bytes:
    if letter < " " or letter == "\x7f":
        return b"?"
    code = letter.encode("gb18030", "replace")
    return code if len(code) <= 2 else UNPRINTABLE.encode("gb18030")


def _qr(line: Qr, paper_dots: int, options: EncodeOptions) -> bytes:
    if options.qr == "native":
        return _native_qr(line)
    rows = [
        list(row)
        for row in segno.make_qr(line.text, error="m", boost_error=False).matrix_iter(
            scale=line.dots, border=QUIET_MODULES
        )
    ]
    if len(rows) > paper_dots:
        raise ValueError(f"QR of {len(rows)} dots is wider than the paper ({paper_dots})")
    left = (paper_dots - len(rows)) // 2
    width = (paper_dots + 7) // 8
    picture = b"".join(_row(row, left, width) for row in rows)
    head = bytes([0, width % 256, width // 256, len(rows) % 256, len(rows) // 256])
    return ALIGN + b"\0" + RASTER + head + picture


def _row(row: list[int], left: int, width: int) -> bytes:
    """One row of dots, first dot in the highest place of the first byte."""
    value = 0
    for dot in row:
        value = value << 1 | bool(dot)
    return (value << width * 8 - left - len(row)).to_bytes(width, "big")


def _native_qr(line: Qr) -> bytes:
    data = line.text.encode("utf-8")
    steps = (
        b"1A2\0",  # model 2
        b"1C" + bytes([min(max(line.dots, 1), 16)]),
        b"1E1",  # level M
        b"1P0" + data,
        b"1Q0",
    )
    symbol = b"".join(SYMBOL + len(step).to_bytes(2, "little") + step for step in steps)
    return ALIGN + b"\1" + symbol + ALIGN + b"\0"
