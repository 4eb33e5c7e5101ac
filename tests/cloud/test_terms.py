"""Templates with small print: kinds of E10, windows of E9, passes; what a lot is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import MultiDict

from cloud.act import Refused
from cloud.coupons import rules
from cloud.coupons import service as coupons
from cloud.coupons.forms import terms_in
from cloud.coupons.service import Issued
from cloud.sync.channels import get_row, rows_of
from domain.contract import WAIVER_CAP_FEN
from domain.coupon.limits import Level, Limits
from domain.coupon.terms import Terms
from domain.events import CouponRedeemed
from tests.cloud.world import NOW, World


def made(world: World, kind: str, value: int, **terms: Any) -> int:
    template = coupons.create_template(
        world.conn, world.act(), world.merchant_id, kind, kind, value, terms=Terms(**terms)
    )
    assert isinstance(template, int), template
    return template


def give(world: World, template: int, stay_id: str = "s1") -> Issued | Refused:
    return coupons.issue(world.conn, world.act("m"), world.merchant_id, template, stay_id)


@pytest.mark.parametrize(("kind", "value", "terms"), [("PERCENT", 80, {}), ("FREE_UNTIL", 0, {"until": 1080})])
def test_a_percentage_or_free_until_is_held_at_the_ceiling_and_told_whole(
    world: World, kind: str, value: int, terms: dict[str, int]
) -> None:
    world.car("s1")

    issued = give(world, made(world, kind, value, **terms))

    assert isinstance(issued, Issued), issued
    assert world.accounts()["outstanding"] == WAIVER_CAP_FEN
    row = get_row(world.conn, world.edge_id, "coupons", issued.coupon_id)
    assert row is not None
    told = (row["kind"], row["value"], row.get("terms", {}), row["issued_ms"], row["cap_fen"])
    assert told == (kind, value, terms, NOW, WAIVER_CAP_FEN)


@pytest.mark.parametrize(
    ("kind", "value", "terms", "code"),
    [
        ("PERCENT", 100, {}, "value_malformed"),
        ("PERCENT", 0, {}, "value_malformed"),
        ("FREE_UNTIL", 0, {}, "until_missing"),
        ("FREE_UNTIL", 5, {"until": 60}, "value_malformed"),
        ("AMOUNT", 500, {"until": 60}, "until_missing"),
        ("AMOUNT", 500, {"lots": (999,)}, "terms_malformed"),
        ("AMOUNT", 500, {"begins": "2026-02-30"}, "terms_malformed"),
        ("AMOUNT", 500, {"uses": 61}, "terms_malformed"),
        ("AMOUNT_CUSTOM", 0, {"uses": 2}, "pass_without_value"),
    ],
)
def test_small_print_that_makes_no_sense_is_refused(
    world: World, kind: str, value: int, terms: dict[str, Any], code: str
) -> None:
    refused = coupons.create_template(
        world.conn, world.act(), world.merchant_id, "t", kind, value, terms=Terms(**terms)
    )

    assert refused == Refused(code)


def test_a_coupon_that_is_over_or_of_another_lot_is_not_given(world: World) -> None:
    world.car("s1")
    other = world.lot_id + 1
    over = made(world, "AMOUNT", 500, ends="2026-05-28")  # the world's day is 2026-05-29
    here = made(world, "AMOUNT", 500, ends="2026-05-29", lots=(world.lot_id,))

    assert give(world, over) == Refused("coupon_over", {"ends": "2026-05-28"})
    assert isinstance(give(world, here), Issued)
    ask = coupons.Ask(other, world.merchant_id, here, "京A12345")
    assert coupons.refusal(world.conn, world.act(), ask) == Refused("coupon_other_lot")


def test_a_pass_is_a_coupon_for_each_use_paid_and_charged_one_by_one(world: World) -> None:
    world.car("s1")
    issued = give(world, made(world, "AMOUNT", 500, uses=3))
    assert isinstance(issued, Issued)
    held = world.accounts()["outstanding"]

    world.apply(CouponRedeemed("r1", issued.coupon_id, "s1", 500))

    rows = rows_of(world.conn, world.edge_id, "coupons")
    assert held == 1500
    assert (world.accounts()["outstanding"], world.accounts()["redeemed"]) == (1000, 500)
    assert len(rows) == 2
    assert {row["stay_id"] for _, row in rows} == {""}
    assert len({row["pass_id"] for _, row in rows}) == 1


def test_a_pass_counts_once_and_waits_until_its_last_use(world: World) -> None:
    world.car("s1")
    template, other = made(world, "AMOUNT", 500, uses=2), world.template()
    assert rules.set_limits(world.conn, world.act(), Level.LOT, world.lot_id, Limits(one_per_stay=True)) is None
    assert rules.set_limits(world.conn, world.act(), Level.COUPON, template, Limits(total=2)) is None
    first = give(world, template)
    again = give(world, other)
    assert isinstance(first, Issued)
    for number, (coupon_id, _) in enumerate(rows_of(world.conn, world.edge_id, "coupons")):
        world.apply(CouponRedeemed(f"r{number}", coupon_id, f"s{number}", 500))
    world.car("s9")

    later = give(world, template, "s9")

    assert again == Refused("one_per_stay")
    assert isinstance(later, Issued), later


def test_a_form_gives_the_terms_it_shows() -> None:
    typed = [
        ("until", ""), ("uses", "3"), ("begins", "2026-05-01"), ("ends", ""), ("hour_from", "18:00"),
        ("hour_to", "02:00"), ("leave_within", "60"), ("min_stay", ""), ("per_stay", ""), ("weekday", "4"),
        ("weekday", "0"), ("lot", "7"), ("alone", "1"), ("max_minutes", "120"),
    ]  # fmt: skip

    expected = Terms("2026-05-01", "", (0, 4), ((1080, 120),), (7,), 0, 60, -1, 3, True, max_minutes=120)
    assert terms_in(MultiDict(typed)) == expected


@pytest.mark.parametrize("wrong", [("hour_from", "18:00"), ("until", "noon"), ("uses", "many"), ("weekday", "Mon")])
def test_a_form_nobody_can_read_is_refused(wrong: tuple[str, str]) -> None:
    assert terms_in(MultiDict([wrong])) == Refused("terms_malformed")


def test_a_pass_that_is_not_repeated_is_taken_once_with_all_its_uses(world: World) -> None:
    world.car("s1")
    template = made(world, "AMOUNT", 500, uses=3)
    assert rules.set_limits(world.conn, world.act(), Level.COUPON, template, Limits(no_repeat=True)) is None

    first, again = give(world, template), give(world, template)

    assert isinstance(first, Issued)
    assert again == Refused("no_repeat")
    assert len(rows_of(world.conn, world.edge_id, "coupons")) == 3
