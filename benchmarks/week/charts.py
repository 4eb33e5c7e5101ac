"""Charts as SVG text: a few kinds, drawn to be read in light and in dark, with their figures written beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDE, LEFT, RIGHT, TOP, BOTTOM = 960, 64, 16, 14, 34


@dataclass(frozen=True, slots=True)
class Area:
    """Where a chart's values go: x from 0 to *across*, y from 0 to *up*."""

    across: float
    up: float
    high: int = 240

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDE - LEFT - RIGHT) * value / self.across

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return TOP + (self.high - TOP - BOTTOM) * (1 - value / self.up)


def svg(high: int, label: str, parts: Sequence[str]) -> str:
    """The picture, scaled to the page."""
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDE} {high}" role="img" aria-label="{escape(label)}">{body}</svg>'


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    """Words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'


def rect(kind: str, x: float, y: float, wide: float, high: float) -> str:
    """A bar or a span."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(0.0, high):.1f}"/>'


def nice(top: float) -> float:
    """A round figure at or above *top*, for the end of an axis."""
    for power in range(9):
        for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
            if (end := step * 10.0**power) >= top:
                return float(end)
    return top


def grid(area: Area, unit: str = "") -> list[str]:
    """Four lines across, each with its figure."""
    lines = []
    for part in range(5):
        value = area.up * part / 4
        y = area.y(value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(text(LEFT - 8, y + 4, f"{value:,.0f}{unit}", "small", "end"))
    return lines


def days_below(area: Area, names: Sequence[str], day: float) -> list[str]:
    """The names of the days under a time axis, with a line where each begins."""
    parts = []
    for number, name in enumerate(names):
        x = area.x(number * day)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{area.high - BOTTOM}"/>')
        parts.append(text(area.x(min((number + 0.5) * day, area.across)), area.high - 12, name, "small", "middle"))
    return parts


def line_chart(label: str, series: Mapping[str, Sequence[tuple[float, float]]], days: Sequence[str], day: float) -> str:
    """Several courses over the days, each named by its class; the first is filled."""
    every = [point for points in series.values() for point in points]
    area = Area(len(days) * day, nice(max((y for _, y in every), default=1) or 1))
    parts = grid(area) + days_below(area, days, day)
    for number, (kind, points) in enumerate(series.items()):
        path = " ".join(
            f"{'L' if place else 'M'}{area.x(x):.1f},{area.y(y):.1f}" for place, (x, y) in enumerate(points)
        )
        if not number and points:
            down, back = area.x(points[-1][0]), area.x(points[0][0])
            parts.append(f'<path class="{kind} fill" d="{path} L{down:.1f},{area.y(0)} L{back:.1f},{area.y(0)} Z"/>')
        parts.append(f'<path class="{kind} line" d="{path}"/>')
    return svg(area.high, label, parts)


def stacked_bars(label: str, bars: Sequence[tuple[str, Mapping[str, float]]], unit: str = "") -> str:
    """One bar a name, its parts one over the other by class; the sum stands above."""
    top = nice(max((sum(parts.values()) for _, parts in bars), default=1) or 1)
    area = Area(max(1, len(bars)), top)
    drawn = grid(area, unit)
    for place, (name, parts) in enumerate(bars):
        left, right, height = area.x(place + 0.2), area.x(place + 0.8), 0.0
        for kind, value in parts.items():
            upper, lower = area.y(height + value), area.y(height)
            drawn.append(rect(kind, left, upper, right - left, lower - upper))
            height += value
        drawn.append(text((left + right) / 2, area.y(height) - 5, f"{height:,.0f}{unit}", "small", "middle"))
        drawn.append(text((left + right) / 2, area.high - 12, name, "small", "middle"))
    return svg(area.high, label, drawn)


def strips(
    label: str, rows: Sequence[tuple[str, Sequence[tuple[float, float, str]], str]], days: Sequence[str], day: float
) -> str:
    """One strip a row over the days: spans by class on a band of what is well, a figure at the end of the row."""
    tall, space = 22, 150
    high = TOP + tall * len(rows) + BOTTOM
    across = len(days) * day

    def x(value: float) -> float:
        return space + (WIDE - space - 90) * min(value, across) / across

    parts = []
    for place, (name, spans, said) in enumerate(rows):
        y = TOP + place * tall
        parts.append(text(space - 8, y + 14, name, "small", "end"))
        parts.append(rect("well", space, y + 3, x(across) - space, tall - 8))
        for begins, ends, kind in spans:
            parts.append(rect(kind, x(begins), y + 3, max(2.5, x(ends) - x(begins)), tall - 8))
        parts.append(text(WIDE - 4, y + 14, said, "small", "end"))
    for number, name in enumerate(days):
        parts.append(text((x(number * day) + x((number + 1) * day)) / 2, high - 12, name, "small", "middle"))
    return svg(high, label, parts)
