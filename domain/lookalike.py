"""Which plates a misread plate may have been: look-alike characters, candidate keys, ranking, the one safe match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nlargest
from operator import eq
from typing import Final, TypeAlias

from domain.plate import PROVINCES

_DEEP: Final = 64  # candidates worth the slow comparison
_FLOOR: Final = 50  # a score under this is not worth a person's look


class Reason(StrEnum):
    """How a plate differs from what was read, the likeliest slip first."""

    SAME = "same"
    CONFUSABLE = "confusable"  # one character, of a pair cameras mix up
    LEARNED = "learned"  # one character, of a pair this camera was often corrected for
    PROVINCE = "province"  # only the first character, both are provinces
    MISSING = "missing"  # the read lacks one character
    EXTRA = "extra"  # the read has one too many
    SWAPPED = "swapped"  # two neighbours changed places
    ONE_CHARACTER = "one_character"  # one character, not of a known pair
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Characters that readers mix up. Both sets are symmetric; build it with :func:`lookalikes`.

    *learned* pairs rank what a person is shown. They never make a match safe: a lot's own corrections are few, may be
    typed wrong, and nobody but the lot has looked at them.
    """

    pairs: frozenset[tuple[str, str]]
    learned: frozenset[tuple[str, str]] = frozenset()

    def confusable(self, one: str, other: str) -> bool:
        """Whether a reader may take *one* for *other*."""
        return (one, other) in self.pairs

    def may_be_wrong(self, one: str) -> bool:
        """Whether a reader may take *one* for anything else."""
        return any(one == first for first, _ in self.pairs)


def lookalikes(groups: Iterable[str], learned: Iterable[str] = ()) -> Lookalikes:
    """A table in which every two characters of a group look alike; *learned* are groups of one camera."""
    return Lookalikes(_pairs(groups), _pairs(learned))


def _pairs(groups: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset((one, other) for group in groups for one in group for other in group if one != other)


CONFUSION_GROUPS: Final = ("0ODQ", "1ILT7", "2Z", "5S", "8B", "89", "6GC", "UVY", "MNW", "KX", "鲁晋皖", "京豫")
DEFAULT: Final = lookalikes(CONFUSION_GROUPS)

_COST: Final = {Reason.CONFUSABLE: 8, Reason.LEARNED: 10, Reason.PROVINCE: 12, Reason.ONE_CHARACTER: 25}
_SAFE: Final = frozenset({Reason.CONFUSABLE, Reason.PROVINCE})
_GAP: Final = 20
_SWAP: Final = 20


@dataclass(frozen=True, slots=True)
class Match:
    """One plate the read may have been: *score* 100 is the same, *position* counts from 0 (-1: no single place)."""

    plate: str
    score: int
    reason: Reason
    position: int = -1


@dataclass(frozen=True, slots=True)
class Exact:
    """The plate read is open."""

    plate: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """One open plate, and only one, differs in one confusable character or the province: safe to take."""

    match: Match


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must choose; best candidate first."""

    candidates: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No open plate comes near."""


Found: TypeAlias = Exact | Fuzzy | Ask | NoMatch


def lookalike_keys(plate: str) -> frozenset[str]:
    """Keys under which a near plate is found by equality: the plate, and it with each one character left out.

    Two plates that differ by one character changed, missing, added or swapped with its neighbour share a key. Keep
    them in an indexed column, ask with the keys of the read, then let :func:`match` judge the few rows found.
    """
    return frozenset([plate, *[plate[:place] + plate[place + 1 :] for place in range(len(plate))]])


@dataclass(slots=True)
class PlateIndex:
    """The same keys in memory, for lists of any size."""

    _plates: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, plate: str) -> None:
        for key in lookalike_keys(plate):
            self._plates[key].add(plate)

    def discard(self, plate: str) -> None:
        for key in lookalike_keys(plate):
            found = self._plates.get(key)
            if found is not None:
                found.discard(plate)
                if not found:
                    del self._plates[key]

    def near(self, read: str) -> frozenset[str]:
        """Every indexed plate that shares a key with *read*."""
        return frozenset(plate for key in lookalike_keys(read) for plate in self._plates.get(key, ()))


