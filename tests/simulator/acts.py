"""What may happen in a world besides bad luck: people, cars, merchants and forgers act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.world import World


@dataclass(frozen=True, slots=True)
class Act:
    """Something that may happen, and how often among the others."""

    weight: int
    play: Callable[[World], None]


ACTS: dict[str, Act] = {}


def act(weight: int) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Register an act under its function's name."""

    def register(play: Callable[[World], None]) -> Callable[[World], None]:
        ACTS[play.__name__] = Act(weight, play)
        return play

    return register
