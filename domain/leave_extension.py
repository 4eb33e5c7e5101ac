"""More time to leave for everybody who has paid, while the exit is jammed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MS_A_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Extension:
    """From *since* to *until* (UTC wall clock, ms) nobody's time to leave runs out."""

    since_ms: int
    until_ms: int


def leave_within_min(minutes: int, settled_ms: int, now_ms: int, extensions: Iterable[Extension]) -> int:
    """*minutes* to leave, or more for a car settled *settled_ms* before *now_ms* whose time would run out in a jam.

    A time that had run out before the jam was declared stays run out.
    """
    settled_at = now_ms - settled_ms
    ends = settled_at + minutes * MS_A_MINUTE
    for one in sorted(extensions, key=lambda extension: extension.since_ms):
        if one.since_ms <= ends < one.until_ms:
            ends = one.until_ms
    return -((settled_at - ends) // MS_A_MINUTE)
