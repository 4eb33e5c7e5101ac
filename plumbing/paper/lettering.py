"""One line of a slip drawn as dots: for printers without the font, and for pictures of what was printed."""

from __future__ import annotations

from PIL import Image, ImageDraw

from plumbing.fonts import font
from plumbing.paper.length import LINE

COLUMN, HANZI = 12, 24  # dots of font A, of a hanzi
LEFT, CENTRE, RIGHT = 0, 1, 2
DARK = 128


def line_picture(text: str, dots: int, align: int = LEFT, *, size: int = 1, bold: bool = False) -> Image.Image:
    """Grey picture of *text* on paper *dots* wide: one column a one-byte character, two any other."""
    width = sum(_columns(letter) for letter in text) * COLUMN * size
    strip = blank(dots, LINE * size)
    left = {CENTRE: (dots - width) // 2, RIGHT: dots - width}.get(align, 0)
    draw, letters = ImageDraw.Draw(strip), font(HANZI * size, even=True)
    for letter in text:
        cell = _columns(letter) * COLUMN * size
        spare = (cell - letters.getlength(letter)) / 2
        for strike in range(1 + size * bold):  # printed again one dot further, as a printer does
            draw.text((left + spare + strike, 0), letter, fill=0, font=letters)
        left += cell
    return strip


def blank(width: int, height: int) -> Image.Image:
    """White paper."""
    return Image.new("L", (width, height), 255)


def dots_of(picture: Image.Image) -> tuple[int, bytes]:
    """Bytes a row, and the rows: a set bit is a black dot, the first dot in the highest place."""
    width = (picture.width + 7) // 8
    sheet = blank(width * 8, picture.height)
    sheet.paste(picture, (0, 0))
    black = sheet.point([0xFF] * DARK + [0] * (256 - DARK), "1")
    return width, black.tobytes()


def _columns(letter: str) -> int:
    return 1 if letter < "\x80" else 2
