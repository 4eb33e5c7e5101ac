"""One split by plate text: EasyPR scenes, whatever may not be trained on, and a fifth of the rest are validation.

``python -m training.split`` writes ``validation.csv`` again (the same file from the same labels).
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Final

from training.data import Photo, photos

VALIDATION_CSV: Final = Path(__file__).with_name("validation.csv")
SEED: Final = 20261122
SHARE: Final = 0.2


def choose_validation(pictures: tuple[Photo, ...]) -> frozenset[str]:
    """Plate texts held back: all that occur in a picture not to be trained on, and SHARE of each source's others."""
    development = [picture for picture in pictures if picture.file.startswith("plates/")]
    held = {picture.text for picture in development if not picture.may_be_trained_on}
    strata: dict[tuple[str, str], set[str]] = defaultdict(set)
    first_stratum: dict[str, tuple[str, str]] = {}
    for picture in sorted(development, key=lambda picture: (not picture.is_scene, picture.file)):
        if picture.text not in held:
            stratum = first_stratum.setdefault(picture.text, (picture.source, picture.category))
            strata[stratum].add(picture.text)
    rng = random.Random(SEED)
    for _, texts in sorted(strata.items()):
        held.update(rng.sample(sorted(texts), round(SHARE * len(texts))))
    return frozenset(held)


@cache
def validation_files() -> frozenset[str]:
    """Files of ``shared/plates`` that are validation, as committed."""
    with VALIDATION_CSV.open(encoding="utf-8", newline="") as lines:
        return frozenset(f"plates/{row['file']}" for row in csv.DictReader(lines))


def validation_photos() -> tuple[Photo, ...]:
    return tuple(picture for picture in photos() if picture.file in validation_files())


def training_photos() -> tuple[Photo, ...]:
    """Pictures to train on: terms allow it, and no picture of the same plate is validation."""
    held = {picture.text for picture in validation_photos()}
    return tuple(picture for picture in photos() if picture.may_be_trained_on and picture.text not in held)


def write_validation() -> None:
    held = choose_validation(photos())
    files = sorted(p.file.removeprefix("plates/") for p in photos() if p.file.startswith("plates/") and p.text in held)
    with VALIDATION_CSV.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file"])
        writer.writerows([file] for file in files)


if __name__ == "__main__":
    write_validation()
