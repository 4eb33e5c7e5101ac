"""Bars are as long as their amounts and stay in their box, and labels leave each other room."""

from __future__ import annotations

import pytest

from cloud.web.charts import LONGEST, Value, lying, standing


def values(*amounts: int) -> list[Value]:
    return [Value(str(number), amount, f"¥{amount}") for number, amount in enumerate(amounts)]


def test_a_bar_is_as_long_as_its_amount_and_the_longest_leaves_room_for_its_words() -> None:
    chart = lying(values(100, 50, 0))

    assert [bar.width for bar in chart.bars] == [LONGEST, LONGEST / 2, 0.4]
    assert all(bar.y + bar.height <= chart.height for bar in chart.bars)


@pytest.mark.parametrize("days", [1, 2, 7, 12, 13, 30, 31, 90, 366])
def test_bars_side_by_side_stay_in_the_box_and_leave_labels_out_where_there_are_many(days: int) -> None:
    chart = standing(values(*range(days)))

    labels = [bar.label for bar in chart.bars if bar.label]
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in chart.bars)
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.height for bar in chart.bars)
    assert 1 <= labels.count("any") <= 5
    assert min(days, 5) <= len(labels) <= 12
    assert all(bar.x <= 88 for bar in chart.bars if bar.label == "any")
    assert all(bar.x <= 93 for bar in chart.bars if bar.label)


def test_the_highest_of_many_is_named_and_nothing_at_all_is_a_flat_picture() -> None:
    most = standing(values(3, 9, 1)).most

    assert most is not None
    assert most.amount == 9
    assert [bar.height for bar in standing(values(0, 0)).bars] == [1.0, 1.0]
    assert standing(values(0, 0)).most is None
    assert lying([]).bars == []
