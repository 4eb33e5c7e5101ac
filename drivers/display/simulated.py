"""Displays without lamps: one keeps what it was told, one writes it to the log."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from domain.plate import classify, mask, normalise
from drivers.wiring import Wiring

log = logging.getLogger(__name__)

KEPT = 1000
_WORD = re.compile(r"[^\s，。：；、]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a driver saw, and heard when *speak* is not empty."""

    lines: tuple[str, ...]
    speak: str = ""


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """Nothing to set."""


class SimulatedDisplay:
    """Keeps the last thousand things it showed, newest last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shown: list[Shown] = []

    @property
    def now(self) -> Shown:
        """What stands on the board at this moment."""
        return self.shown[-1] if self.shown else Shown(())

    async def show(self, lines: tuple[str, ...], *, speak: str = "") -> None:
        """Remember *lines* as shown."""
        self.shown.append(Shown(lines, speak))
        del self.shown[:-KEPT]

    async def aclose(self) -> None:
        """Nothing to let go."""


class LogDisplay(SimulatedDisplay):
    """The same, and a line in the log each time it changes, plates masked."""

    async def show(self, lines: tuple[str, ...], *, speak: str = "") -> None:
        """Remember and log *lines*."""
        if Shown(lines, speak) != self.now:
            log.info("display %s: %s", self.name, " / ".join(masked(line) for line in lines))
        await super().show(lines, speak=speak)


def masked(line: str) -> str:
    """*line* with every plate in it masked."""
    return _WORD.sub(lambda word: mask(word[0]) if classify(normalise(word[0])) else word[0], line)


async def open_simulated_display(options: DisplayOptions, wiring: Wiring) -> SimulatedDisplay:
    """A display for tests and demos."""
    return SimulatedDisplay(wiring.name)


async def open_log_display(options: DisplayOptions, wiring: Wiring) -> LogDisplay:
    """A lane without a board: what it would show is in the log."""
    return LogDisplay(wiring.name)
