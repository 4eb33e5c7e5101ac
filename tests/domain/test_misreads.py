"""What counts as a misread, and from when on a pair is learned."""

from __future__ import annotations

import pytest

from domain.misreads import LEAST_TIMES, learned_groups, misread_characters


@pytest.mark.parametrize(
    ("read", "truth", "pairs"),
    [
        ("京A12345", "京A12346", (("5", "6"),)),
        ("鲁A1234Q", "皖A12340", (("鲁", "皖"), ("Q", "0"))),
        ("京A12345", "京A12345", ()),
        ("京A12345", "沪B99999", ()),  # another car
        ("京A1234", "京A12345", ()),  # which character is missing nobody knows
        ("京A12345", "无ES16V2A", ()),
    ],
)
def test_characters_are_compared_only_where_the_plates_are_one(
    read: str, truth: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert misread_characters(read, truth) == pairs


def test_a_pair_is_learned_once_it_was_corrected_often_enough_either_way_round() -> None:
    counts = {("5", "6"): LEAST_TIMES - 1, ("6", "5"): 1, ("Q", "0"): LEAST_TIMES - 1, ("皖", "鲁"): LEAST_TIMES}

    assert learned_groups(counts) == ("56", "皖鲁")
    assert learned_groups({}) == ()
