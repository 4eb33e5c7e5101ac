"""Every seed is a world of its own in which every promise must hold."""

from __future__ import annotations

import pytest

from tests.simulator.play import play

pytestmark = pytest.mark.simulator


def test_every_promise_holds_in_every_world(seeds: range) -> None:
    for seed in seeds:
        play(seed)


@pytest.mark.parametrize("seed", [2940, 8297, 8847])
def test_worlds_that_broke_a_promise_once_hold(seed: int) -> None:
    """Withdrawn after its car had paid with it (a coupon, a voucher); used while the event of it was set aside."""
    play(seed)


def test_a_seed_tells_the_same_story_twice() -> None:
    stories: list[list[str]] = [[], []]
    for story in stories:
        play(7, story.append)

    assert stories[0] == stories[1]
    assert len(stories[0]) > 50
