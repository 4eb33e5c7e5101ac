"""Bars for a picture the server draws as SVG: geometry only, the template writes it and the style sheet colours it.

Across, all is a share of the width in percent and texts keep their size, so a chart reads the same on any screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LABEL, ROW, GAP = 20, 22, 12  # pixels: a line of words, a bar, the room below it
LONGEST = 72  # percent: what is left holds the amount in words
TALL, FOOT = 200, 22
MOST_LABELS, FEW_LABELS = 12, 5  # on a wide screen, on a phone
LAST_WIDE, LAST_ANY = 93, 88  # percent: where a label may begin so that it ends in the box


@dataclass(frozen=True, slots=True)
class Value:
    """What one bar stands for, and how it is written."""

    label: str
    amount: int
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: across in percent, down in pixels. *label* is how much it matters: "" none, "wide" or "any" screen."""

    value: Value
    x: float
    y: float
    width: float
    height: float
    label: str = "any"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in a box of a *height*; *coloured*: each bar has a colour of its own. *most* is the highest, if any is."""

    height: float
    bars: Sequence[Bar]
    coloured: bool = False
    most: Value | None = None


def lying(values: Sequence[Value], *, coloured: bool = False) -> Chart:
    """Bars from left to right under their words, as long as their amounts."""
    most = max((value.amount for value in values), default=0)
    bars = []
    for place, value in enumerate(values):
        long = round(LONGEST * value.amount / most, 2) if most else 0.0
        bars.append(Bar(value, 0, place * (LABEL + ROW + GAP) + LABEL, max(long, 0.4), ROW))
    return Chart(max(1, len(values)) * (LABEL + ROW + GAP) - GAP, bars, coloured)


def standing(values: Sequence[Value]) -> Chart:
    """Bars beside each other, as high as their amounts; some labels are left out where there are many."""
    most = max(values, key=lambda value: value.amount, default=None)
    top, step = most.amount if most else 0, 100 / max(1, len(values))
    wide = _parts(len(values), MOST_LABELS)  # each how manieth has a label
    any_screen = wide * _parts(_parts(len(values), wide), FEW_LABELS)  # of these on a phone
    bars = []
    for place, value in enumerate(values):
        high = max(round((TALL - FOOT) * value.amount / top, 1) if top else 0.0, 1.0)
        x, width = round(place * step + step * 0.15, 2), round(step * 0.7, 2)
        on_any, on_wide = place % any_screen == 0 and x <= LAST_ANY, place % wide == 0 and x <= LAST_WIDE
        label = "any" if on_any else "wide" if on_wide else ""
        bars.append(Bar(value, x, TALL - FOOT - high, width, high, label))
    return Chart(TALL, bars, most=most if top else None)


def _parts(whole: int, size: int) -> int:
    """How many parts of a size a whole makes, the last perhaps smaller; one at least."""
    return max(1, -(-whole // size))
