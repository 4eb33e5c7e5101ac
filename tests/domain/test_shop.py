"""The cap of a purchase and the end of its validity."""

from __future__ import annotations

from datetime import date

import pytest

from domain.shop import first_day_after, is_over_cap, may_still_buy


@pytest.mark.parametrize(
    ("cap", "bought", "quantity", "over"),
    [(100, 80, 20, False), (100, 80, 21, True), (100, 30, 100, True), (100, 100, 1, True), (0, 10**6, 10**6, False)],
)
def test_a_purchase_above_what_is_left_is_refused_as_a_whole(cap: int, bought: int, quantity: int, over: bool) -> None:
    assert is_over_cap(cap, bought, quantity) is over


def test_what_is_left_is_never_below_nothing() -> None:
    assert [may_still_buy(100, 80), may_still_buy(100, 130), may_still_buy(0, 5)] == [20, 0, None]


@pytest.mark.parametrize(
    ("bought", "months", "over"),
    [
        (date(2026, 11, 22), 12, date(2027, 11, 22)),
        (date(2026, 1, 31), 1, date(2026, 3, 1)),
        (date(2026, 12, 31), 2, date(2027, 3, 1)),
        (date(2024, 2, 29), 12, date(2025, 3, 1)),
        (date(2026, 10, 31), 1, date(2026, 12, 1)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
    ],
)
def test_stock_is_good_for_whole_months_and_nobody_loses_a_day(bought: date, months: int, over: date) -> None:
    assert first_day_after(bought, months) == over
