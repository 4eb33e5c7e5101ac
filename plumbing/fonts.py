"""Fonts of the system with hanzi, for pictures with text in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

FONTS = {  # Debian: fonts-wqy-zenhei, fonts-noto-cjk, fonts-wqy-microhei; without one, hanzi are drawn as boxes
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc": 1,  # which face of the file has Latin letters of half a hanzi
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": 7,
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc": 1,
}


@cache
def hanzi_file() -> str | None:
    """The first font with hanzi that is installed."""
    return next((path for path in FONTS if Path(path).exists()), None)


@cache
def font(size: int, *, even: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font with hanzi of about *size* dots, or the drawing library's own where none is installed.

    *even*: every Latin letter is half as wide as a hanzi, as on a printer.
    """
    file = hanzi_file()
    if file is None:
        return ImageFont.load_default(size - 4)
    return ImageFont.truetype(file, size - 2, index=FONTS[file] if even else 0)


def drawable(text: str) -> str:
    """*text* as it can be drawn here: hanzi by their code points where no font has them."""
    if hanzi_file():
        return text
    return "".join(letter if letter < "\x80" else f"<{ord(letter):X}>" for letter in text)
