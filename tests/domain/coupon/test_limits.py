"""The six messages of the merchants' manual (S2.24-S2.30), and caps of static codes (E11)."""

from __future__ import annotations

import pytest

from domain.coupon.limits import (
    NONE,
    Given,
    Levels,
    Limits,
    Over,
    Taken,
    Wanted,
    limits_of,
    over,
    paper_over,
)

NOODLES, BOOKS = 1, 2
TODAY, YESTERDAY = "2026-03-03", "2026-03-02"


def wanted(count: int = 1, merchant_id: int = NOODLES, template_id: int = 10, stay_id: str = "s2") -> Wanted:
    return Wanted(merchant_id, template_id, stay_id, TODAY, count)


def took(merchant_id: int = NOODLES, template_id: int = 10, stay_id: str = "s2", day: str = TODAY) -> Taken:
    return Taken(merchant_id, {NOODLES: "面馆", BOOKS: "书店"}[merchant_id], template_id, stay_id, day)


ONE_MERCHANT = Levels(lot=Limits(one_merchant=True))
ONE_A_STAY = Levels(lot=Limits(one_per_stay=True))
ONE_OF_THE_MERCHANT = Levels(merchant=Limits(one_per_stay=True))
TWO_A_DAY = Levels(lot=Limits(per_day=2))
NO_REPEAT = Levels(coupon=Limits(no_repeat=True))


@pytest.mark.parametrize(
    ("levels", "taken", "asked", "expected"),
    [
        (Levels(), [took()] * 50, wanted(50), None),
        # 1: not from different merchants on one stay
        (ONE_MERCHANT, [took(BOOKS)], wanted(), Over("other_merchant", {"merchant": "书店"})),
        (ONE_MERCHANT, [took(BOOKS, stay_id="")], wanted(), Over("other_merchant", {"merchant": "书店"})),
        (ONE_MERCHANT, [took(BOOKS, stay_id="s1")], wanted(), None),
        (ONE_MERCHANT, [took()], wanted(), None),
        # 2: one per stay, of the lot or of the merchant
        (ONE_A_STAY, [took(BOOKS)], wanted(), Over("one_per_stay")),
        (ONE_A_STAY, [took(stay_id="s1")], wanted(), None),
        (ONE_A_STAY, [], wanted(2), Over("one_per_stay")),
        (ONE_OF_THE_MERCHANT, [took(BOOKS)], wanted(), None),
        (ONE_OF_THE_MERCHANT, [took(template_id=11)], wanted(), Over("one_per_stay")),
        # 3: so many a day, whatever the stay
        (TWO_A_DAY, [took(BOOKS, stay_id="s1")], wanted(), None),
        (TWO_A_DAY, [took(BOOKS, stay_id="s1")], wanted(2), Over("daily_max", {"most": 2})),
        (TWO_A_DAY, [took(day=YESTERDAY)] * 2, wanted(2), None),
        (Levels(merchant=Limits(per_day=1)), [took(BOOKS)], wanted(), None),
        (Levels(merchant=Limits(per_day=1)), [took(template_id=11)], wanted(), Over("daily_max", {"most": 1})),
        (Levels(coupon=Limits(per_day=1)), [took(template_id=11)], wanted(), None),
        (Levels(Limits(per_day=3), Limits(per_day=1)), [took()] * 3, wanted(), Over("daily_max", {"most": 1})),
        # 4: this coupon once for a plate, ever
        (NO_REPEAT, [took(stay_id="s1", day=YESTERDAY)], wanted(), Over("no_repeat")),
        (NO_REPEAT, [took(template_id=11)], wanted(), None),
        # 6: several at once of one that is not repeated; where one per stay is on, that is said
        (NO_REPEAT, [], wanted(2), Over("multi_not_allowed")),
        (Levels(NONE, Limits(one_per_stay=True), Limits(no_repeat=True)), [], wanted(2), Over("one_per_stay")),
    ],
)
def test_each_message_has_its_cases(levels: Levels, taken: list[Taken], asked: Wanted, expected: Over | None) -> None:
    assert over(asked, taken, levels) == expected


def test_a_coupon_may_be_gone_for_the_day_or_for_good() -> None:
    coupon = Limits(day_total=5, total=20)

    assert paper_over(wanted(2), coupon, Given(3, 18)) is None
    assert paper_over(wanted(2), coupon, Given(4, 10)) == Over("all_taken_today")
    assert over(wanted(), [], Levels(coupon=coupon), Given(0, 20)) == Over("all_taken")


def test_limits_survive_their_json_values_and_nonsense_limits_nothing() -> None:
    limits = Limits(True, True, 3, True, 4, 5)

    assert limits_of(limits.values()) == limits
    assert limits_of({"per_day": "many", "no_repeat": 1, "later": True}) == NONE
    assert limits_of(None) == NONE
