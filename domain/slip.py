"""Printed slips as values: lines of a fixed number of half-width columns. Printers turn them into bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

_TOKENS: Final = re.compile(r"\s+|(?:[!-~]+|\S)[，。！？：；、）》】]*")  # closing marks never start a line


class Paper(IntEnum):
    """Half-width columns of a paper width (font A, 12 dots a column)."""

    MM58 = 32
    MM80 = 48


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Text:
    """One printed line that fits the paper. *size* magnifies both ways, 1 to 4."""

    text: str
    align: Align = Align.LEFT
    size: int = 1
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper, made of *mark* (one half-width character)."""

    mark: str = "-"


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR symbol, centred, level M, modules of at least *dots* printer dots, four of them left white around it."""

    text: str
    dots: int = 4


@dataclass(frozen=True, slots=True)
class Feed:
    """White space of *lines* text lines."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Feed the paper past the knife and cut it."""


Line: TypeAlias = Text | Rule | Qr | Feed | Cut


@dataclass(frozen=True, slots=True)
class Slip:
    """What one job prints, top to bottom. Raises ValueError if a text is wider than the paper."""

    columns: int
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        for line in self.lines:
            if isinstance(line, Text) and width(line.text) * line.size > self.columns:
                raise ValueError(f"wider than {self.columns} columns: {line.text!r}")


def width(text: str) -> int:
    """Half-width columns *text* takes on a GB18030 printer: one for a one-byte character, two for any other."""
    return sum(1 if letter < "\x80" else 2 for letter in text)


def wrap(text: str, columns: int) -> tuple[str, ...]:
    """*text* broken into lines of at most *columns*: between hanzi, between words, inside only what fits nowhere."""
    lines = [""]
    for piece in _pieces(text, columns):
        if "\n" in piece:
            lines.extend([""] * piece.count("\n"))
        elif width(lines[-1] + piece) <= columns:
            lines[-1] += "" if piece.isspace() and not lines[-1] else piece
        else:
            lines[-1] = lines[-1].rstrip()
            lines.append(piece.lstrip())
    return tuple(line.rstrip() for line in lines)


def _pieces(text: str, columns: int) -> Iterator[str]:
    for token in _TOKENS.findall(text):
        if width(token) <= columns:
            yield token
        else:
            yield from token


def shorten(text: str, columns: int) -> str:
    """*text* cut to *columns*, with ``..`` at the end if anything was left out."""
    if width(text) <= columns:
        return text
    kept = ""
    for letter in text:
        if width(kept + letter) > columns - 2:
            break
        kept += letter
    return kept + ".."


def aligned(line: Text, columns: int) -> str:
    """*line* with the spaces in front that put it in its place on a printer that cannot align by itself."""
    spare = columns // line.size - width(line.text)
    match line.align:
        case Align.CENTRE:
            return " " * (spare // 2) + line.text
        case Align.RIGHT:
            return " " * spare + line.text
        case _:
            return line.text


def paragraph(
    text: str, columns: int, *, align: Align = Align.LEFT, size: int = 1, bold: bool = False
) -> tuple[Text, ...]:
    """*text* as as many lines as it needs at that size."""
    return tuple(Text(line, align, size, bold) for line in wrap(text, columns // size))


def pair(label: str, value: str, columns: int, *, size: int = 1, bold: bool = False) -> tuple[Text, ...]:
    """*label* at the left edge and *value* at the right; on two lines where one is too short for both."""
    gap = columns // size - width(label) - width(value)
    if gap >= 1:
        return (Text(label + " " * gap + value, size=size, bold=bold),)
    return (
        *paragraph(label, columns, size=size, bold=bold),
        *paragraph(value, columns, align=Align.RIGHT, size=size, bold=bold),
    )
