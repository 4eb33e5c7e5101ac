"""Other characters in the cells of real plates: same metal, light and camera, but every province.

Nearly all photographs that may be trained on come from one city. A real plate is explained as *ground + glyphs x ink*,
blurred; with its text known, the best blur, stroke weight and place of each glyph are searched, ground and ink solved
by least squares. Then any cell can be written again with another character in the same ink and the same blur.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.plate import PlateColour
from training.data import Corners, Pixels
from training.plates.draw import PIXELS_PER_MM
from training.plates.glyphs import cut_out, glyph
from training.plates.layouts import Layout, layout_of
from training.plates.texts import PlateSpec, Rng, random_plate
from training.plates.wear import Snapshot

Plane = NDArray[np.float32]

MARGIN: Final = 14  # pixels kept around the rectified plate
REACH: Final = 4  # pixels around a cell that belong to its character
SHIFT: Final = 5  # pixels a glyph may stand from its nominal place
ROUGH_LOOKS: Final = ((0.8, -1), (2.0, -1))
FINE_LOOKS: Final = tuple((blur, weight) for blur in (0.5, 0.8, 1.1, 1.5, 2.0, 2.6) for weight in (-2, -1, 0))
"""Blurs (pixels) and stroke weights tried."""
LEAST_LIKENESS: Final = 0.72
INKY: Final = 30.0  # levels nearer to ink than the ground is: then it is not bare ground
INK_CHANNEL: Final = {PlateColour.BLUE: (2, 1), PlateColour.GREEN: (1, -1)}
"""Where ink stands out most: (BGR channel, sign of ink against ground)."""


@dataclass(frozen=True, slots=True)
class Written:
    """One character as explained. *left*, *top*: of its glyph; *ink*: BGR; *ground*: the cell's bare ground."""

    left: int
    top: int
    width: int
    height: int
    ink: Plane
    ground: Plane  # of the cell and REACH around it
    rest: Plane  # what neither ground nor ink explains: grain and dirt


@dataclass(frozen=True, slots=True)
class RealPlate:
    """A real plate seen straight on, with MARGIN pixels around, every character explained."""

    image: Pixels
    spec: PlateSpec
    cells: tuple[Written, ...]
    blur: float
    weight: int


def explain(pixels: Pixels, corners: Corners, spec: PlateSpec) -> RealPlate | None:
    """The plate *spec* (its true text) at *corners*, or None when the glyphs do not explain what is seen."""
    if spec.colour not in INK_CHANNEL or spec.rows != 1:
        return None
    layout = layout_of(spec)
    for looks in (ROUGH_LOOKS, FINE_LOOKS):  # the second has the corners mended by the first
        image = _straight(pixels, corners, layout)
        blur, weight, places, likeness = _fit(_ink_map(image, spec.colour), spec, layout, looks)
        if likeness < 0.5:
            return None
        corners = _mended(corners, places, layout)
    if likeness < LEAST_LIKENESS:
        return None
    rng = np.random.default_rng(len(spec.text))
    cells = [
        _solve(image, glyph(cell.family, char, *_size(cell.width, cell.height), weight), place, blur, rng)
        for char, cell, place in zip(spec.text, layout.cells, places, strict=True)
    ]
    return RealPlate(image, spec, tuple(_inked(cells)), blur, weight)


def _inked(cells: list[Written]) -> Iterator[Written]:
    """*cells* with steadier inks: the first, whose thin Chinese strokes hide it, takes that of the others."""
    usual = np.median([cell.ink for cell in cells[1:]], axis=0).astype(np.float32)
    for place, cell in enumerate(cells):
        yield replace(cell, ink=usual if place == 0 else (cell.ink + usual) / 2)


