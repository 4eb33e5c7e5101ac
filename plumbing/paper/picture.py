"""A printed slip as a picture, drawn from the printer's own bytes, so that people can look at what came out."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime

import segno
from PIL import Image, ImageDraw

from domain.slip_faces import Language
from domain.slip_layouts import Layout, lay_out
from domain.slip_samples import SAMPLES
from plumbing.paper.commands import (
    ALIGN,
    BOLD,
    CUT,
    FEED_LINES,
    INIT,
    LINE_FEED,
    RASTER,
    SIZE,
    SYMBOL,
    BadBytesError,
    Command,
    split,
)
from plumbing.paper.encode import encode
from plumbing.paper.length import KNIFE, LINE
from plumbing.paper.lettering import COLUMN, blank, line_picture
from plumbing.paper.profile import Profile

MARGIN = 16  # dots of the paper's white edge


@dataclass(slots=True)
class _Paper:
    """The paper so far and how the next text looks."""

    dots: int
    pieces: list[Image.Image] = field(default_factory=list)
    line: bytes = b""
    align: int = 0
    bold: bool = False
    size: int = 1
    symbol: bytes = b""
    module: int = 4

    def reset(self) -> None:
        self.align, self.bold, self.size = 0, False, 1


def sample(layout: Layout, profile: Profile, lot: str, at: datetime, language: Language) -> bytes:
    """PNG of a sample slip of *lot*, drawn from the bytes a printer of that profile gets."""
    face = SAMPLES[layout.name](lot, at, profile.width, language)
    return render(encode(lay_out(face, layout, profile.width, language), profile), profile.width)


def render(data: bytes, columns: int = 32) -> bytes:
    """PNG of what *data* prints on paper of *columns*. Raises BadBytesError on a command we never send."""
    commands, rest = split(data)
    if rest:
        raise BadBytesError("printer data ends inside a command")
    paper = _Paper(columns * COLUMN)
    for command in commands:
        _draw(paper, command)
    return _png(paper)


def _draw(paper: _Paper, command: Command) -> None:
    match command.name:
        case b"":
            paper.line += command.data
        case x if x == INIT:
            paper.reset()
        case x if x == ALIGN:
            paper.align = command.data[0] % 48
        case x if x == BOLD:
            paper.bold = bool(command.data[0] & 1)
        case x if x == SIZE:
            paper.size = (command.data[0] & 0x0F) + 1
        case x if x == LINE_FEED:
            _end_line(paper)
        case x if x == FEED_LINES:
            paper.pieces.append(blank(paper.dots, LINE * command.data[0]))
        case x if x == RASTER:
            paper.pieces.append(_raster(command.data, paper.dots))
        case x if x == SYMBOL:
            _symbol(paper, command.data[2:])
        case x if x == CUT:
            paper.pieces.append(_knife(paper.dots))


def _end_line(paper: _Paper) -> None:
    cells = paper.line.decode("gb18030", "replace")
    paper.line = b""
    paper.pieces.append(line_picture(cells, paper.dots, paper.align, size=paper.size, bold=paper.bold))


def _raster(data: bytes, dots: int) -> Image.Image:
    width, height = data[1] + data[2] * 256, data[3] + data[4] * 256
    inverted = bytes(byte ^ 0xFF for byte in data[5:])
    picture = Image.frombytes("1", (width * 8, height), inverted).convert("L")
    return picture.crop((0, 0, dots, height))


def _symbol(paper: _Paper, step: bytes) -> None:
    if step[:2] == b"1C":
        paper.module = step[2]
    elif step[:2] == b"1P":
        paper.symbol = step[3:]
    elif step[:2] == b"1Q":
        rows = list(segno.make_qr(paper.symbol, error="m", boost_error=False).matrix_iter(paper.module, border=4))
        picture = Image.new("L", (len(rows), len(rows)), 255)
        picture.putdata([0 if dot else 255 for row in rows for dot in row])
        strip = blank(paper.dots, len(rows))
        strip.paste(picture, ((paper.dots - len(rows)) // 2 if paper.align == 1 else 0, 0))
        paper.pieces.append(strip)


def _knife(dots: int) -> Image.Image:
    strip = blank(dots, KNIFE)
    draw = ImageDraw.Draw(strip)
    for left in range(0, dots, 12):
        draw.line((left, LINE, left + 5, LINE), fill=160)
    return strip


def _png(paper: _Paper) -> bytes:
    height = sum(piece.height for piece in paper.pieces)
    sheet = blank(paper.dots + 2 * MARGIN, height + 2 * MARGIN)
    top = MARGIN
    for piece in paper.pieces:
        sheet.paste(piece, (MARGIN, top))
        top += piece.height
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
