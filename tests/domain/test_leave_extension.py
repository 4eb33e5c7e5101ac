"""More time to leave: only for those whose time had not run out when the exit jammed."""

from __future__ import annotations

import pytest

from domain.leave_extension import Extension, leave_within_min

MIN = 60_000
NOW = 1_000 * MIN


@pytest.mark.parametrize(
    ("settled_ago", "extensions", "minutes"),
    [
        (10, [], 15),
        (10, [(-5, 30)], 40),  # its time would end in 5 minutes, within the jam: now in 30
        (20, [(-10, 30)], 50),  # it ran out during the jam
        (20, [(-4, 30)], 15),  # it had run out a minute before the jam was declared
        (5, [(-5, 3)], 15),  # the jam ends before its time does
        (40, [(-30, -10), (-12, 20)], 60),  # one extension after another, joined
        (40, [(-30, -10), (-5, 20)], 30),  # with a gap between: its time ran out at the end of the first
    ],
)
def test_time_to_leave(settled_ago: int, extensions: list[tuple[int, int]], minutes: int) -> None:
    given = [Extension(NOW + since * MIN, NOW + until * MIN) for since, until in extensions]

    assert leave_within_min(15, settled_ago * MIN, NOW, given) == minutes
