"""The worked examples that fix what each coupon option means, on two published tariffs."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations

import pytest

from domain.coupon import (
    Coupon,
    CouponKind,
    CouponResult,
    CouponRules,
    Meaning,
    Remainder,
    apply_coupons,
)
from domain.tariff import TariffBook, VehicleClass, pricer
from tests.domain.tariff.test_golden import CALENDAR, G2, G4, load, moment

AMOUNT_FIRST = CouponRules(
    order=(
        CouponKind.FREE_UNTIL,
        CouponKind.DURATION,
        CouponKind.AMOUNT,
        CouponKind.PERCENT,
        CouponKind.FULL_WAIVER,
    )
)


def minutes(meaning: Meaning = Meaning.END, value: int = 60) -> Coupon:
    return Coupon(f"duration-{meaning}", CouponKind.DURATION, value, meaning, merchant_id=7)


def amount(fen: int, remainder: Remainder = Remainder.FORFEIT) -> Coupon:
    return Coupon(f"amount-{fen}", CouponKind.AMOUNT, fen, merchant_id=8, remainder=remainder)


def percent(value: int) -> Coupon:
    return Coupon(f"percent-{value}", CouponKind.PERCENT, value)


def until(text: str) -> Coupon:
    return Coupon("until", CouponKind.FREE_UNTIL, until=moment(text))


WAIVER = Coupon("full", CouponKind.FULL_WAIVER)


def use(
    name: str,
    entered: str,
    left: str,
    *coupons: Coupon,
    rules: CouponRules = CouponRules(),  # noqa: B008
) -> CouponResult:
    price = pricer(TariffBook([load(name)]), VehicleClass("small"), CALENDAR)
    return apply_coupons(price, moment(entered), moment(left), coupons, rules)


@pytest.mark.parametrize(
    ("coupons", "rules", "due"),
    [
        ((), CouponRules(), 3000),
        ((minutes(Meaning.END),), CouponRules(), 2500),
        ((minutes(Meaning.ENTRY),), CouponRules(), 2500),
        ((minutes(Meaning.FIRST),), CouponRules(), 2000),
        ((minutes(), percent(80)), CouponRules(), 2000),
        ((minutes(), percent(80), amount(1000)), CouponRules(), 1000),
        ((minutes(), percent(80), amount(1000)), AMOUNT_FIRST, 1200),
        ((amount(5000),), CouponRules(), 0),
        ((WAIVER,), CouponRules(), 0),
        ((WAIVER, minutes(), percent(80), amount(1000)), CouponRules(), 0),
        ((until("09:00"),), CouponRules(), 2500),
        ((until("12:00"),), CouponRules(), 0),
    ],
)
def test_coupons_on_three_and_a_half_hours_at_the_airport(
    coupons: tuple[Coupon, ...], rules: CouponRules, due: int
) -> None:
    result = use(G2, "08:00", "11:30", *coupons, rules=rules)

    assert (result.fee, result.due) == (3000, due)
    assert result.fee - sum(applied.off for applied in result.applied) == result.due


@pytest.mark.parametrize(("meaning", "due"), [(Meaning.END, 300), (Meaning.ENTRY, 1000), (Meaning.FIRST, 1000)])
def test_an_hour_across_the_evening_boundary_depends_on_its_meaning(meaning: Meaning, due: int) -> None:
    result = use(G4, "17:00", "19:00", minutes(meaning))

    assert (result.fee, result.due) == (1300, due)


@pytest.mark.parametrize(
    ("remainder", "charged"), [(Remainder.FORFEIT, 5000), (Remainder.RETURN, 3000), (Remainder.CHARGE_USED, 3000)]
)
def test_the_part_not_needed_is_lost_or_stays_with_the_merchant(remainder: Remainder, charged: int) -> None:
    (applied,) = use(G2, "08:00", "11:30", amount(5000, remainder)).applied

    assert (applied.off, applied.used, applied.unused, applied.charged) == (3000, 3000, 2000, charged)
    assert applied.merchant_id == 8


def test_the_log_names_every_step_in_order() -> None:
    result = use(G2, "08:00", "11:30", amount(1000), percent(80), minutes())

    assert [(step.rule, step.before, step.after) for step in result.steps] == [
        ("duration:end", 3000, 2500),
        ("percent", 2500, 2000),
        ("amount", 2000, 1000),
    ]


def test_the_order_of_scanning_never_matters() -> None:
    coupons = (minutes(), minutes(Meaning.FIRST, 30), percent(80), amount(700))

    results = {use(G2, "08:00", "11:30", *order) for order in permutations(coupons)}

    assert len(results) == 1


def test_a_result_survives_its_json_values() -> None:
    result = use(G2, "08:00", "11:30", minutes(), amount(9000), percent(50))

    assert CouponResult.from_values(result.to_values()) == result
    assert datetime.fromisoformat("2026-03-03T08:00") == moment("08:00")
