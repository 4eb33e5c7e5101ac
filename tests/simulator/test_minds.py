"""Worlds in which people change their minds: nothing is used after its value went back, nothing is charged twice."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest

from tests.simulator.play import play
from tests.simulator.violations import ViolationError

pytestmark = pytest.mark.simulator

WORLDS = 20
FAULTS: dict[str, tuple[str, Callable[[object], object]]] = {
    "the_lot_forgets_who_has_paid_with_what": ("edge.db.counted.holders", lambda _: {}),
}


def test_every_promise_holds_whoever_changes_their_mind() -> None:
    _play_all(range(1, WORLDS + 1))


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_with_what_was_paid_with_is_caught(name: str) -> None:
    with patch(*FAULTS[name]), pytest.raises(ViolationError) as caught:
        _play_all(range(1, 300))

    assert caught.value.promise == "void"


def _play_all(seeds: range) -> None:
    for seed in seeds:
        play(seed, minds=True)
