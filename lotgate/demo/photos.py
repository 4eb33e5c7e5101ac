"""Photographs for the plain cameras, read where they lie and never copied, with the plates a person would read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from domain.plate import PlateKind, classify

BESIDE = Path(__file__).parents[3] / "shared" / "plates"
ENDINGS = frozenset({".jpg", ".jpeg", ".png"})
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # JPEG, PNG


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of one car. *plate* is what stands on it, told to the scripted attendant and to nobody else.

    It is "" where nobody has written it down: the attendant then gives the car a plate of the script.
    """

    path: Path
    plate: str = ""


def find_photos(folder: Path | None) -> list[Photo]:
    """Pictures out of *folder*, else those beside the project; none: scenes are drawn.

    With a ``labels.csv`` only whole scenes with a plain blue plate are taken.
    """
    chosen = (folder or BESIDE).resolve()
    labels = chosen / "labels.csv"
    if labels.exists():
        return _labelled(chosen, labels)
    return [Photo(path) for path in sorted(folder.resolve().iterdir()) if _is_picture(path)] if folder else []


def _labelled(folder: Path, labels: Path) -> list[Photo]:
    with labels.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("kind", "scene") == "scene"]
    photos = [Photo((folder / row["file"]).resolve(), row["plate"]) for row in rows]
    return [photo for photo in photos if classify(photo.plate) is PlateKind.NORMAL and _is_picture(photo.path)]


def _is_picture(path: Path) -> bool:
    """By name and by first bytes: a file that only calls itself a picture is passed over."""
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8).startswith(STARTS)
