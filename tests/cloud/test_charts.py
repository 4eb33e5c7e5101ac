"""Bars are as long as their amounts and stay in their box."""

from __future__ import annotations

from cloud.web.charts import Value, lying, standing


def values(*amounts: int) -> list[Value]:
    return [Value(str(number), amount, f"¥{amount}") for number, amount in enumerate(amounts)]


def test_a_bar_is_as_long_as_its_amount_and_the_longest_fits() -> None:
    chart = lying(values(100, 50, 0))

    assert [round(bar.width) for bar in chart.bars] == [380, 190, 1]
    assert all(bar.y + bar.height <= chart.height for bar in chart.bars)


def test_bars_side_by_side_stay_in_the_box_and_leave_labels_out_where_there_are_many() -> None:
    chart = standing(values(*range(31)))

    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.height for bar in chart.bars)
    assert sum(bar.label is not None for bar in chart.bars) == 11


def test_nothing_at_all_is_a_flat_picture() -> None:
    assert [bar.height for bar in standing(values(0, 0)).bars] == [1.0, 1.0]
    assert lying([]).bars == []
