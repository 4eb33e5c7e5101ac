"""How one printer likes its slips: keys of its table in the lot file, beside those of its driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from domain.slip import Paper
from domain.wire import Json


@dataclass(frozen=True, slots=True)
class Profile:
    """*paper* in mm. *qr*: cheap 58 mm units have no QR of their own, so it is drawn.

    *text*: ``font`` is the printer's own GB18030 font, and a line with a character that it lacks is drawn; ``drawn``
    draws every line. *confirms*: a unit that never answers has somebody say what came out.
    """

    paper: Literal[58, 80] = 58
    qr: Literal["raster", "native"] = "raster"
    text: Literal["font", "drawn"] = "font"
    cutter: bool = True  # False: feed past the tear bar instead
    tear_lines: int = 4
    confirms: Literal["printer", "attendant"] = "printer"
    drawer: Literal["none", "pin_2", "pin_5"] = "none"  # of its drawer socket, which a cash drawer hangs at

    def __post_init__(self) -> None:
        if not 0 <= self.tear_lines <= 255:
            raise ValueError(f"tear_lines is {self.tear_lines}; 0 to 255 is taken")

    @property
    def width(self) -> Paper:
        """The paper as columns."""
        return Paper.MM58 if self.paper == 58 else Paper.MM80

    def looks(self) -> Json:
        """What of it can be seen on paper, as it travels."""
        return {key: getattr(self, key) for key in _SEEN}


DEFAULT = Profile()
SHIPPED: Final[Mapping[str, Profile]] = {  # for looking at slips where no printer is known
    "58": DEFAULT,
    "80": Profile(80),
    "58 drawn": Profile(text="drawn"),
    "80 native": Profile(80, "native"),
}
_SEEN: Final[Mapping[str, tuple[object, ...]]] = {
    "paper": (58, 80),
    "qr": ("raster", "native"),
    "text": ("font", "drawn"),
    "cutter": (True, False),
    "tear_lines": tuple(range(256)),
}


def profiles_told(told: object) -> dict[str, Profile]:
    """Printers by name as an edge tells their looks; those of a kind that this release does not know are left out."""
    if not isinstance(told, Mapping):
        return {}
    return {str(name): Profile(**seen) for name, one in told.items() if (seen := _seen(one)) is not None}


def _seen(one: object) -> dict[str, Any] | None:
    if not isinstance(one, Mapping) or any(one.get(key) not in known for key, known in _SEEN.items()):
        return None
    return {key: one[key] for key in _SEEN}
