"""How sure the engine may be: fit probability to the share that is right, and choose when to accept and when to ask.

``python -m training.recogniser.calibrate [--keep READ.json] [--from READ.json] [--write]``

Validation pictures go through the whole engine, uncalibrated: as they are, and WORSE times made worse, since there are
few errors to learn from otherwise. Plates (by text) fall into two halves. On the first a logistic curve is fitted to
the log odds of what was read as a plate of GA 36, and the thresholds are chosen; the figures are told of the second.
``--write`` puts the fit into ``models.toml``, and the diagram of the second half into the docs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.plate_reading import Thresholds
from drivers.recogniser.detector import Detector
from drivers.recogniser.networks import MODELS, open_network
from drivers.recogniser.reader import PlateReader, ReaderFigures
from training.data import Photo, read_pixels
from training.recogniser.augment import coarser, relit
from training.recogniser.reliability import diagram
from training.split import validation_photos

DIAGRAM: Final = Path(__file__).parents[2] / "docs" / "images" / "plate-confidence.svg"
WRONG_LABELS: Final = frozenset({"plates/crops/c_0048.jpg", "plates/scenes/green_0159.jpg"})
"""Labelled 皖, but 苏 is to be seen: left out of the fit, wrong in every figure all the same."""

GROUPS: Final = (("other half", False, False), ("other half, made worse", False, True), ("fitted half", True, False))
WORSE: Final = 3
COARSER: Final = (1.2, 3.5)  # times fewer pixels across
EDGE: Final = 1e-6  # raw probabilities are told apart no nearer to 0 and 1
KNOTS: Final = (1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 0.997, 0.999, 1 - 1e-4, 1)
WORST_ACCEPTED: Final = 0.003  # share of wrong reads among accepted, pictures as they are
WORST_ACCEPTED_WORSE: Final = 0.02  # and of the same pictures made worse
WORST_ASKED: Final = 0.75  # a read more likely wrong than this helps nobody
CAUTION: Final = 0.5  # of the doubt at the lowest sure read of foreign plates, of which there are few
NEVER: Final = 2.0
RAW: Final = ReaderFigures(Thresholds(0.95, 0.2), Thresholds(0.95, 0.2))
"""While outcomes are gathered: about what comes out, so that as many plates are looked at again as will be later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine made of one validation picture. *probability* is raw; *has_form*: read as a GA 36 plate."""

    file: str
    truth: str
    read: str
    probability: float
    has_form: bool
    is_worse: bool  # the picture was made worse first
    is_foreign: bool
    has_other_plates: bool

    @property
    def is_right(self) -> bool:
        return self.read == self.truth

    @property
    def is_fitted(self) -> bool:
        """Whether its plate is in the half that is fitted on."""
        return hashlib.sha256(self.truth.encode()).digest()[0] % 2 == 0

    @property
    def tells(self) -> bool:
        """Whether a wrong read of it is an error of reading: not of the label, nor another plate of the picture."""
        return self.file not in WRONG_LABELS and (self.is_right or not self.has_other_plates)


def outcome(reader: PlateReader, photo: Photo, pixels: NDArray[np.uint8], is_worse: bool) -> Outcome:
    seen = reader.look(pixels)
    best = seen[0].readings[0] if seen and seen[0].readings else None
    return Outcome(
        file=photo.file,
        truth=photo.text,
        read=best.text if best else "",
        probability=best.probability if best else 0.0,
        has_form=best is not None and best.kind is not None,
        is_worse=is_worse,
        is_foreign=photo.category.startswith("foreign"),
        has_other_plates=photo.has_other_plates,
    )


def outcomes(reader: PlateReader) -> Iterator[Outcome]:
    """Every validation picture as it is and made worse."""
    rng = np.random.default_rng(1)
    for photo in validation_photos():
        pixels = read_pixels(photo.file)
        yield outcome(reader, photo, pixels, is_worse=False)
        for _ in range(WORSE):
            worse = relit(coarser(pixels, rng.uniform(*COARSER), rng), rng)
            yield outcome(reader, photo, worse, is_worse=True)


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(probability, EDGE, 1 - EDGE)
    return np.log(clipped / (1 - clipped))


def fit(read: Sequence[Outcome]) -> tuple[float, float]:
    """Slope and offset of the logistic curve from raw log odds to the odds of being right (Platt 1999)."""
    odds = log_odds(np.array([one.probability for one in read]))
    right = np.array([one.is_right for one in read])
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    design, weights = np.stack([odds, np.ones_like(odds)], 1), np.array([1.0, 0.0])
    for _ in range(100):
        said = 1 / (1 + np.exp(-design @ weights))
        curvature = design.T @ (design * (said * (1 - said))[:, None]) + 1e-6 * np.eye(2)
        weights -= 0.5 * np.linalg.solve(curvature, design.T @ (said - target))
    return float(weights[0]), float(weights[1])


def calibrated(probability: NDArray[np.float64], curve: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-(curve[0] * log_odds(probability) + curve[1]))), np.float64)


def table(curve: tuple[float, float]) -> list[tuple[float, float]]:
    """Pairs raw, calibrated between which the product interpolates."""
    return [(raw, round(float(calibrated(np.array([raw]), curve)[0]), 6)) for raw in (0.0, *KNOTS)]


def lowest_accepted(read: Sequence[Outcome], curve: tuple[float, float], worst: float) -> float:
    """The lowest probability from which at most *worst* of what is read is wrong."""
    sure = calibrated(np.array([one.probability for one in read]), curve)
    order = np.argsort(-sure)
    wrong = np.array([not one.is_right for one in read])[order]
    good = np.flatnonzero(np.cumsum(wrong) <= worst * np.arange(1, len(order) + 1))
    return float(sure[order[good[-1]]]) if len(good) else NEVER


def choose(read: Sequence[Outcome], curve: tuple[float, float]) -> tuple[Thresholds, Thresholds]:
    """Thresholds for GA 36 plates and for others. What is no GA 36 plate but read as one counts as wrong."""
    forms = [[one for one in read if one.has_form and one.is_worse == is_worse] for is_worse in (False, True)]
    limits = zip(forms, (WORST_ACCEPTED, WORST_ACCEPTED_WORSE), strict=True)
    accept = max(lowest_accepted(some, curve, worst) for some, worst in limits)
    free = lowest_accepted([one for one in read if not one.has_form], curve, 0.0)
    ask = round(1 - WORST_ASKED, 2)
    foreign = max(accept, 1 - CAUTION * (1 - free) if free < 1 else NEVER)
    return Thresholds(round(accept, 4), ask), Thresholds(round(foreign, 4), ask)


def figures(read: Sequence[Outcome], curve: tuple[float, float], plates: Thresholds, foreign: Thresholds) -> str:
    """Coverage and errors in words."""
    lines = []
    groups = {
        "Chinese scenes": [one for one in read if "/scenes/" in one.file and not one.is_foreign],
        "crops": [one for one in read if "/crops/" in one.file],
        "foreign scenes": [one for one in read if one.is_foreign],
    }
    for name, group in groups.items():
        sure = calibrated(np.array([one.probability for one in group]), curve)
        floor = np.array([(plates if one.has_form else foreign).accept for one in group])
        asked = np.array([(plates if one.has_form else foreign).ask for one in group])
        right, accepted = np.array([one.is_right for one in group]), sure >= floor
        wrong = [f"{one.truth}->{one.read}" for one, bad in zip(group, accepted & ~right, strict=True) if bad]
        lines.append(
            f"{name}: {len(group)} pictures, exact {right.mean():.1%}, accepted {accepted.mean():.1%}, "
            f"asked {((sure >= asked) & ~accepted).mean():.1%}, wrong among accepted {len(wrong)} {' '.join(wrong)}"
        )
    return "\n".join(lines)


def write(folder: Path, curve: tuple[float, float], plates: Thresholds, foreign: Thresholds) -> None:
    """Calibration and thresholds into models.toml, in place of those that are there."""
    file = folder / "models.toml"
    text = re.sub(r"(?ms)^calibration = \[.*?^\]\n|^\[thresholds\].*?(?=^\[|\Z)", "", file.read_text("utf-8"))
    pairs = "".join(f"    [{raw:.6g}, {true:.6g}],\n" for raw, true in table(curve))
    text = re.sub(r'(\[recogniser\]\nsha256 = "\w+"\n)', lambda found: f"{found[1]}calibration = [\n{pairs}]\n", text)
    limits = "".join(
        f"{name} = {{ accept = {one.accept}, ask = {one.ask} }}\n"
        for name, one in (("plates", plates), ("foreign", foreign))
    )
    file.write_text(f"{text.rstrip()}\n\n[thresholds]\n{limits}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--keep", type=Path, help="write what was read here")
    parser.add_argument("--from", dest="kept", type=Path, help="take what was read from here, do not read again")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    if asked.kept:
        read = [Outcome(**one) for one in json.loads(asked.kept.read_text("utf-8"))]
    else:
        networks = [open_network(name, folder=asked.models) for name in ("detector", "recogniser")]
        read = list(outcomes(PlateReader(Detector(networks[0]), networks[1], RAW)))
    if asked.keep:
        asked.keep.write_text(json.dumps([asdict(one) for one in read], ensure_ascii=False), "utf-8")
    fitted = [one for one in read if one.is_fitted and one.tells]
    forms = [one for one in fitted if one.has_form]
    curve = fit(forms)
    plates, foreign = choose(fitted, curve)
    print(f"curve {curve}, fitted on {len(forms)} with {sum(not one.is_right for one in forms)} wrong")
    print(f"{plates} {foreign}")
    for name, is_fitted, is_worse in GROUPS:
        some = [one for one in read if one.is_fitted == is_fitted and one.is_worse == is_worse]
        print(f"{name}:\n{figures(some, curve, plates, foreign)}")
    if asked.write:
        write(asked.models, curve, plates, foreign)
        told = [one for one in read if not one.is_fitted and one.has_form]
        sure = calibrated(np.array([one.probability for one in told]), curve)
        DIAGRAM.write_text(diagram(sure, np.array([one.is_right for one in told])), "utf-8")


if __name__ == "__main__":
    main()
