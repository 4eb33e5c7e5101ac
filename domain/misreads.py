"""What a camera was corrected for, and from when on that says which characters it mixes up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOST_PLACES: Final = 2  # a plate that differs in more was another car, or typed from nowhere
LEAST_TIMES: Final = 3  # corrections of one pair before it counts
WITHIN_DAYS: Final = 180  # lenses get cleaned and cameras turned: older corrections say nothing


def misread_characters(read: str, truth: str) -> tuple[tuple[str, str], ...]:
    """Pairs (read, true) where a camera read *read* on a plate that says *truth*; none when it may be another car."""
    if len(read) != len(truth):
        return ()
    pairs = tuple((one, other) for one, other in zip(read, truth, strict=True) if one != other)
    return pairs if len(pairs) <= MOST_PLACES else ()


def learned_groups(counts: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """Pairs of characters that were mixed up often enough, either way round, as groups for ``lookalikes``."""
    either: dict[str, int] = {}
    for pair, count in counts.items():
        group = "".join(sorted(pair))
        either[group] = either.get(group, 0) + count
    return tuple(sorted(group for group, count in either.items() if count >= LEAST_TIMES))
