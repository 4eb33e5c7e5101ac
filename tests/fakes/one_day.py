"""What must happen on one day of a lot does, whenever the tests run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

ENOUGH_MIN = 180  # of a day, for a test


def begin_a_day_with_room(now_ms: int, later: Callable[[int], None]) -> None:
    """Have *later* put the clocks forward to the next day in China where too little is left of this one."""
    now = datetime.fromtimestamp(now_ms / 1000, ZoneInfo("Asia/Shanghai"))
    left_min = 24 * 60 - now.hour * 60 - now.minute
    if left_min < ENOUGH_MIN:
        later(left_min + 1)
