"""What several frames of one vehicle say together, and which of them shows it best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from domain.plate import PlateVerdict
from domain.plate_reading import Thresholds
from domain.plate_votes import join
from drivers.base import PlateCandidate

LEAST_FRAMES = 2  # read before a plate may be acted upon


@dataclass(frozen=True, slots=True)
class FrameLook:
    """One frame as the recogniser saw it, the main plate first. *image* is the whole frame, *crop* its main plate."""

    candidates: tuple[PlateCandidate, ...]
    image: bytes = field(repr=False)
    crop: bytes = field(default=b"", repr=False)

    @property
    def probability(self) -> float:
        """Of the main plate's best reading; 0 when there is none."""
        return self.candidates[0].readings[0].probability if self.is_told else 0.0

    @property
    def is_told(self) -> bool:
        """Whether it says how sure it is of each character; a plain text cannot be joined with others."""
        return bool(self.candidates and self.candidates[0].readings)


def joined(looks: Sequence[FrameLook], thresholds: Thresholds) -> FrameLook:
    """The frames of one vehicle as one look: the surest frame, its main plate as all frames read it.

    Where no frame gives readings, the first with a text counts. *looks* has at least one.
    """
    told = [look for look in looks if look.is_told]
    if not told:
        return next((look for look in looks if any(found.text for found in look.candidates)), looks[-1])
    if len(told) == 1:
        return told[0]
    readings = join([look.candidates[0].readings for look in told])
    best = readings[0]
    verdict = thresholds.verdict(best)
    if verdict is PlateVerdict.ACCEPT and best.kind is None:
        verdict = PlateVerdict.ASK  # no form vouches for it
    surest = max(told, key=lambda look: (look.candidates[0].readings[0].text == best.text, look.probability))
    main, *others = surest.candidates
    text = "" if verdict is PlateVerdict.UNREAD else best.text
    main = replace(
        main,
        text=text,
        confidence=100 * best.probability,
        colour=best.colour,
        verdict=verdict,
        readings=readings,
    )
    return replace(surest, candidates=(main, *others))


def is_enough(looks: Sequence[FrameLook], answer: FrameLook) -> bool:
    """Whether further frames add little to what *looks* answer together.

    It may be acted upon and two frames were read (one alone is wrong too often), or it is a plain text for a person.
    """
    if not answer.candidates:
        return False
    main = answer.candidates[0]
    if not main.readings:
        return bool(main.text)
    return main.verdict is PlateVerdict.ACCEPT and sum(look.is_told for look in looks) >= LEAST_FRAMES
