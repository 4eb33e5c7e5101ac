"""A mistake put in on purpose must be seen, or the simulator proves nothing."""

from __future__ import annotations

import pytest

from tests.simulator.faults import FAULTS
from tests.simulator.play import play
from tests.simulator.violations import ViolationError

pytestmark = pytest.mark.simulator

MOST_SEEDS = 300


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_the_fault_is_caught(name: str) -> None:
    fault = FAULTS[name]
    with fault.inject():
        seed, broken = first_violation()

    assert broken is not None, f"not caught within {MOST_SEEDS} seeds"
    assert broken.promise in fault.breaks, f"seed {seed}: {broken}"


def first_violation() -> tuple[int, ViolationError | None]:
    """The first seed whose world breaks a promise."""
    for seed in range(1, MOST_SEEDS + 1):
        try:
            play(seed)
        except ViolationError as exc:
            return seed, exc
    return MOST_SEEDS, None
