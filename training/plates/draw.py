"""Draw a new, clean, flat plate: ground, frame, characters, dot, bolts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.plate import PlateColour
from training.data import Pixels
from training.plates.glyphs import cut_out, glyph
from training.plates.layouts import Cell, Layout, layout_of
from training.plates.texts import PlateSpec, Rng

PIXELS_PER_MM: Final = 0.6
Boxes = NDArray[np.float32]

# BGR of the ground and of its characters, as new in daylight
COLOURS: Final = {
    PlateColour.BLUE: ((165, 72, 12), (250, 250, 250)),
    PlateColour.YELLOW: ((20, 170, 235), (22, 22, 22)),
    PlateColour.WHITE: ((240, 240, 240), (25, 25, 25)),
    PlateColour.BLACK: ((22, 22, 22), (245, 245, 245)),
    PlateColour.GREEN: ((90, 200, 80), (20, 20, 20)),
    PlateColour.YELLOW_GREEN: ((90, 190, 70), (20, 20, 20)),
}
WHITE_ON_GREEN: Final = frozenset({"aviation", "agricultural"})
US_INKS: Final = ((110, 40, 30), (30, 60, 20), (40, 30, 140))
RED: Final = (35, 25, 205)


@dataclass(frozen=True, slots=True)
class Face:
    """A drawn plate seen straight on, edge to edge. *cells*: x y width height of each character, pixels."""

    image: Pixels
    spec: PlateSpec
    cells: Boxes


def draw(spec: PlateSpec, rng: Rng) -> Face:
    """*spec* as a new plate, about 264 x 84 pixels; colours, weight and places vary as the makers do."""
    layout = layout_of(spec)
    ground, ink = _tints(spec, rng)
    image = _ground(spec, layout, ground, rng)
    _frame(image, spec, ink, rng)
    cells = np.array([[cell.x, cell.y, cell.width, cell.height] for cell in layout.cells], np.float32)
    cells = (cells + rng.normal(0, 0.8, cells.shape).astype(np.float32)) * PIXELS_PER_MM
    weight = int(rng.choice((-2, -1, -1, 0, 0, 0, 1)))
    real_shapes = rng.choice((0, 1, len(spec.text)), p=(0.87, 0.08, 0.05))  # how many characters are cut-outs
    font = str(rng.choice(("narrow", "sans", "condensed", "mono", "140", "green")))
    first_red_only = spec.form.startswith("army") and rng.random() < 0.65
    red = RED if spec.colour is PlateColour.WHITE or rng.random() < 0.7 else ink
    for place, (char, cell, box) in enumerate(zip(spec.text, layout.cells, cells, strict=True)):
        mask = _mask(char, cell, box, weight, font, rng if place < real_shapes else None)
        is_red = cell.is_red and not (first_red_only and place == 1)
        _ink(image, mask, box, red if is_red else ink)
    _dot(image, spec, layout, ink, rng)
    _bolts(image, layout, rng)
    return Face(image, spec, cells)


def _tints(spec: PlateSpec, rng: Rng) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ground, ink = COLOURS[spec.colour]
    if spec.form in WHITE_ON_GREEN:
        ground, ink = (float(rng.uniform(50, 150)), float(rng.uniform(85, 160)), float(rng.uniform(0, 60))), (248,) * 3
    if spec.form == "us" and spec.colour is PlateColour.WHITE and rng.random() < 0.6:
        ink = US_INKS[rng.integers(len(US_INKS))]
    if spec.colour in (PlateColour.YELLOW, PlateColour.BLUE) and rng.random() < 0.4:  # bleached, or another maker's
        grey = float(np.mean(ground)) * rng.uniform(0.5, 1.3)
        ground = tuple(channel + (grey - channel) * rng.uniform(0.2, 0.6) for channel in ground)
    shift = rng.normal(0, 14, 3)
    return tuple(np.clip(np.array(ground) + shift, 0, 255)), tuple(np.clip(np.array(ink) + shift / 3, 0, 255))


def _ground(spec: PlateSpec, layout: Layout, ground: tuple[float, ...], rng: Rng) -> Pixels:
    width, height = round(layout.width * PIXELS_PER_MM), round(layout.height * PIXELS_PER_MM)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.array(ground, np.uint8)
    if spec.form == "nev_small":
        pale = np.clip(np.array(ground) + rng.uniform(60, 160), 0, 250)
        share = np.clip(np.linspace(rng.uniform(-0.3, 0.1), rng.uniform(0.8, 1.3), height), 0, 1)[:, None]
        image[:] = (pale + (np.array(ground) - pale) * share)[:, None].astype(np.uint8)
    elif spec.form == "nev_large":
        image[:, : round(width * rng.uniform(0.25, 0.28))] = (20, 175, 235)
    elif spec.is_foreign:
        _foreign_marks(image, spec.form, rng)
    return image


def _foreign_marks(image: Pixels, form: str, rng: Rng) -> None:
    """The EU's blue band, words above and below as in the Americas, a picture behind."""
    height, width = image.shape[:2]
    if form == "eu":
        if rng.random() < 0.9:
            _band(image[:, : width // 11], rng)
        return
    if form == "us" and rng.random() < 0.6:
        tint = rng.uniform(0.75, 1.0, (4, 6, 3)).astype(np.float32)
        image[:] = image * cv2.resize(tint, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    if rng.random() < 0.35:
        image[: height // 5] = (140, 60, 20)
    for line in (0.2, 0.93)[: 1 if form == "brazil" else 2]:
        _word(image, round(height * line), rng)


def _band(band: Pixels, rng: Rng) -> None:
    """Blue with a ring of stars (or a flag) above the country's letters."""
    height, width = band.shape[:2]
    band[:] = (int(rng.integers(90, 190)), int(rng.integers(40, 90)), int(rng.integers(0, 50)))
    if rng.random() < 0.8:
        middle, radius = (width // 2, height // 3), width * 0.28
        for turn in np.arange(0, 2 * np.pi, np.pi / 6):
            star = (round(middle[0] + radius * np.cos(turn)), round(middle[1] + radius * np.sin(turn)))
            cv2.circle(band, star, 1, (40, 210, 235), -1)
    letters = "".join(chr(code) for code in rng.integers(65, 91, size=int(rng.integers(1, 4))))
    left = max(1, width // 2 - 5 * len(letters))
    cv2.putText(band, letters, (left, round(height * 0.85)), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (245,) * 3, 1, cv2.LINE_AA)


def _word(image: Pixels, base: int, rng: Rng) -> None:
    height, width = image.shape[:2]
    word = "".join(chr(code) for code in rng.integers(65, 91, size=int(rng.integers(4, 14))))
    ink = tuple(rng.uniform(20, 140, 3))
    scale = height / float(rng.uniform(170, 280))
    left = max(4, (width - round(len(word) * scale * 19)) // 2)
    cv2.putText(image, word, (left, base), cv2.FONT_HERSHEY_DUPLEX, scale, ink, 1, cv2.LINE_AA)


def _frame(image: Pixels, spec: PlateSpec, ink: tuple[float, ...], rng: Rng) -> None:
    """The line round the edge, in the characters' colour; the old 1992 kinds and army plates lack it at times."""
    if rng.random() < 0.06 or (spec.is_foreign and rng.random() < 0.4):
        return
    height, width = image.shape[:2]
    inset = int(rng.integers(1, 4))
    corner = (width - 1 - inset, height - 1 - inset)
    cv2.rectangle(image, (inset, inset), corner, ink, int(rng.integers(1, 3)), cv2.LINE_AA)


def _mask(
    char: str, cell: Cell, box: NDArray[np.float32], weight: int, font: str, real: Rng | None
) -> NDArray[np.uint8]:
    width, height = max(4, round(float(box[2]))), max(6, round(float(box[3])))
    if real is not None and cell.family in ("140", "green"):
        cut = cut_out(char, width, height, real)
        if cut is not None:
            return cut
    family = font if cell.family == "foreign" else cell.family
    if family in ("narrow", "sans", "condensed", "mono") and char in "1I":
        narrow = glyph(family, char, max(4, width // (3 if char == "I" else 2)), height, weight)
        spare = width - narrow.shape[1]
        return np.pad(narrow, ((0, 0), (spare // 2, spare - spare // 2)))
    return glyph(family, char, width, height, weight)


def _ink(image: Pixels, mask: NDArray[np.uint8], box: NDArray[np.float32], ink: tuple[float, ...]) -> None:
    left, top = max(0, round(float(box[0]))), max(0, round(float(box[1])))
    place = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    share = mask[: place.shape[0], : place.shape[1], None].astype(np.uint16)
    place[:] = (place * (255 - share) + np.array(ink).astype(np.uint16) * share) // 255


def _dot(image: Pixels, spec: PlateSpec, layout: Layout, ink: tuple[float, ...], rng: Rng) -> None:
    if layout.dot is None:
        return
    centre = (round(layout.dot[0] * PIXELS_PER_MM), round(layout.dot[1] * PIXELS_PER_MM))
    if spec.form.startswith("nev"):
        if rng.random() < 0.9:
            cv2.circle(image, centre, round(11 * PIXELS_PER_MM), tuple(rng.uniform(90, 240, 3)), -1, cv2.LINE_AA)
            cv2.circle(image, centre, round(6 * PIXELS_PER_MM), tuple(rng.uniform(40, 220, 3)), 2, cv2.LINE_AA)
    elif spec.is_foreign:
        _between(image, centre, rng)
    elif rng.random() < 0.93:
        cv2.circle(image, centre, round(rng.uniform(4.5, 6) * PIXELS_PER_MM), ink, -1, cv2.LINE_AA)


def _between(image: Pixels, centre: tuple[int, int], rng: Rng) -> None:
    """What stands between the groups of a foreign plate: nothing, a dash, a dot or a sticker."""
    style = rng.random()
    x, y = centre
    if style < 0.3:
        cv2.line(image, (x - 4, y), (x + 4, y), (30, 30, 30), 3, cv2.LINE_AA)
    elif style < 0.5:
        cv2.circle(image, centre, 4, (30, 30, 30), -1, cv2.LINE_AA)
    elif style < 0.65:
        for offset in (-9, 9) if rng.random() < 0.6 else (0,):  # test and emission stickers
            cv2.circle(image, (x, y + offset), int(rng.integers(5, 9)), tuple(rng.uniform(30, 230, 3)), -1, cv2.LINE_AA)
            cv2.circle(image, (x, y + offset), 3, tuple(rng.uniform(30, 240, 3)), -1, cv2.LINE_AA)
    elif style < 0.9:  # a coat of arms
        wide, tall = int(rng.integers(5, 9)), int(rng.integers(7, 13))
        shield = np.array([(x - wide, y - tall), (x + wide, y - tall), (x + wide, y), (x, y + tall), (x - wide, y)])
        cv2.fillPoly(image, [shield], tuple(rng.uniform(20, 220, 3)), cv2.LINE_AA)
        cv2.line(image, (x, y - tall + 2), (x, y + 3), (235, 235, 235), 2)
        cv2.line(image, (x - 3, y - 2), (x + 3, y - 2), (235, 235, 235), 1)


def _bolts(image: Pixels, layout: Layout, rng: Rng) -> None:
    """Screws or caps in two or four of the holes; often a dark hole or nothing."""
    style = rng.random()
    if style < 0.2:
        return
    shown = layout.holes if rng.random() < 0.5 else layout.holes[::2]
    shade = float(rng.uniform(20, 250))
    radius = rng.uniform(4, 9) * PIXELS_PER_MM
    for x, y in shown:
        centre = (round((x + rng.normal(0, 2)) * PIXELS_PER_MM), round((y + rng.normal(0, 2)) * PIXELS_PER_MM))
        cv2.circle(image, centre, max(1, round(radius)), (shade, shade, shade), -1, cv2.LINE_AA)
        if style > 0.6:
            cv2.circle(
                image, (centre[0], centre[1] + 1), max(1, round(radius * 0.6)), (shade * 0.6,) * 3, -1, cv2.LINE_AA
            )
