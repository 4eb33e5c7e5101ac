"""A recogniser that says what a TEST told it. It never looks at the picture; no demo may show photographs to it."""

from __future__ import annotations

from collections import deque

from domain.plate_reading import NEVER_ALONE, Thresholds
from drivers.base import PlateCandidate


class ToldRecogniser:
    """Answers in the order of ``tell``, then with nothing. Not in the registry: no lot file can name it."""

    def __init__(self, thresholds: Thresholds = NEVER_ALONE) -> None:
        self.thresholds = thresholds
        self.pictures: list[bytes] = []
        self._answers: deque[tuple[PlateCandidate, ...]] = deque()

    def tell(self, *candidates: PlateCandidate) -> None:
        """What to answer to the next picture."""
        self._answers.append(candidates)

    def recognise(self, image: bytes) -> tuple[PlateCandidate, ...]:
        """The next answer, whatever *image* shows."""
        self.pictures.append(image)
        return self._answers.popleft() if self._answers else ()
