"""Shapes of plate characters: the GA 36 glyph pictures, cut-outs of real plates, and open fonts for what they lack."""

from __future__ import annotations

import csv
import io
import zipfile
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.data import photo_root

Mask = NDArray[np.uint8]  # 255 = ink

MOST_INK: Final = 0.5  # of a cut-out: more is a blot
HEIGHT: Final = 96  # pixels of a stored glyph
CELL_ASPECT: Final = {"140": 45 / 90, "green": 43 / 90, "220": 65 / 110, "220_up": 80 / 60, "220_down": 65 / 110}
FONT_FAMILIES: Final = {
    "wqy": "wqy/wqy-zenhei.ttc",
    "narrow": "liberation/LiberationSansNarrow-Bold.ttf",
    "sans": "liberation/LiberationSans-Bold.ttf",
    "condensed": "dejavu/DejaVuSansCondensed-Bold.ttf",
    "mono": "dejavu/DejaVuSansMono-Bold.ttf",
}
"""Debian packages fonts-wqy-zenhei, fonts-liberation and fonts-dejavu, under FONT_FOLDER."""
FONT_FOLDER: Final = Path("/usr/share/fonts/truetype")
FALLBACKS: Final = {"green": "140", "220_up": "220", "220_down": "220", "220": "220_down"}
TWINS: Final = {"O": "0", "I": "1"}


@cache
def _pictures() -> dict[tuple[str, str], Mask]:
    """Every glyph of the zip, ink white, at its own size, keyed by (family, character)."""
    found = {}
    with zipfile.ZipFile(photo_root() / "plates-train" / "ga36-glyphs.zip") as archive:
        index = csv.DictReader(io.TextIOWrapper(archive.open("index.csv"), "utf-8"))
        for row in index:
            if row["family"] == "blank":
                continue
            black = cv2.imdecode(np.frombuffer(archive.read(row["file"]), np.uint8), cv2.IMREAD_GRAYSCALE)
            if black is not None:
                found[(row["family"], row["char"])] = 255 - black.astype(np.uint8)
    return found


@cache
def _cut_outs() -> dict[str, Mask]:
    """Real characters, 20x20, white on black; the doubtful ones and those that ran together are left out."""
    with np.load(photo_root() / "plates-train" / "chars.npz", allow_pickle=False) as stored:
        good = ~stored["suspect"] & ((stored["images"] > 96).mean(axis=(1, 2)) < MOST_INK)
        images, labels = stored["images"][good], stored["labels"][good]
    return {str(label): images[labels == label] for label in np.unique(labels)}


def _centred(mask: Mask, aspect: float) -> Mask:
    """Cut *mask* to the cell's aspect around its ink: a 1 keeps its stroke instead of being squeezed."""
    width = round(mask.shape[0] * aspect)
    spare = mask.shape[1] - width
    return mask[:, spare // 2 : spare // 2 + width] if spare > 0 else mask


@cache
def _from_font(family: str, char: str) -> Mask:
    size = HEIGHT * 2
    font = ImageFont.truetype(str(FONT_FOLDER / FONT_FAMILIES[family]), size)
    canvas = Image.new("L", (size * 2, size * 2))
    ImageDraw.Draw(canvas).text((size // 2, size // 4), char, fill=255, font=font, stroke_width=size // 40)
    pixels = np.asarray(canvas)
    left, top, width, height = cv2.boundingRect(pixels)
    return pixels[top : top + height, left : left + width].copy()


@cache
def shape(family: str, char: str) -> Mask:
    """The glyph of *char*, as near to *family* as there is one."""
    if family in FONT_FAMILIES:
        return _from_font(family, char)
    for candidate in (family, FALLBACKS.get(family, family), "140"):
        for twin in (char, TWINS.get(char, char)):
            picture = _pictures().get((candidate, twin))
            if picture is not None:
                return _centred(picture, CELL_ASPECT[family]) if twin == "1" else picture
    return _from_font("wqy", char)


@cache
def _stored(family: str, char: str, weight: int) -> Mask:
    """*char* at HEIGHT pixels, thinned or thickened by *weight*."""
    width = round(HEIGHT * CELL_ASPECT.get(family, 0.55))
    mask = cv2.resize(shape(family, char), (width, HEIGHT), interpolation=cv2.INTER_AREA)
    if weight:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(weight) * 2 + 1, abs(weight) * 2 + 1))
        mask = cv2.erode(mask, kernel) if weight < 0 else cv2.dilate(mask, kernel)
    return mask.astype(np.uint8, copy=False)


@lru_cache(maxsize=20_000)
def glyph(family: str, char: str, width: int, height: int, weight: int) -> Mask:
    """*char* at width x height pixels; *weight* -3..2 thins or thickens every stroke by about 2 % of HEIGHT each."""
    mask = cv2.resize(_stored(family, char, weight), (width, height), interpolation=cv2.INTER_AREA)
    return mask.astype(np.uint8, copy=False)


def cut_out(char: str, width: int, height: int, rng: np.random.Generator) -> Mask | None:
    """A real *char* at width x height, soft as it is; None where there is none."""
    pictures = _cut_outs().get(char)
    if pictures is None:
        return None
    picture = pictures[rng.integers(len(pictures))]
    _, _, ink_width, _ = cv2.boundingRect((picture > 96).astype(np.uint8))
    wide = min(20, max(ink_width + 2, 11))
    middle = picture[:, (20 - wide) // 2 : (20 - wide) // 2 + wide]
    return cv2.resize(middle, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