def swap(plate: RealPlate, rng: Rng) -> Snapshot:
    """*plate* with another province and some other characters; its ground, light, dirt and sharpness stay."""
    wanted = random_plate(rng, plate.spec.form).text
    image = plate.image.astype(np.float32)
    share = rng.choice((0.15, 0.5, 1.0))
    text = ""
    for place, (old, new) in enumerate(zip(plate.spec.text, wanted, strict=True)):
        is_swapped = (place == 0 or rng.random() < share) and old != new
        text += new if is_swapped else old
        if is_swapped:
            _write(image, new, place, plate, rng)
    height, width = image.shape[:2]
    right, bottom = width - MARGIN, height - MARGIN
    corners = np.array([(MARGIN, MARGIN), (right, MARGIN), (right, bottom), (MARGIN, bottom)], np.float32)
    spec = PlateSpec(text, plate.spec.form, plate.spec.colour)
    return Snapshot(np.clip(image, 0, 255).astype(np.uint8), corners, spec, is_crop=False)


def _size(width: float, height: float) -> tuple[int, int]:
    return round(width * PIXELS_PER_MM), round(height * PIXELS_PER_MM)


def _straight(pixels: Pixels, corners: Corners, layout: Layout) -> Pixels:
    width, height = _size(layout.width, layout.height)
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) + MARGIN
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), flat)
    size = (width + 2 * MARGIN, height + 2 * MARGIN)
    return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(
        np.uint8, copy=False
    )


def _ink_map(image: Pixels, colour: PlateColour) -> Plane:
    """How much of ink each pixel is: light differences over the plate taken out."""
    channel, sign = INK_CHANNEL[colour]
    values = image[..., channel].astype(np.float32) * sign
    return values - cv2.blur(values, (61, 61))


def _fit(
    ink: Plane, spec: PlateSpec, layout: Layout, looks: tuple[tuple[float, int], ...]
) -> tuple[float, int, list[tuple[int, int]], float]:
    """Blur, weight, top left of each glyph, and the mean correlation (-1..1) of the best explanation."""
    best: tuple[float, int, list[tuple[int, int]], float] = (1.0, 0, [], -1.0)
    for blur, weight in looks:
        places, likeness = _places(ink, spec, layout, weight, blur)
        if likeness > best[3]:
            best = (blur, weight, places, likeness)
    return best


def _places(
    ink: Plane, spec: PlateSpec, layout: Layout, weight: int, blur: float
) -> tuple[list[tuple[int, int]], float]:
    places, total = [], 0.0
    for char, cell in zip(spec.text, layout.cells, strict=True):
        template = _soft(glyph(cell.family, char, *_size(cell.width, cell.height), weight), blur, 2)
        left = round(cell.x * PIXELS_PER_MM) + MARGIN - 2 - SHIFT
        top = round(cell.y * PIXELS_PER_MM) + MARGIN - 2 - SHIFT
        window = ink[top : top + template.shape[0] + 2 * SHIFT, left : left + template.shape[1] + 2 * SHIFT]
        _, likeness, _, (dx, dy) = cv2.minMaxLoc(cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED))
        places.append((left + dx + 2, top + dy + 2))
        total += likeness
    return places, total / len(places)


def _mended(corners: Corners, places: list[tuple[int, int]], layout: Layout) -> Corners:
    """*corners* moved so that the glyphs come to stand at their nominal places, as far as one affine map can."""
    nominal = np.array([_size(cell.x, cell.y) for cell in layout.cells], np.float32)
    found = np.array(places, np.float32) - MARGIN
    dx = np.polyfit(nominal[:, 0], found[:, 0] - nominal[:, 0], 1)
    dy = np.polyfit(nominal[:, 0], found[:, 1] - nominal[:, 1], 1)
    width, height = _size(layout.width, layout.height)
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = flat + np.stack([np.polyval(dx, flat[:, 0]), np.polyval(dy, flat[:, 0])], axis=1).astype(np.float32)
    back = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    return cv2.perspectiveTransform(moved[None].astype(np.float32), back)[0].astype(np.float32)


