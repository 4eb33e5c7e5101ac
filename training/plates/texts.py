"""Texts of plates, every kind and province about equally often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from domain.plate import PROVINCES, PlateColour

Rng = np.random.Generator

LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS: Final = "0123456789"
SERIAL: Final = LETTERS + DIGITS
FOREIGN_FORMS: Final = frozenset({"eu", "us", "brazil"})
LATIN: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class PlateSpec:
    """What a plate says: text in reading order, form (a key of FORMS), ground colour, rows of characters."""

    text: str
    form: str
    colour: PlateColour
    rows: int = 1

    @property
    def is_foreign(self) -> bool:
        return self.form in FOREIGN_FORMS


def _pick(rng: Rng, alphabet: str, count: int = 1) -> str:
    return "".join(alphabet[index] for index in rng.integers(len(alphabet), size=count))


def _serial(rng: Rng, count: int = 5) -> str:
    """Mostly digits with up to two letters, as issued; now and then any mixture."""
    if rng.random() < 0.3:
        return _pick(rng, SERIAL, count)
    characters = list(_pick(rng, DIGITS, count))
    for _ in range(rng.integers(3)):
        characters[rng.integers(count)] = _pick(rng, LETTERS)
    return "".join(characters)


def _head(rng: Rng) -> str:
    return _pick(rng, PROVINCES) + (_pick(rng, LETTERS) if rng.random() < 0.8 else "A")


def _nev_small(rng: Rng) -> str:
    return _head(rng) + _pick(rng, "DFDFABCEGHJK") + _pick(rng, SERIAL) + _pick(rng, DIGITS, 4)


def _embassy(rng: Rng) -> str:
    number = _pick(rng, DIGITS, 6)
    return f"{number}使" if rng.random() < 0.5 else f"使{number}"


def _consulate(rng: Rng) -> str:
    if rng.random() < 0.5:
        return _pick(rng, PROVINCES) + _pick(rng, DIGITS, 5) + "领"
    return _head(rng) + _pick(rng, DIGITS, 4) + "领"


def _armed_police(rng: Rng) -> str:
    middle = _pick(rng, PROVINCES) if rng.random() < 0.6 else ""
    return "WJ" + middle + _pick(rng, DIGITS, 4 if middle else 6) + _pick(rng, SERIAL)


def _shaped(*patterns: str) -> Callable[[Rng], str]:
    """Texts after one of *patterns*: L a letter, D a digit, X either, then no I and O, which only a place tells."""
    parts = {"L": LATIN, "D": DIGITS, "X": SERIAL}

    def write(rng: Rng) -> str:
        pattern = patterns[rng.integers(len(patterns))]
        return "".join(_pick(rng, parts[symbol]) for symbol in pattern)

    return write


_EU: Final = _shaped(
    *("LLDDDLL", "LLDDDLL", "LLDDDDD", "LLDDDDLL", "LLDDLLL", "LLLDDDD", "LLLDDD", "DLLLDDD", "LDDDDDD", "LLLLDDD")
)
_US: Final = _shaped(
    "LLLDDDD", "DLLLDDD", "LLLDDD", "DDDLLL", "LLDDDD", "DDDDDDD", "XXXXXX", "XXXXXXX", "DDDLL", "LLLDL"
)
_BRAZIL: Final = _shaped("LLLDDDD", "LLLDDDD", "LLLDLDD")

Form = tuple[float, Callable[[Rng], str], tuple[PlateColour, ...], int]

_C = PlateColour
FORMS: Final[dict[str, Form]] = {
    # share, text, grounds, rows
    "blue": (0.36, lambda rng: _head(rng) + _serial(rng), (_C.BLUE,), 1),
    "nev_small": (0.19, _nev_small, (_C.GREEN,), 1),
    "nev_large": (
        0.05,
        lambda rng: _head(rng) + _pick(rng, DIGITS, 5) + _pick(rng, "DFABCEGHJK"),
        (_C.YELLOW_GREEN,),
        1,
    ),
    "yellow": (0.08, lambda rng: _head(rng) + _serial(rng), (_C.YELLOW,), 1),
    "yellow_double": (0.06, lambda rng: _head(rng) + _serial(rng), (_C.YELLOW,), 2),
    "trailer": (0.02, lambda rng: _head(rng) + _serial(rng, 4) + "挂", (_C.YELLOW,), 2),
    "coach": (0.03, lambda rng: _head(rng) + _serial(rng, 4) + "学", (_C.YELLOW,), 1),
    "test": (0.005, lambda rng: _head(rng) + _serial(rng, 4) + _pick(rng, "试超"), (_C.YELLOW, _C.WHITE), 1),
    "police": (0.03, lambda rng: _head(rng) + _serial(rng, 4) + "警", (_C.WHITE,), 1),
    "police_old": (0.01, lambda rng: _pick(rng, PROVINCES) + "O" + _serial(rng), (_C.BLUE,), 1),
    "embassy": (0.015, _embassy, (_C.BLACK,), 1),
    "consulate": (0.015, _consulate, (_C.BLACK,), 1),
    "hk_macao": (0.025, lambda rng: "粤Z" + _serial(rng, 4) + _pick(rng, "港澳"), (_C.BLACK,), 1),
    "black_old": (0.002, lambda rng: _head(rng) + _serial(rng), (_C.BLACK,), 1),
    "army": (0.02, lambda rng: _pick(rng, LETTERS, 2) + _pick(rng, DIGITS, 5), (_C.WHITE,), 1),
    "army_double": (0.005, lambda rng: _pick(rng, LETTERS, 2) + _pick(rng, DIGITS, 5), (_C.WHITE,), 2),
    "armed_police": (0.025, _armed_police, (_C.WHITE,), 1),
    "emergency": (
        0.01,
        lambda rng: _pick(rng, PROVINCES) + _pick(rng, "XS") + _pick(rng, DIGITS, 4) + "应急",
        (_C.WHITE,),
        1,
    ),
    "aviation": (0.015, lambda rng: "民航" + _pick(rng, LETTERS) + _pick(rng, DIGITS, 4), (_C.GREEN,), 1),
    "agricultural": (0.02, lambda rng: _pick(rng, PROVINCES) + _pick(rng, DIGITS, 7), (_C.GREEN,), 2),
    "eu": (0.04, _EU, (_C.WHITE, _C.WHITE, _C.WHITE, _C.YELLOW), 1),
    "us": (0.035, _US, (_C.WHITE, _C.WHITE, _C.WHITE, _C.YELLOW, _C.BLUE), 1),
    "brazil": (0.025, _BRAZIL, (_C.WHITE,), 1),
}
"""Every form that is drawn, with its share among random plates (scaled to one)."""

_NAMES: Final = tuple(FORMS)
_SHARES: Final = np.array([FORMS[name][0] for name in _NAMES]) / sum(form[0] for form in FORMS.values())


def random_plate(rng: Rng, form: str | None = None) -> PlateSpec:
    """A plate as one might be issued; of *form* when given."""
    name = form or _NAMES[int(np.searchsorted(np.cumsum(_SHARES), rng.random(), side="right").clip(0, len(_NAMES) - 1))]
    _, write, grounds, rows = FORMS[name]
    return PlateSpec(write(rng), name, grounds[rng.integers(len(grounds))], rows)
