"""Plates out of a network's scores: connectionist temporal classification, held to the forms of GA 36-2018.

A CTC network gives for every column of a plate's picture the probability of each character and of a blank. A text's
probability is the sum over all ways to spread it over the columns (Graves et al. 2006). The search below adds these
up for the likeliest beginnings at once (prefix beam search) and never leaves the forms: it is in one state of an
automaton that knows which characters may come next. ``docs/plates.md`` has the rule with an example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate
from math import exp, inf, log
from typing import Final, TypeAlias

from domain.plate import FORMS, KIND_COLOURS, LATIN, PlateColour, classify
from domain.plate_reading import Reading

Column: TypeAlias = Mapping[str, float]
"""Natural-log probabilities of one column; "" is the blank, what is left out has none."""

Colours: TypeAlias = Mapping[PlateColour, float]
"""Natural-log probabilities of the plate's ground, UNKNOWN for no Chinese plate; empty when nothing is known of it."""

BLANK: Final = ""
BEAM: Final = 12  # beginnings kept after each column
MISJUDGED: Final = 0.02  # weight of a ground taken for another, and of a text misread without a trace
FREE_LENGTHS: Final = range(4, 10)  # characters of plates of other countries

_WORTH: Final = log(1e-4)  # a character less likely than this is not followed
_NOTHING: Final = (0, 0.0, 0.0)
_Path: TypeAlias = tuple[float, tuple[float, ...]]  # product of the probabilities, and these
_ABROAD: Final = frozenset({PlateColour.UNKNOWN})
_NO_PATH: Final[_Path] = (0.0, ())
_Beginnings: TypeAlias = dict[str, tuple[int, float, float]]  # state, mass ending in a blank, in the last character


@dataclass(frozen=True, slots=True)
class Automaton:
    """Which character may follow: *steps[state]* maps it to the next state. Reading starts in state 0."""

    steps: tuple[Mapping[str, int], ...]
    ends: frozenset[int]  # states in which a text is whole


def automaton_of(forms: Sequence[Sequence[str]]) -> Automaton:
    """The deterministic automaton of texts with, place by place, one character of a form (subset construction)."""
    start = frozenset((form, 0) for form in range(len(forms)))
    numbers, waiting, steps = {start: 0}, [start], list[Mapping[str, int]]()
    for places in waiting:  # grows while it is walked
        following: dict[str, set[tuple[int, int]]] = {}
        for form, place in places:
            for character in forms[form][place] if place < len(forms[form]) else "":
                following.setdefault(character, set()).add((form, place + 1))
        step = {}
        for character, reached in following.items():
            state = frozenset(reached)
            if state not in numbers:
                numbers[state] = len(numbers)
                waiting.append(state)
            step[character] = numbers[state]
        steps.append(step)
    ends = {number for state, number in numbers.items() if any(place == len(forms[form]) for form, place in state)}
    return Automaton(tuple(steps), frozenset(ends))


CHINESE: Final = automaton_of([form for _, form in FORMS])
FOREIGN: Final = automaton_of([[LATIN] * length for length in FREE_LENGTHS])


def decode(columns: Sequence[Column], colours: Colours, *, best: int = 3) -> tuple[Reading, ...]:
    """The *best* likeliest plates of GA 36-2018, likeliest first; none when no plate can be read.

    Each text weighs what its columns and its kind's colours say. A reading's probability is its share of the weight
    of every text found, of all that is no plate, and of a misread: smears that spell nothing come out low, and so does
    a clear text on a ground it is not made in.
    """
    found = texts(columns, CHINESE)
    weights = {text: mass * _agreement(_made_in(text), colours) for text, mass in found.items()}
    return _readings(columns, colours, weights, max(0.0, 1 - sum(found.values())), best)


