"""Terms of a template as the exit reads them: windows, until, passes, and a lot's ways (E6, E9, E10, E12)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from domain.coupon import Coupon, CouponKind, apply_coupons
from domain.coupon.model import CouponRules, Stacking
from domain.coupon.terms import PLAIN, Late, LotWays, Terms, terms_of, ways_of
from domain.decision import CouponGiven
from domain.pricing import coupon_of
from domain.wire import BadMessageError
from tests.domain.coupon.test_rules import ENTERED, LEFT, PRICE

at = datetime.fromisoformat
ISSUED = at("2026-03-03T11:00")  # half an hour before the car leaves, a Tuesday


def coupon(kind: str, value: int, terms: Terms, template_id: int = 5) -> Coupon:
    """As an exit reads it from a row."""
    spec = {"kind": kind, "value": value, "terms": terms.values(), "issued": ISSUED.isoformat()}
    return coupon_of(CouponGiven("c1", "coupon", json.dumps(spec | {"template_id": template_id}), 3))


@pytest.mark.parametrize(
    ("kind", "value", "terms", "due", "refused"),
    [
        ("PERCENT", 80, Terms(), 2400, None),
        ("AMOUNT", 1000, Terms(begins="2026-03-03", ends="2026-03-03"), 2000, None),
        ("AMOUNT", 1000, Terms(begins="2026-03-04"), 3000, "not_yet_valid"),
        ("AMOUNT", 1000, Terms(ends="2026-03-02"), 3000, "expired"),
        ("AMOUNT", 1000, Terms(weekdays=(5, 6)), 3000, "wrong_day"),
        ("AMOUNT", 1000, Terms(hours=((18 * 60, 2 * 60),)), 3000, "wrong_hour"),
        ("AMOUNT", 1000, Terms(lots=(8,)), 3000, "wrong_lot"),
        ("AMOUNT", 1000, Terms(lots=(4, 8)), 2000, None),
        ("AMOUNT", 1000, Terms(min_stay=240), 3000, "stay_too_short"),
        ("AMOUNT", 1000, Terms(leave_within=30), 2000, None),
        ("AMOUNT", 1000, Terms(leave_within=29), 3000, "left_too_late"),
    ],
)
def test_terms_are_judged_at_the_exit(kind: str, value: int, terms: Terms, due: int, refused: str | None) -> None:
    result = apply_coupons(PRICE, ENTERED, LEFT, [coupon(kind, value, terms)], lot=4)

    assert result.due == due
    assert [one.code for one in result.refused] == ([refused] if refused else [])


@pytest.mark.parametrize(
    ("until", "issued", "free_until"),
    [
        (18 * 60, "2026-03-03T11:00", "2026-03-03T18:00"),
        (2 * 60, "2026-03-03T22:00", "2026-03-04T02:00"),
        (11 * 60, "2026-03-03T11:00", "2026-03-04T11:00"),
        (-1, "2026-03-03T11:00", None),
    ],
)
def test_free_until_is_the_first_such_time_after_issue(until: int, issued: str, free_until: str | None) -> None:
    assert Terms(until=until).free_until(at(issued)) == (at(free_until) if free_until else None)


def test_free_until_a_time_prices_the_stay_from_then() -> None:
    """Given at 8:30, free until nine: 25 of 30 yuan are left, as in docs/coupons.md."""
    spec = json.dumps({"kind": "FREE_UNTIL", "terms": {"until": 540}, "issued": "2026-03-03T08:30"})
    given = coupon_of(CouponGiven("c1", "coupon", spec, 3))

    assert apply_coupons(PRICE, ENTERED, LEFT, [given]).due == 2500


def test_one_use_of_a_pass_is_enough_for_a_stay() -> None:
    assert Terms(uses=10, per_stay=3).stacking(5) == Stacking(False, "5", 1)
    assert Terms(per_stay=3, alone=True).stacking(5) == Stacking(True, "5", 3)


def test_a_lots_ways_become_rules() -> None:
    ways = LotWays(2, amount_first=True, one_kind=True, late=Late.ALLOW)
    ten, most = Coupon("ten", CouponKind.AMOUNT, 1000), Coupon("most", CouponKind.PERCENT, 80)

    assert ways_of(ways.values()) == ways
    assert ways_of({"max_coupons": "two", "late": "never"}) == LotWays()
    assert LotWays().rules == CouponRules()
    assert apply_coupons(PRICE, ENTERED, LEFT, [ten, most]).due == 1400
    assert apply_coupons(PRICE, ENTERED, LEFT, [ten, most], LotWays(amount_first=True).rules).due == 1600
    assert apply_coupons(PRICE, ENTERED, LEFT, [ten, most], ways.rules).due == 2000


@pytest.mark.parametrize(
    "wrong",
    [
        {"begins": "soon"},
        {"begins": "2026-03-04", "ends": "2026-03-03"},
        {"weekdays": [7]},
        {"hours": [[60, 60]]},
        {"hours": [60]},
        {"uses": 0},
        {"until": 1440},
        {"until": "noon"},
    ],
)
def test_terms_nobody_can_mean_are_no_terms(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadMessageError):
        coupon_of(CouponGiven("c1", "coupon", json.dumps({"kind": "AMOUNT", "value": 5, "terms": wrong}), 3))


def test_terms_survive_their_json_values() -> None:
    terms = Terms("2026-03-01", "2026-03-31", (0, 4), ((600, 1200),), (4,), 30, 15, -1, 1, True, 2)

    assert terms_of(json.loads(json.dumps(terms.values()))) == terms
    assert PLAIN.values() == {}
