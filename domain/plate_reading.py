"""What a reader believes a plate says, how surely, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.plate import PlateColour, PlateKind, PlateVerdict


@dataclass(frozen=True, slots=True)
class Reading:
    """One text a plate may carry. *probability* 0-1 is of the whole text, *characters* of each of its characters."""

    text: str
    kind: PlateKind | None  # None: not a form of GA 36
    colour: PlateColour
    probability: float
    characters: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability a reading may act by itself, and from which it is worth showing to a person.

    Raises ValueError when a reading could be accepted without being worth a look.
    """

    accept: float
    ask: float

    def __post_init__(self) -> None:
        if not 0 <= self.ask <= self.accept:
            raise ValueError(
                f"thresholds: accept ({self.accept}) must be at least ask ({self.ask}), and ask at least 0"
            )

    def verdict(self, reading: Reading | None) -> PlateVerdict:
        """What may be done with *reading*; nothing, when there is none."""
        if reading is None or reading.probability < self.ask:
            return PlateVerdict.UNREAD
        return PlateVerdict.ACCEPT if reading.probability >= self.accept else PlateVerdict.ASK


NEVER_ALONE = Thresholds(accept=2.0, ask=0.0)
"""For a reader whose every answer a person confirms: no probability is that high."""