def decode_freely(columns: Sequence[Column], colours: Colours, *, best: int = 3) -> tuple[Reading, ...]:
    """The *best* likeliest texts of Latin letters and digits, without a form: plates of other countries.

    Their ground is UNKNOWN; on another a text is what is left of a Chinese plate whose first character was lost.
    """
    found = texts(columns, FOREIGN)
    weights = {text: mass * _agreement(_ABROAD, colours) for text, mass in found.items()}
    return _readings(columns, colours, weights, max(0.0, 1 - sum(found.values())), best)


def texts(columns: Sequence[Column], automaton: Automaton) -> dict[str, float]:
    """The likeliest whole texts, each with its probability: the sum over the ways to spread it over the columns."""
    beginnings: _Beginnings = {"": (0, 1.0, 0.0)}
    for column in columns:
        likely = [(one, exp(score)) for one, score in column.items() if one and score > _WORTH]
        beginnings = _advanced(beginnings, exp(column.get(BLANK, -inf)), likely, automaton)
    return {text: blank + last for text, (state, blank, last) in beginnings.items() if state in automaton.ends}


def _advanced(
    beginnings: _Beginnings, blank: float, likely: Sequence[tuple[str, float]], automaton: Automaton
) -> _Beginnings:
    """The likeliest beginnings one column further on."""
    grown: _Beginnings = {}
    for text, (state, after_blank, after_last) in beginnings.items():
        steps, ending, both = automaton.steps[state], text[-1:], after_blank + after_last
        again = 0.0
        for one, probability in likely:
            mass = both * probability
            if one == ending:  # without a blank between it is the same character, seen for one column more
                again, mass = after_last * probability, after_blank * probability
            if one in steps:
                _, to_blank, to_last = grown.get(text + one, _NOTHING)
                grown[text + one] = (steps[one], to_blank, to_last + mass)
        _, to_blank, to_last = grown.get(text, _NOTHING)
        grown[text] = (state, to_blank + both * blank, to_last + again)
    if len(grown) <= BEAM:
        return grown
    return dict(nlargest(BEAM, grown.items(), key=lambda item: item[1][1] + item[1][2]))


def _readings(
    columns: Sequence[Column], colours: Colours, weights: Mapping[str, float], nothing: float, best: int
) -> tuple[Reading, ...]:
    whole = sum(weights.values()) + nothing + MISJUDGED
    likeliest = nlargest(best, ((weight, text) for text, weight in weights.items() if weight > 0))
    return tuple(
        Reading(text, classify(text), _ground(text, colours), weight / whole, _characters(columns, text))
        for weight, text in likeliest
    )


def _made_in(text: str) -> frozenset[PlateColour]:
    """The grounds that plates of this form have."""
    kind = classify(text)
    return KIND_COLOURS[kind] if kind else _ABROAD


def _agreement(grounds: frozenset[PlateColour], colours: Colours) -> float:
    """How well what was seen of the ground agrees with *grounds*, from MISJUDGED (not at all) to 1."""
    if not colours:
        return 1.0
    return MISJUDGED + (1 - MISJUDGED) * sum(exp(colours.get(colour, -inf)) for colour in grounds)


def _ground(text: str, colours: Colours) -> PlateColour:
    """The likeliest colour, those that such plates are made in before others."""
    grounds = _made_in(text)
    return max(
        colours,
        key=lambda colour: exp(colours[colour]) * (1 if colour in grounds else MISJUDGED),
        default=PlateColour.UNKNOWN,
    )


def _characters(columns: Sequence[Column], text: str) -> tuple[float, ...]:
    """Each character's probability in the column where it stands: the likeliest columns that keep the text's order."""
    ahead: list[_Path] = [(1.0, ())] * len(columns)  # best placing of the characters so far before each column
    for character in text:
        scores = (exp(column.get(character, -inf)) for column in columns)
        placed = [(mass * score, (*path, score)) for (mass, path), score in zip(ahead, scores, strict=False)]
        ahead = [_NO_PATH, *accumulate(placed, max)]
    return max(ahead)[1]
