"""The photographs at hand: their labels, their corners, and whether their terms allow training."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.plate import PlateColour

Pixels = NDArray[np.uint8]
Corners = NDArray[np.float32]

TRAINABLE_SOURCES: Final = frozenset(
    {
        "ccpd-blue",
        "ccpd-green",
        "ccpd-green-crop",
        "ccpd-sample",
        "ccpd-sample-crop",
        "easypr-gdts-crop",  # GDSL 0.1 frees plate-only crops and models; its scenes (easypr-gdts) stay out
        "hyperlpr-crop",
        "lprnet-test",
        "sakurasep-phone",
    }
)
"""Sources whose terms allow training (README.md of the photographs); every other row is for testing only."""

DOUBLE_ROW_CATEGORIES: Final = frozenset({"yellow_double", "agri_green"})


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled picture. *corners*: TL TR BR BL of the plate as it reads, pixels; *box*: x1 y1 x2 y2."""

    file: str  # relative to the photo root
    text: str
    is_scene: bool
    source: str
    category: str
    colour: PlateColour
    rows: int
    corners: tuple[tuple[float, float], ...] | None
    box: tuple[float, float, float, float] | None
    has_other_plates: bool

    @property
    def may_be_trained_on(self) -> bool:
        return self.source in TRAINABLE_SOURCES

    def corner_array(self) -> Corners:
        """The corners as float32[4, 2]; a crop without corners is the plate itself."""
        if self.corners is not None:
            return np.array(self.corners, np.float32)
        if self.is_scene:
            raise ValueError(f"{self.file}: a scene without corners")
        height, width = read_pixels(self.file).shape[:2]
        return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)


def photo_root() -> Path:
    """The folder that holds ``plates`` and ``plates-train``: LOTGATE_PHOTOS, else ``../shared``."""
    return Path(os.environ.get("LOTGATE_PHOTOS", Path(__file__).parents[2] / "shared"))


def read_pixels(file: str) -> Pixels:
    """The picture *file* (relative to the photo root) as BGR."""
    pixels = cv2.imdecode(np.fromfile(photo_root() / file, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{file}: not a picture")
    return pixels.astype(np.uint8, copy=False)


@cache
def photos() -> tuple[Photo, ...]:
    """Every labelled picture, validation and training alike; ``training.split`` says which is which."""
    return (*_development(), *_material())


def _rows_of(folder: str) -> Iterator[dict[str, str]]:
    with (photo_root() / folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _development() -> Iterator[Photo]:
    for row in _rows_of("plates"):
        box = tuple(float(row[name]) for name in ("x1", "y1", "x2", "y2")) if row["x1"] else None
        yield Photo(
            file=f"plates/{row['file']}",
            text=row["plate"],
            is_scene=row["kind"] == "scene",
            source=row["source"],
            category=row["category"],
            colour=_colour(row["colour"]),
            rows=2 if row["category"] in DOUBLE_ROW_CATEGORIES else 1,
            corners=_ccpd_corners(row) if row["source"].startswith("ccpd-") else None,
            box=box if box is None else (box[0], box[1], box[2], box[3]),
            has_other_plates=bool(row["other_plates"]),
        )


def _material() -> Iterator[Photo]:
    for row in _rows_of("plates-train"):
        corners = tuple((float(row[f"x{n}"]), float(row[f"y{n}"])) for n in (1, 2, 3, 4))
        xs, ys = zip(*corners, strict=True)
        yield Photo(
            file=f"plates-train/{row['file']}",
            text=row["plate"],
            is_scene=row["kind"] == "scene",
            source=row["source"],
            category=row["colour"],
            colour=_colour(row["colour"]),
            rows=1,
            corners=corners,
            box=(min(xs), min(ys), max(xs), max(ys)),
            has_other_plates=False,
        )


def _colour(name: str) -> PlateColour:
    try:
        return PlateColour(name.replace("-", "_"))
    except ValueError:
        return PlateColour.UNKNOWN  # the foreign plates have no colour column


def _ccpd_corners(row: dict[str, str]) -> tuple[tuple[float, float], ...] | None:
    """Corners out of a CCPD file name: ``area-tilt-box-vertices-…``, vertices BR BL TL TR as ``x&y``."""
    parts = row["origin_path"].rsplit("/", 1)[-1].split("-")
    vertices = [tuple(map(float, pair.split("&"))) for pair in parts[3].split("_")] if len(parts) > 3 else []
    if len(vertices) != 4:
        return None
    left, top = map(float, row["origin_crop"].split()[:2]) if row["origin_crop"] else (0.0, 0.0)
    bottom_right, bottom_left, top_left, top_right = ((x - left, y - top) for x, y in vertices)
    return (top_left, top_right, bottom_right, bottom_left)
