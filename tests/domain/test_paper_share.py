"""How many papers of a total a lot may print by itself."""

from __future__ import annotations

import random

import pytest

from domain.paper_share import is_off, share


@pytest.mark.parametrize(
    ("remaining", "held", "lots", "week", "wanted"),
    [(100, 0, 1, 0, 10), (100, 0, 1, 30, 30), (100, 0, 3, 90, 16), (7, 0, 3, 0, 1), (5, 0, 3, 0, 0), (0, 10, 2, 0, 2)],
)
def test_a_lot_holds_a_weeks_papers_and_of_the_rest_at_most_its_half(
    remaining: int, held: int, lots: int, week: int, wanted: int
) -> None:
    assert share(remaining, held, lots, week) == wanted


@pytest.mark.parametrize(
    ("held", "wanted", "off"),
    [(10, 10, False), (4, 10, False), (3, 10, True), (15, 10, False), (16, 10, True), (1, 0, True), (0, 0, False)],
)
def test_too_few_and_too_many_are_off(held: int, wanted: int, off: bool) -> None:
    assert is_off(held, wanted) is off


@pytest.mark.parametrize("seed", range(200))
def test_cloud_and_lots_together_never_pass_a_total_and_at_its_end_nobody_keeps_papers_back(seed: int) -> None:
    draw = random.Random(seed)
    total, lots = draw.randrange(1, 200), draw.randrange(1, 6)
    held, given = [0] * lots, 0
    for _ in range(3_000):
        lot = draw.randrange(lots)
        rest = total - given - sum(held)
        match draw.randrange(6):
            case 0 if held[lot]:
                held[lot], given = held[lot] - 1, given + 1
            case 1 | 2:
                wanted = share(rest, held[lot], lots, draw.choice((0, 0, 40)))
                if is_off(held[lot], wanted):
                    held[lot] = min(wanted, rest + held[lot])
            case 3 if rest:
                given += 1
        assert given + sum(held) <= total

    assert given == total
