"""Several looks at one plate joined into one answer, character by character.

A look is what ``plate_grammar.decode`` said of one picture: the frames of one arrival, or a plain and a straightened
crop of one frame. ``docs/plate-reading.md`` (Several looks) has the rule with an example.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import prod
from typing import Final, TypeAlias

from domain.plate import classify
from domain.plate_reading import Reading

Look: TypeAlias = tuple[Reading, ...]
"""What one picture says of the plate, likeliest first."""

NEWS: Final = 0.2  # what a further look in the same light, at the same dirt, says that the first did not
DISSENT: Final = 1 / 200  # a look speaks against a text by no more than this: it may show another car
RIVALS: Final = 10  # characters that share the probability a look did not give to the one it read
CHANCE: Final = 0.5  # how often two looks that read nothing right agree on what they read


def join(looks: Sequence[Look], *, best: int = 3) -> Look:
    """The *best* likeliest texts over all looks, likeliest first; a single look is its own answer.

    A text's weight is the product of what each look gives it. Beside the surest look another counts by how sure it is
    of its own best text, so a smeared one changes little, and further looks count in part: they share light and dirt.
    """
    told = [look for look in looks if look]
    if len(told) < 2:
        return told[0][:best] if told else ()
    surest = max(look[0].probability for look in told)
    if not surest:
        return ()
    count = sum(look[0].probability for look in told) / surest
    distinct = 1 + (count - 1) * NEWS  # looks' worth of evidence
    texts = list(dict.fromkeys([reading.text for look in told for reading in look] + _spelt_together(told)))
    weights, nothing = dict.fromkeys(texts, 1.0), CHANCE ** (distinct - 1)
    for look in told:
        given = {text: _given(look, text) for text in texts}
        power = distinct / count * look[0].probability / surest
        nothing *= max(0.0, 1 - sum(given.values())) ** power
        for text, probability in given.items():
            weights[text] *= max(probability, look[0].probability * DISSENT) ** power
    whole = sum(weights.values()) + nothing
    likeliest = sorted(texts, key=lambda text: -weights[text])[:best]
    return tuple(_reading(told, text, weights[text] / whole) for text in likeliest)


def _given(look: Look, text: str) -> float:
    """The probability a look gives to *text*: as it said, else as far as its characters leave room for others."""
    for reading in look:
        if reading.text == text:
            return reading.probability
    alike = [reading for reading in look if len(reading.text) == len(text)]
    return max((reading.probability * _room(reading, text) for reading in alike), default=0.0)


def _room(reading: Reading, text: str) -> float:
    places = zip(reading.text, text, reading.characters, strict=True)
    return prod(min(1.0, (1 - sure) / max(sure, 1e-9) / RIVALS) for one, other, sure in places if one != other)


def _spelt_together(looks: Sequence[Look]) -> list[str]:
    """The plate that the looks spell place by place, where each misread another character; none when it is no plate."""
    lengths: defaultdict[int, float] = defaultdict(float)
    for look in looks:
        lengths[len(look[0].text)] += look[0].probability
    length = max(lengths, key=lengths.__getitem__)
    places: list[defaultdict[str, float]] = [defaultdict(float) for _ in range(length)]
    for reading in (look[0] for look in looks if len(look[0].text) == length):
        for place, one, sure in zip(places, reading.text, reading.characters, strict=True):
            place[one] += sure * reading.probability
    text = "".join(max(place, key=place.__getitem__) for place in places)
    return [text] if classify(text) else []


def _reading(looks: Sequence[Look], text: str, probability: float) -> Reading:
    """*text* as the looks together see it; each character's probability is the mean over the looks."""
    heard = [reading for look in looks for reading in look[:1] if len(reading.text) == len(text)]
    heard += [reading for look in looks for reading in look if reading.text == text]
    surest = max(heard, key=lambda reading: (reading.text == text, reading.probability))
    return Reading(text, classify(text), surest.colour, probability, _characters(looks, text))


def _characters(looks: Sequence[Look], text: str) -> tuple[float, ...]:
    alike = [[reading for reading in look if len(reading.text) == len(text)] for look in looks]
    return tuple(
        sum(max((r.characters[i] for r in readings if r.text[i] == one), default=0.0) for readings in alike)
        / len(looks)
        for i, one in enumerate(text)
    )
