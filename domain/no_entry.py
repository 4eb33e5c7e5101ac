"""What a car pays at the exit that never entered by our books: the first thing the price list charges for."""

from __future__ import annotations

from collections.abc import Callable

DAY_MINUTES = 24 * 60


def first_segment(fee_after: Callable[[int], int]) -> int:
    """The lowest fee above 0 within a day of parking, 0 where a day costs nothing.

    *fee_after* gives the fee of so many minutes and never falls as they grow.
    """
    if fee_after(DAY_MINUTES) <= 0:
        return 0
    least, most = 1, DAY_MINUTES
    while least < most:
        middle = (least + most) // 2
        if fee_after(middle) > 0:
            most = middle
        else:
            least = middle + 1
    return fee_after(least)