def _soft(mask: NDArray[np.uint8], blur: float, reach: int) -> Plane:
    """*mask* as 0..1 with *reach* pixels around, blurred as the camera did."""
    wide = cv2.copyMakeBorder(mask, reach, reach, reach, reach, cv2.BORDER_CONSTANT).astype(np.float32) / 255
    return cv2.GaussianBlur(wide, (0, 0), blur).astype(np.float32, copy=False)


def _solve(image: Pixels, mask: NDArray[np.uint8], place: tuple[int, int], blur: float, rng: Rng) -> Written:
    """Ground (a surface of second order) and ink of one cell by least squares over its pixels."""
    share = _soft(mask, blur, REACH)
    height, width = share.shape
    left, top = place[0] - REACH, place[1] - REACH
    seen = image[top : top + height, left : left + width].reshape(-1, 3).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    surface = np.stack([np.ones_like(x), x, y, y * y], axis=-1).reshape(-1, 4)
    bare = 1 - share.reshape(-1, 1)
    system = np.hstack([surface * bare, share.reshape(-1, 1)])
    solution = np.linalg.lstsq(system, seen, rcond=None)[0]
    for _ in range(2):  # strokes that stand elsewhere than the glyph's must not tint the ground
        towards_ink = solution[4] - solution[0]
        miss = (seen - system @ solution) @ (towards_ink / (np.linalg.norm(towards_ink) + 1))
        trust = (1 / (1 + (np.clip(miss, 0, None) / INKY) ** 2))[:, None] ** bare
        solution = np.linalg.lstsq(system * trust, seen * trust, rcond=None)[0]
    ground = (surface @ solution[:4]).reshape(height, width, 3)
    rest = (seen - system @ solution).reshape(height, width, 3)
    ink = np.clip(solution[4], 0, 255).astype(np.float32)
    return Written(place[0], place[1], mask.shape[1], mask.shape[0], ink, ground, _grain(rest, share, rng))


def _grain(rest: Plane, share: Plane, rng: Rng) -> Plane:
    """What is left where bare ground was seen; new grain of the same strength where a character stood."""
    hidden = (cv2.dilate(share, np.ones((5, 5), np.uint8)) > 0.05)[..., None]
    bare = rest[~hidden[..., 0]]
    level = min(5.0, 1.5 * float(np.median(np.abs(bare)))) if bare.size > 60 else 2.0
    grain = cv2.GaussianBlur(rng.normal(0, level, rest.shape).astype(np.float32), (0, 0), 0.9) * 2
    return np.where(hidden, grain, np.clip(rest, -4 * level, 4 * level)).astype(np.float32)


def _write(image: Plane, char: str, place: int, plate: RealPlate, rng: Rng) -> None:
    """Put *char* into the cell at *place*, in the plate's ink and blur."""
    cell = plate.cells[place]
    family = "green" if plate.spec.colour is PlateColour.GREEN else "140"
    mask = cut_out(char, cell.width, cell.height, rng) if rng.random() < 0.12 else None
    if mask is None:
        weight = plate.weight + int(rng.choice((-1, 0, 0, 0, 1)))
        mask = glyph(family, char, cell.width, cell.height, max(-3, weight))
    share = _soft(mask, max(0.4, plate.blur * float(np.exp(rng.normal(0, 0.15)))), REACH)[..., None]
    new = cell.ground * (1 - share) + cell.ink * share + cell.rest
    window = image[cell.top - REACH :, cell.left - REACH :][: new.shape[0], : new.shape[1]]
    edge = _edge(new.shape[0], new.shape[1])
    window[:] = window * (1 - edge) + new * edge


@cache
def _edge(height: int, width: int) -> Plane:
    """1 inside, falling off over the outermost two pixels, so that no seam shows."""
    inside = np.pad(np.ones((height - 2, width - 2), np.float32), 1)
    return cv2.blur(inside, (3, 3))[..., None]