def match(read: str, open_plates: Iterable[str], table: Lookalikes = DEFAULT) -> Found:
    """Which open stay a read belongs to; all in normal form. Only Exact and Fuzzy may act without a person."""
    plates = frozenset(open_plates)
    if read in plates:
        return Exact(read)
    one_off = [plate for plate in plates if len(plate) == len(read) and _equal(read, plate) == len(read) - 1]
    safe = [near for plate in one_off if (near := compare(read, plate, table)).reason in _SAFE]
    if len(safe) == 1:
        return Fuzzy(safe[0])
    ranked = rank(read, plates, table)
    return Ask(ranked) if ranked else NoMatch()


def rank(read: str, candidates: Iterable[str], table: Lookalikes = DEFAULT, limit: int = _DEEP) -> tuple[Match, ...]:
    """The candidates a person should see, likeliest first, equal scores in the order of their plates."""
    roughly = nlargest(_DEEP, set(candidates), key=lambda plate: (_shared(read, plate), plate))
    judged = [near for near in (compare(read, plate, table) for plate in roughly) if near.score >= _FLOOR]
    return tuple(sorted(judged, key=lambda near: (-near.score, near.plate))[:limit])


def compare(read: str, plate: str, table: Lookalikes = DEFAULT) -> Match:
    """How *plate* differs from *read*, and how likely one is taken for the other."""
    if read == plate:
        return Match(plate, 100, Reason.SAME)
    reason, position = _single_slip(read, plate, table)
    score = max(0, 100 - _distance(read, plate, table))
    return Match(plate, score, reason, position)


def is_near(one: str, other: str, table: Lookalikes = DEFAULT) -> bool:
    """Whether two reads may well be of the same plate: near enough for a person to be shown one for the other."""
    return compare(one, other, table).score >= _FLOOR


def _shared(read: str, plate: str) -> int:
    """Equal places, counted from either end so that one missing character does not spoil the rest."""
    return max(_equal(read, plate), _equal(read[::-1], plate[::-1]))


def _equal(one: str, other: str) -> int:
    places: int = sum(map(eq, one, other))
    return places


def _single_slip(read: str, plate: str, table: Lookalikes) -> tuple[Reason, int]:
    first = next((i for i, (a, b) in enumerate(zip(read, plate, strict=False)) if a != b), min(len(read), len(plate)))
    if len(read) == len(plate):
        if read[first + 1 :] == plate[first + 1 :]:
            return _substitution(read[first], plate[first], first, table), first
        if read[first : first + 2] == plate[first : first + 2][::-1] and read[first + 2 :] == plate[first + 2 :]:
            return Reason.SWAPPED, first
    elif len(read) + 1 == len(plate) and read[first:] == plate[first + 1 :]:
        return Reason.MISSING, first
    elif len(read) == len(plate) + 1 and read[first + 1 :] == plate[first:]:
        return Reason.EXTRA, first
    return Reason.SEVERAL, -1


def _substitution(one: str, other: str, place: int, table: Lookalikes) -> Reason:
    if place == 0 and one in PROVINCES and other in PROVINCES:
        return Reason.PROVINCE
    if table.confusable(one, other):
        return Reason.CONFUSABLE
    return Reason.LEARNED if (one, other) in table.learned else Reason.ONE_CHARACTER


def _price(one: str, other: str, place: int, table: Lookalikes) -> int:
    if one == other:
        return 0
    if table.confusable(one, other):
        return _COST[Reason.CONFUSABLE]
    if (one, other) in table.learned:
        return _COST[Reason.LEARNED]
    return _COST[_substitution(one, other, place, table)]


def _distance(read: str, plate: str, table: Lookalikes) -> int:
    """Cheapest way to turn *plate* into *read*, each slip at its price (optimal string alignment)."""
    before: list[int] = []
    above = [column * _GAP for column in range(len(plate) + 1)]
    for row, one in enumerate(read):
        line = [(row + 1) * _GAP]
        for column, other in enumerate(plate):
            changed = above[column] + _price(one, other, max(row, column), table)
            cost = min(changed, above[column + 1] + _GAP, line[column] + _GAP)
            if row and column and one == plate[column - 1] and read[row - 1] == other:
                cost = min(cost, before[column - 1] + _SWAP)
            line.append(cost)
        before, above = above, line
    return above[len(plate)]
