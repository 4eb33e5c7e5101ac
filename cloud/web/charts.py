"""Bars for a picture the server draws as SVG: geometry only, the template writes it and the style sheet colours it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDE, ROW, GAP, LABELS, WORDS = 640, 28, 10, 150, 110
TALL, FOOT, HEAD = 220, 24, 20
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Value:
    """What one bar stands for, and how it is written."""

    label: str
    amount: int
    words: str


@dataclass(frozen=True, slots=True)
class At:
    """Where a text stands."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar and where its two texts stand; None where there is no room for one."""

    value: Value
    x: float
    y: float
    width: float
    height: float
    label: At | None
    words: At | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in a box; *anchor* is how labels hang at their place, *coloured*: each bar has a colour of its own."""

    width: int
    height: int
    bars: Sequence[Bar]
    anchor: str
    coloured: bool = False


def lying(values: Sequence[Value], *, coloured: bool = False) -> Chart:
    """Bars from left to right under each other, as long as their amounts; the longest fills the box."""
    most = max((value.amount for value in values), default=0)
    room = WIDE - LABELS - WORDS
    bars = []
    for place, value in enumerate(values):
        y, long = place * (ROW + GAP), round(room * value.amount / most, 1) if most else 0.0
        text = At(LABELS - 10, y + ROW * 0.68), At(LABELS + long + 8, y + ROW * 0.68)
        bars.append(Bar(value, LABELS, y, max(long, 1.0), ROW, *text))
    return Chart(WIDE, max(1, len(values)) * (ROW + GAP) - GAP, bars, "end", coloured)


def standing(values: Sequence[Value]) -> Chart:
    """Bars beside each other, as high as their amounts; some labels are left out where there are many."""
    most = max((value.amount for value in values), default=0)
    step = 2 * WIDE / max(1, len(values))
    every = -(-len(values) // MOST_LABELS) if values else 1
    bars = []
    for place, value in enumerate(values):
        high = round((TALL - FOOT - HEAD) * value.amount / most, 1) if most else 0.0
        x, y = round(place * step + step * 0.15, 1), TALL - FOOT - max(high, 1.0)
        label = At(round(place * step + step / 2, 1), TALL - 6) if place % every == 0 else None
        bars.append(Bar(value, x, y, round(step * 0.7, 1), max(high, 1.0), label, None))
    return Chart(2 * WIDE, TALL, bars, "middle")
