"""Which coupons hold, which go together, and what each may take off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.coupon import (
    Coupon,
    CouponKind,
    CouponRules,
    Meaning,
    Remainder,
    Stacking,
    Validity,
    apply_coupons,
)
from domain.fen import Fen
from domain.tariff import TariffBook, VehicleClass, pricer
from tests.domain.tariff.test_golden import CALENDAR, G2, G4, load

at = datetime.fromisoformat
ENTERED, LEFT = at("2026-03-03T08:00"), at("2026-03-03T11:30")  # a Tuesday; 30 yuan
PRICE = pricer(TariffBook([load(G2)]), VehicleClass("small"), CALENDAR)
TEN = Coupon("ten", CouponKind.AMOUNT, 1000)


def use(*coupons: Coupon, rules: CouponRules = CouponRules(), lot: int | None = 4) -> tuple[int, dict[str, str]]:  # noqa: B008
    result = apply_coupons(PRICE, ENTERED, LEFT, coupons, rules, lot)
    return result.due, {refused.coupon_id: refused.code for refused in result.refused}


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        ({"begins": at("2026-03-03T11:31")}, "not_yet_valid"),
        ({"begins": LEFT, "ends": LEFT}, None),
        ({"ends": at("2026-03-03T11:29")}, "expired"),
        ({"lots": (5, 6)}, "wrong_lot"),
        ({"lots": (4,)}, None),
        ({"weekdays": (5, 6)}, "wrong_day"),
        ({"weekdays": (1,)}, None),
        ({"hours": ((18 * 60, 24 * 60),)}, "wrong_hour"),
        ({"hours": ((22 * 60, 12 * 60),)}, None),
        ({"min_stay": 211}, "stay_too_short"),
        ({"min_stay": 210}, None),
        ({"leave_within": 29}, "left_too_late"),
        ({"leave_within": 30}, None),
    ],
)
def test_a_coupon_outside_its_validity_is_refused_with_the_reason(validity: dict[str, Any], code: str | None) -> None:
    coupon = replace(TEN, validity=Validity(**validity), issued_at=LEFT - timedelta(minutes=30))

    assert use(coupon) == ((3000, {"ten": code}) if code else (2000, {}))


def test_a_coupon_that_goes_with_nothing_gives_way_to_a_better_set() -> None:
    alone = replace(TEN, id="alone", value=1500, stacking=Stacking(alone=True))

    assert use(alone, TEN) == (1500, {"ten": "not_with_others"})
    assert use(alone, TEN, replace(TEN, id="eleven", value=1100)) == (900, {"alone": "not_with_others"})


def test_at_most_so_many_of_one_template() -> None:
    one, two, three = (
        replace(TEN, id=name, stacking=Stacking(template="mall", per_stay=2)) for name in ("a", "b", "c")
    )

    assert use(three, one, two) == (1000, {"c": "template_limit"})


def test_a_lot_may_limit_how_many_and_which_kinds() -> None:
    half = Coupon("half", CouponKind.PERCENT, 50)
    money_only = CouponRules(together=(frozenset({CouponKind.AMOUNT}), frozenset({CouponKind.PERCENT})))

    assert use(TEN, half, rules=CouponRules(max_coupons=1)) == (1500, {"ten": "coupon_limit"})
    assert use(TEN, half, rules=money_only) == (1500, {"ten": "kinds_not_together"})


def test_a_coupon_without_effect_keeps_its_value() -> None:
    waiver = Coupon("waiver", CouponKind.FULL_WAIVER)

    assert use(waiver, TEN) == (0, {"ten": "no_effect"})


def test_two_half_hours_together_may_save_what_neither_does_alone() -> None:
    price = pricer(TariffBook([load(G2)]), VehicleClass("small"), CALENDAR)
    halves = [Coupon(name, CouponKind.DURATION, 30) for name in ("a", "b")]

    result = apply_coupons(price, ENTERED, at("2026-03-03T11:00"), halves)

    assert (result.fee, result.due, result.refused) == (2500, 2000, ())


def test_twelve_coupons_are_tried_in_every_set() -> None:
    """Each half hour saves nothing by itself, so a choice among those that save most would miss the best pair."""
    price = pricer(TariffBook([load(G2)]), VehicleClass("small"), CALENDAR)
    halves = [Coupon(name, CouponKind.DURATION, 30) for name in ("y", "z")]
    small = [Coupon(f"a{number}", CouponKind.AMOUNT, 1) for number in range(10)]

    result = apply_coupons(price, ENTERED, at("2026-03-03T11:00"), [*small, *halves], CouponRules(max_coupons=2))

    assert (result.due, [one.coupon_id for one in result.applied]) == (2000, ["y", "z"])


def test_the_minutes_and_the_fen_a_coupon_saves_may_be_limited() -> None:
    hours = [Coupon(name, CouponKind.DURATION, 60, max_minutes=90) for name in ("a", "b")]
    result = apply_coupons(PRICE, ENTERED, LEFT, hours)
    assert sum(applied.minutes for applied in result.applied) == 90

    capped = Coupon("capped", CouponKind.FULL_WAIVER, max_fen=2000)
    assert use(capped) == (1000, {})


def test_minutes_not_needed_are_reported() -> None:
    whole_day = Coupon("day", CouponKind.DURATION, 600, remainder=Remainder.CHARGE_USED)

    (applied,) = apply_coupons(PRICE, ENTERED, LEFT, [whole_day]).applied

    assert (applied.unit, applied.used, applied.unused, applied.charged) == ("MIN", 210, 390, 210)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": CouponKind.PERCENT, "value": 101},
        {"kind": CouponKind.AMOUNT, "value": -1},
        {"kind": CouponKind.FREE_UNTIL},
        {"kind": CouponKind.AMOUNT, "value": 1, "validity": Validity(leave_within=5)},
    ],
)
def test_a_coupon_its_kind_cannot_have_is_broken(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|needs|counts from"):
        Coupon(id="x", **wrong)


def test_an_order_names_every_kind_once() -> None:
    with pytest.raises(ValueError, match="every kind"):
        CouponRules(order=(CouponKind.AMOUNT, CouponKind.PERCENT))


def test_two_coupons_may_not_share_an_id() -> None:
    with pytest.raises(ValueError, match="share an id"):
        use(TEN, TEN)


def test_a_coupon_survives_its_json_values() -> None:
    validity = Validity(ENTERED, LEFT, (1, 2), ((60, 120),), (4,), 30, 15)
    coupon = Coupon(
        "c", CouponKind.DURATION, 60, Meaning.ENTRY, None, 7, validity, Stacking(True, "t", 2),
        Remainder.RETURN, 90, 500, ENTERED, "voucher",
    )  # fmt: skip

    assert Coupon.from_values(coupon.to_values()) == coupon


DRAWN = st.lists(
    st.builds(
        lambda number, kind, meaning, value: Coupon(
            f"c{number}",
            kind,
            value % 101 if kind is CouponKind.PERCENT else value,
            meaning,
            until=ENTERED + timedelta(minutes=value) if kind is CouponKind.FREE_UNTIL else None,
        ),
        st.integers(0, 9),
        st.sampled_from(CouponKind),
        st.sampled_from(Meaning),
        st.integers(1, 3000),
    ),
    max_size=4,
    unique_by=lambda coupon: coupon.id,
)
PRICES = [pricer(TariffBook([load(name)]), VehicleClass("small"), CALENDAR) for name in (G2, G4)]


@given(DRAWN, st.sampled_from(PRICES), st.integers(0, 4000), st.randoms(use_true_random=False))
@settings(max_examples=80, derandomize=True, deadline=None, database=None)
def test_dues_are_never_negative_nor_above_the_fee_and_do_not_depend_on_the_order(
    coupons: list[Coupon], price: Any, length: int, shuffle: Any
) -> None:
    left = ENTERED + timedelta(minutes=length)
    result = apply_coupons(price, ENTERED, left, coupons)
    shuffled = list(coupons)
    shuffle.shuffle(shuffled)

    assert apply_coupons(price, ENTERED, left, shuffled) == result
    assert 0 <= result.due <= result.fee
    assert result.due == Fen(result.fee - sum(applied.off for applied in result.applied))
    assert {one.coupon_id for one in result.applied} | {one.coupon_id for one in result.refused} == {
        coupon.id for coupon in coupons
    }
