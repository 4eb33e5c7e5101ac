"""How one printer likes its slips: keys of its table in the lot file, beside those of its driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.slip import Paper


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


DEFAULT = Profile()
