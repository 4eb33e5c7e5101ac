"""A page as it would stand on a board, drawn lamp by lamp, so that texts can be looked at before a driver does."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from drivers.display.olm import BoardShape
from drivers.display.olm_codec import Line, text_bytes
from plumbing.fonts import drawable, font

DOTS = 16  # of a line's height; a hanzi is as wide, a letter half
LAMP = 5  # pixels a lamp takes
DARK = (28, 28, 28)


def draw(lines: Sequence[str], shape: BoardShape) -> bytes:
    """PNG of the board showing *lines*; of a line that moves the part seen first."""
    width = shape.columns * DOTS // 2
    picture = Image.new("RGB", (width * LAMP, shape.lines * DOTS * LAMP), "black")
    pen = ImageDraw.Draw(picture)
    for line in shape.page(lines):
        _draw_line(pen, line, width)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _draw_line(pen: ImageDraw.ImageDraw, line: Line, width: int) -> None:
    mask = Image.new("1", (width, DOTS))
    ink, at, letters = ImageDraw.Draw(mask), 0, font(DOTS + 1)
    for letter in drawable(line.text):
        ink.text((at, 0), letter, fill=1, font=letters)
        at += DOTS // 2 * len(text_bytes(letter))
    top = line.place * DOTS
    for y in range(DOTS):
        for x in range(width):
            left, upper = x * LAMP, (top + y) * LAMP
            lit = line.colour if mask.getpixel((x, y)) else DARK
            pen.ellipse((left, upper, left + LAMP - 2, upper + LAMP - 2), fill=lit)
