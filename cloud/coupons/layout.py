"""How printed coupons stand on paper: what a shop chooses, and which coupons come on which page (S1.45)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

PAPERS: Final = ("a4", "80", "58")
PER_SHEET: Final = (1, 2, 4, 8, 10, 24)
GRID: Final = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4), 10: (2, 5), 24: (3, 8)}  # across, down, of an upright page
SIZES: Final = {"a4": (210, 297), "80": (80, 120), "58": (58, 100)}  # millimetres
_MARGINS: Final = {"normal": (10, 10), "narrow": (5, 5), "none": (0, 0), "80": (4, 2), "58": (5, 2)}
TURNS: Final = ("portrait", "landscape")
MARGINS: Final = ("normal", "narrow", "none")


@dataclass(frozen=True, slots=True)
class Layout:
    """*per* coupons on a page of A4, one on each slip of a roll; coupons *first* to *last* (0: all the rest).

    The defaults are one a sheet, upright, with ordinary margins, all of them (S1.45).
    """

    paper: str = "a4"
    per: int = 1
    turn: str = "portrait"
    margin: str = "normal"
    first: int = 1
    last: int = 0
    head: bool = True
    cut: bool = True

    @property
    def query(self) -> str:
        """As part of an address."""
        numbers = {
            "per": self.per,
            "first": self.first,
            "last": self.last,
            "head": int(self.head),
            "cut": int(self.cut),
        }
        return urlencode({"paper": self.paper, "turn": self.turn, "margin": self.margin, **numbers})

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a page in millimetres."""
        width, height = SIZES[self.paper]
        return (height, width) if self.is_across else (width, height)

    @property
    def margins(self) -> tuple[int, int]:
        """Left and right, top and bottom, in millimetres."""
        return _MARGINS[self.margin if self.paper == "a4" else self.paper]

    @property
    def grid(self) -> tuple[int, int]:
        """Coupons across and down a page."""
        if self.paper != "a4":
            return 1, 1
        across, down = GRID[self.per]
        return (max(across, down), min(across, down)) if self.is_across else (across, down)

    @property
    def is_across(self) -> bool:
        """A page of A4 lying on its long side; a roll has none."""
        return self.paper == "a4" and self.turn == "landscape"

    def sheets(self, coupons: Sequence[T]) -> list[list[T]]:
        """The coupons of each page."""
        chosen = coupons[self.first - 1 : self.last or None]
        per = self.per if self.paper == "a4" else 1
        return [list(chosen[start : start + per]) for start in range(0, len(chosen), per)]


def layout_of(query: Mapping[str, str]) -> Layout:
    """What an address says; whatever makes no sense is as it is without it."""
    plain = Layout()
    numbers = {name: int(text) for name, text in query.items() if text.isascii() and text.isdigit() and len(text) < 6}
    per = numbers.get("per", plain.per)
    return Layout(
        paper=_one(query, "paper", PAPERS),
        per=per if per in PER_SHEET else plain.per,
        turn=_one(query, "turn", TURNS),
        margin=_one(query, "margin", MARGINS),
        first=max(1, numbers.get("first", 1)),
        last=numbers.get("last", 0),
        head=numbers.get("head", 1) == 1,
        cut=numbers.get("cut", 1) == 1,
    )


def _one(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    said = query.get(name, "")
    return said if said in known else known[0]
