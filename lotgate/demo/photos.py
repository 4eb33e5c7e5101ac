"""Photographs for the plain cameras, read where they lie and never copied, with the plates a person would read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from domain.plate import PlateKind, classify

BESIDE = Path(__file__).parents[3] / "shared" / "plates"
ENDINGS = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of one car. *plate* is what stands on it, told to the scripted attendant and to nobody else."""

    path: Path
    plate: str


def find_photos(folder: Path | None) -> list[Photo]:
    """Scenes with a plain blue plate out of *folder*, else those beside the project; none: scenes are drawn."""
    chosen = folder or BESIDE
    labels = chosen / "labels.csv"
    if not labels.exists():
        return []
    with labels.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("kind", "scene") == "scene"]
    photos = [Photo((chosen / row["file"]).resolve(), row["plate"]) for row in rows]
    return [photo for photo in photos if _is_plain(photo) and photo.path.exists()]


def _is_plain(photo: Photo) -> bool:
    return photo.path.suffix.lower() in ENDINGS and classify(photo.plate) is PlateKind.NORMAL
