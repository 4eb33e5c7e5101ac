"""How many papers of a coupon with a total a lot may print by itself (docs/coupons.md, "How many a car may have").

What a lot may still print counts as given, so the cloud and all lots together never pass the total.
"""

from __future__ import annotations

FEWEST = 10  # what a lot holds that has printed few of it lately
LOW_PERCENT = 40  # of what it should hold: below, it gets more


def share(remaining: int, held: int, lots: int, week: int) -> int:
    """How many a lot should hold: what it printed in a *week*, and of all that is left at most half over the *lots*.

    *remaining*: how many nobody has and nobody holds; *held*: how many this lot holds.
    """
    return max(0, min(max(FEWEST, week), (remaining + held) // (2 * max(1, lots))))


def is_off(held: int, wanted: int) -> bool:
    """Does a lot hold too few, or so many that others wait for them?"""
    return held * 100 < wanted * LOW_PERCENT or held > wanted + wanted // 2
