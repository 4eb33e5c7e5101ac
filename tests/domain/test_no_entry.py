"""What a car pays that nobody saw come in, and that it is the same whenever it is worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.decision import Admit, ExitInputs, OpenStay, PayFirst, Priced, decide_exit, replayed
from domain.no_entry import first_segment
from tests.domain.test_decision import MINUTE, STAY, hourly, leaving


@pytest.mark.parametrize(
    ("fee_after", "fee"),
    [
        (lambda minutes: 0 if minutes <= 15 else -(-minutes // 60) * 500, 500),
        (lambda minutes: minutes // 15 * 250, 250),  # only whole quarters
        (lambda minutes: 700 if minutes > 20 else 0, 700),
        (lambda minutes: 300, 300),  # from the first minute
        (lambda minutes: 900 if minutes >= 1440 else 0, 900),
        (lambda minutes: 0, 0),
    ],
)
def test_the_first_segment_is_the_first_thing_charged(fee_after: Callable[[int], int], fee: int) -> None:
    assert first_segment(fee_after) == fee


def with_free_minutes(inputs: ExitInputs, stay: OpenStay) -> Priced:
    if inputs.length_ms <= 15 * MINUTE and inputs.first_stay_of_day:
        return Priced(0, ())
    return hourly(inputs, stay)


@pytest.mark.parametrize("waited", [0, 30, 600])
def test_it_does_not_matter_how_long_the_car_stands_at_the_exit(waited: int) -> None:
    stay = replace(STAY, no_entry="first_segment")

    decision = decide_exit(leaving(stay=stay, length_ms=waited * MINUTE), with_free_minutes)

    assert decision.verdict == PayFirst(500)
    assert decision.explanation["lines"] == [{"rule": "no_entry:first_segment", "fen": 500}]
    assert replayed(decision.text(), with_free_minutes) == decision.text()


def test_a_fixed_fee_is_that_whatever_the_price_list_says_and_is_paid_once() -> None:
    stay = replace(STAY, no_entry="fixed_fee:1500")

    assert decide_exit(leaving(stay=stay), hourly).verdict == PayFirst(1500)
    assert decide_exit(leaving(stay=replace(stay, paid_fen=1500)), hourly).verdict == Admit("nothing_due")


def test_a_kind_exempt_by_law_leaves_free_also_without_an_entry() -> None:
    police = replace(STAY, plate="京A1234警", no_entry="fixed_fee:1500")

    decision = decide_exit(leaving("京A1234警", near=("京A1234警",), stay=police), hourly)

    assert decision.verdict == Admit("free_kind")
