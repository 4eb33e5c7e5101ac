"""Reads the words of drawn lines back from a picture, cell by cell: a cell holds what looks most like it.

To any interpreter a drawn line is dots. Candidates are the common hanzi of GB2312, its marks and ASCII, so a letter
that is cut, moved by a few dots, turned or doubled reads as another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain.slip import Align, Feed, Rule, Slip, Text, width
from plumbing.paper.length import LINE
from plumbing.paper.lettering import COLUMN, line_picture

Dots = NDArray[np.float32]
_ALPHABETS = {
    1: "".join(map(chr, range(0x20, 0x7F))),
    2: "".join(
        bytes([high, low]).decode("gb18030") for high in (0xA1, 0xA3, *range(0xB0, 0xD8)) for low in range(0xA1, 0xFF)
    ),
}


def read_lines(picture: Image.Image, slip: Slip) -> Iterator[str]:
    """What stands in *picture* where each text line of *slip* belongs, in letters as wide as that line's."""
    top = 0
    for line in slip.lines:
        match line:
            case Text() | Rule():
                text = line if isinstance(line, Text) else Text(line.mark * slip.columns)
                yield _read(picture, top, text)
                top += LINE * text.size
            case Feed():
                top += LINE * line.lines
            case _:
                return


def _read(picture: Image.Image, top: int, line: Text) -> str:
    cell, spare = COLUMN * line.size, picture.width - width(line.text) * COLUMN * line.size
    left = {Align.LEFT: 0, Align.CENTRE: spare // 2, Align.RIGHT: spare}[line.align]
    read = ""
    for letter in line.text:
        columns = width(letter)
        found = picture.crop((left, top, left + columns * cell, top + LINE * line.size))
        read += _most_alike(found, columns, line.size, bold=line.bold)
        left += columns * cell
    return read


def _most_alike(found: Image.Image, columns: int, size: int, *, bold: bool) -> str:
    letters, of_its_own = _letters(columns, size, bold)
    apart = of_its_own - 2 * (letters @ _ink(found))  # dots that differ, but for those of *found*, the same for all
    return _ALPHABETS[columns][int(apart.argmin())]


@cache
def _letters(columns: int, size: int, bold: bool) -> tuple[Dots, Dots]:
    wide = columns * COLUMN * size
    dots = np.stack([_ink(line_picture(one, wide, size=size, bold=bold)) for one in _ALPHABETS[columns]])
    return dots, dots.sum(axis=1)


def _ink(picture: Image.Image) -> Dots:
    return (np.asarray(picture.convert("L")) < 128).astype(np.float32).ravel()
