"""What is left of payments once some of their sum went back: by hand, so no provider says which of them it was."""

from __future__ import annotations

import pytest

from domain.by_hand import left_of


@pytest.mark.parametrize(
    ("moves", "left"),
    [
        ([], {}),
        ([("a", 100)], {"a": 100}),
        ([("a", 100), ("b", 50), ("", 30)], {"a": 100, "b": 20}),  # the newest first
        ([("a", 100), ("b", 50), ("", 70)], {"a": 80, "b": 0}),
        ([("a", 100), ("", 100), ("b", 50)], {"a": 0, "b": 50}),  # what came later was not given back
        ([("a", 100), ("b", 50), ("", 70), ("", -70)], {"a": 100, "b": 50}),  # not agreed to: all there again
        ([("a", 100), ("b", 50), ("", 70), ("", -20)], {"a": 100, "b": 0}),  # in the order it was taken, backwards
        ([("a", 100), ("", 60), ("b", 50), ("", -60)], {"a": 100, "b": 50}),
        ([("a", 10), ("", 50)], {"a": 0}),  # more than was paid by hand
        ([("a", 10), ("", -5)], {"a": 10}),
    ],
)
def test_the_newest_payment_goes_back_first_and_comes_back_first(
    moves: list[tuple[str, int]], left: dict[str, int]
) -> None:
    assert left_of(moves) == left
