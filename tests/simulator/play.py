"""Play a seed with everything that may happen."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tests.simulator import acts_line, acts_trade  # noqa: F401 - they register their acts
from tests.simulator.acts_minds import change
from tests.simulator.acts_phone import Phones
from tests.simulator.world import STEPS, World


def play(
    seed: int,
    say: Callable[[str], None] | None = None,
    steps: int | None = None,
    *,
    phones: bool = False,
    minds: bool = False,
) -> World:
    """Run the world of *seed*; returns it for whoever wants to look. Raises ViolationError.

    With *phones* drivers pay by phone too, with *minds* people change theirs: other worlds, which tell other stories.
    """
    world = World(seed, say, steps or STEPS, Phones() if phones else None, change if minds else None)
    disabled = logging.root.manager.disable
    logging.disable()  # a bad network is no news here
    try:
        world.run()
    finally:
        logging.disable(disabled)
    return world
