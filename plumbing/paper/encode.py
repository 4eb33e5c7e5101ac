"""A slip as ESC/POS bytes. Text is GB18030 made here, because printers and libraries differ in what they guess."""

from __future__ import annotations

from functools import lru_cache

import segno

from domain.slip import Align, Cut, Feed, Line, Qr, Rule, Slip, Text
from plumbing.paper.commands import (
    ALIGN,
    BOLD,
    CUT,
    DRAWER,
    FEED_LINES,
    HANZI_OFF,
    HANZI_ON,
    INIT,
    LINE_FEED,
    RASTER,
    SIZE,
    SYMBOL,
)
from plumbing.paper.profile import DEFAULT, Profile

COLUMN_DOTS = 12  # font A
QUIET_MODULES = 4
ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")  # of a QR, in 11 bits a pair
UNPRINTABLE = "〓"  # two columns, as wide as what it stands for
FEED_AND_CUT = bytes([66, 0])
DRAWER_PINS = {"pin_2": 0, "pin_5": 1}
ALIGNMENTS = {Align.LEFT: 0, Align.CENTRE: 1, Align.RIGHT: 2}
LOOKS_LIKE = str.maketrans({"¥": "￥", "\u00a0": " "})  # what GB18030 writes in four bytes and printers do not know


def encode(slip: Slip, profile: Profile = DEFAULT) -> bytes:
    """All bytes of one job, in the order of its lines; a QR too wide for the paper is made of smaller dots.

    Raises ValueError when not even its smallest fits.
    """
    return INIT + b"".join(_line(line, slip.columns, profile) for line in slip.lines)


def drawer_pulse(profile: Profile) -> bytes:
    """What opens the drawer at this printer's socket: 50 ms on, half a second off."""
    return DRAWER + bytes([DRAWER_PINS[profile.drawer], 25, 250])


def _line(line: Line, columns: int, profile: Profile) -> bytes:
    match line:
        case Text():
            return _text(line, columns, profile)
        case Rule():
            return _text(Text(line.mark * columns), columns, profile)
        case Qr():
            return _qr(line, columns * COLUMN_DOTS, profile.qr)
        case Feed():
            return FEED_LINES + bytes([min(max(line.lines, 0), 255)])
        case Cut():
            return CUT + FEED_AND_CUT if profile.cutter else FEED_LINES + bytes([profile.tear_lines])


def _text(line: Text, columns: int, profile: Profile) -> bytes:
    if profile.text == "drawn" or not all(map(_is_in_font, line.text.translate(LOOKS_LIKE))):
        return _drawn_text(line, columns * COLUMN_DOTS)
    style = ALIGN + bytes([ALIGNMENTS[line.align]]) + BOLD + bytes([line.bold])
    size = SIZE + bytes([(line.size - 1) * 0x11])
    return style + size + HANZI_ON + gb_bytes(line.text) + HANZI_OFF + LINE_FEED


def _drawn_text(line: Text, dots: int) -> bytes:
    from plumbing.paper.lettering import dots_of, line_picture  # most slips do without

    text = "".join("?" if _is_control(letter) else letter for letter in line.text)
    width, rows = dots_of(line_picture(text, dots, ALIGNMENTS[line.align], size=line.size, bold=line.bold))
    return ALIGN + b"\0" + RASTER + _size(width, len(rows) // width) + rows


def _size(width: int, height: int) -> bytes:
    return b"\0" + width.to_bytes(2, "little") + height.to_bytes(2, "little")


def _is_in_font(letter: str) -> bool:
    return len(letter.encode("gb18030", "replace")) <= 2


def _is_control(letter: str) -> bool:
    return letter < " " or letter == "\x7f"


def gb_bytes(text: str) -> bytes:
    """*text* in the one- and two-byte part of GB18030; nothing in it can be taken for a printer command."""
    return b"".join(map(_letter, text.translate(LOOKS_LIKE)))


def _letter(letter: str) -> bytes:
    if _is_control(letter):
        return b"?"
    code = letter.encode("gb18030", "replace")
    return code if len(code) <= 2 else UNPRINTABLE.encode("gb18030")


def _qr(line: Qr, paper_dots: int, how: str) -> bytes:
    if how == "native":
        plain = all(letter in ALPHANUMERIC for letter in line.text)
        return _native_qr(line.text, _dots(line, _modules(len(line.text.encode()), plain), paper_dots))
    code = segno.make_qr(line.text, error="m", boost_error=False)
    dots = _dots(line, len(code.matrix), paper_dots)
    side = (len(code.matrix) + 2 * QUIET_MODULES) * dots
    right = (paper_dots + 7) // 8 * 8 - (paper_dots - side) // 2 - side
    width = (paper_dots + 7) // 8
    white = bytes(width) * (QUIET_MODULES * dots)
    black = b"".join(_row(row, dots, right + QUIET_MODULES * dots, width) * dots for row in code.matrix)
    return ALIGN + b"\0" + RASTER + _size(width, side) + white + black + white


@lru_cache(64)
def _modules(length: int, plain: bool) -> int:
    """Of the side of a symbol for a text so long; vouchers are all of one length."""
    return len(segno.make_qr(("A" if plain else "a") * length, error="m", boost_error=False).matrix)


def _dots(line: Qr, modules: int, paper_dots: int) -> int:
    dots = min(line.dots, paper_dots // (modules + 2 * QUIET_MODULES))
    if dots < 1:
        raise ValueError(f"a QR for {len(line.text)} characters is wider than the paper ({paper_dots} dots)")
    return dots


def _row(modules: bytearray, dots: int, right: int, width: int) -> bytes:
    """One row of *modules*, each so many *dots* wide, *right* dots before the paper's end; first dot, highest place."""
    value, black = 0, (1 << dots) - 1
    for module in modules:
        value = value << dots | (black if module else 0)
    return (value << right).to_bytes(width, "big")


def _native_qr(text: str, dots: int) -> bytes:
    data = text.encode("utf-8")
    steps = (
        b"1A2\0",  # model 2
        b"1C" + bytes([min(dots, 16)]),
        b"1E1",  # level M
        b"1P0" + data,
        b"1Q0",
    )
    symbol = b"".join(SYMBOL + len(step).to_bytes(2, "little") + step for step in steps)
    return ALIGN + b"\1" + symbol + ALIGN + b"\0"
