"""What an edge says it can do, and what a cloud makes of it."""

from __future__ import annotations

import pytest

from domain.sync.caps import FIRST, Caps, newest_versions, open_caps, own_caps, unreadable
from domain.wire import BadMessageError


def test_what_is_announced_is_read_as_it_was_meant() -> None:
    caps = own_caps(("lease.grant", "barrier.open"), ("rules",))

    assert open_caps(caps.message()) == caps
    assert caps.events == newest_versions()
    assert unreadable(caps) == []


def test_a_release_that_announced_nothing_is_the_first() -> None:
    assert open_caps(None) == FIRST
    assert "barrier.open" not in FIRST.commands


@pytest.mark.parametrize(
    "caps", [3, {"cmd": []}, {"cmd": [], "ch": "rules", "ev": {}}, {"cmd": [1], "ch": [], "ev": {}}]
)
def test_senseless_abilities_are_refused(caps: object) -> None:
    with pytest.raises(BadMessageError):
        open_caps(caps)


def test_types_and_versions_nobody_here_reads_are_named() -> None:
    caps = Caps(frozenset(), frozenset(), {"stay.closed": 2, "door.sung": 1, "stay.opened": 1})

    assert unreadable(caps) == ["door.sung", "stay.closed"]
