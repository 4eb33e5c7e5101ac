"""The reliability diagram as SVG: of the plates read with a probability, how many were right."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0)
SIDE: Final = 360
LEFT: Final = 60
TOP: Final = 20
Z: Final = 1.96  # 95 % intervals


def wilson(right: int, count: int) -> tuple[float, float]:
    """Bounds of the share right (Wilson 1927), good for few plates and shares near one."""
    share, spread = right / count, Z * Z / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def diagram(probability: NDArray[np.float64], is_right: NDArray[np.bool_]) -> str:
    """An SVG with a point for every bin of EDGES, its 95 % interval, and how many plates are in it."""
    parts = [_frame()]
    for low, high in pairwise(EDGES):
        inside = (probability >= low) & ((probability < high) | (high == 1.0))
        if count := int(inside.sum()):
            right = int(is_right[inside].sum())
            parts.append(_point(float(probability[inside].mean()), right, count))
    return "\n".join([*parts, "</svg>\n"])


def _x(value: float) -> float:
    return round(LEFT + SIDE * value, 1)


def _y(value: float) -> float:
    return round(TOP + SIDE * (1 - value), 1)


def _point(said: float, right: int, count: int) -> str:
    low, high = wilson(right, count)
    x, y = _x(said), _y(right / count)
    place = f'x="{x + 8}" text-anchor="start"' if said > EDGES[-2] else f'x="{x - 6}" text-anchor="end"'
    return (
        f'<line x1="{x}" y1="{_y(low)}" x2="{x}" y2="{_y(high)}" stroke="#1f6feb" stroke-width="2"/>'
        f'<circle cx="{x}" cy="{y}" r="4" fill="#1f6feb"><title>{right} of {count}</title></circle>'
        f'<text {place} y="{y + 14}">{right}/{count}</text>'
    )


def _frame() -> str:
    width, height = LEFT + SIDE + 70, TOP + SIDE + 60
    ticks = "".join(
        f'<text x="{_x(tick / 5)}" y="{TOP + SIDE + 18}" text-anchor="middle">{tick * 20} %</text>'
        f'<text x="{LEFT - 8}" y="{_y(tick / 5) + 4}" text-anchor="end">{tick * 20} %</text>'
        for tick in range(6)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#888" stroke-dasharray="4 4"/>{ticks}'
        f'<text x="{_x(0.5)}" y="{TOP + SIDE + 42}" text-anchor="middle">probability the engine gives</text>'
        f'<text transform="translate(14 {_y(0.5)}) rotate(-90)" text-anchor="middle">share read right</text>'
    )
