"""A lot's own lines on its slips: data of the lot file, put where they cannot hide what must stand there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.slip import Align, Cut, Feed, Line, Qr, Slip, paragraph
from domain.slip_samples import LAYOUTS

MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class OwnLines:
    """*head* stands above everything, *foot* below what the slip says and above its QR. *slip* names the layout."""

    slip: str
    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.slip not in LAYOUTS:
            raise ValueError(f"no slip {self.slip!r}; there are {', '.join(LAYOUTS)}")
        if max(len(self.head), len(self.foot)) > MOST_LINES:
            raise ValueError(f"at most {MOST_LINES} lines go above or below a slip")


def dressed(slip: Slip, layout: str, own: Iterable[OwnLines]) -> Slip:
    """*slip* with the lot's own lines for *layout*. A QR stays the last thing before the cut (I13)."""
    lines = slip.lines
    for one in own:
        if one.slip == layout:
            end = _end_of_words(lines)
            lines = (*_said(one.head, slip), *lines[:end], *_said(one.foot, slip), *lines[end:])
    return Slip(slip.columns, lines)


def _end_of_words(lines: Sequence[Line]) -> int:
    """Where the words end: what follows is white, a QR or the cut."""
    end = len(lines)
    while end and isinstance(lines[end - 1], Qr | Cut | Feed):
        end -= 1
    return end


def _said(texts: Iterable[str], slip: Slip) -> tuple[Line, ...]:
    return tuple(line for text in texts for line in paragraph(text, slip.columns, align=Align.CENTRE))
