"""Coupons from afar: straight to a car inside, used once, withdrawn without anybody paying twice."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import service as coupons
from cloud.coupons.service import Issued
from cloud.merchants import service as merchants
from cloud.sync.channels import get_row
from cloud.sync.errors import CannotApplyError
from domain.contract import WAIVER_CAP_FEN
from domain.events import ChannelApplied, CouponKept, CouponRedeemed, CouponRestored, StayClosed
from domain.ledger import Commodity
from domain.serial import parse_serial
from tests.cloud.world import NOW, World


def issue(world: World, kind: str = "AMOUNT", value: int = 500, stay_id: str = "s1") -> Issued:
    made = coupons.issue(world.conn, world.act("m"), world.merchant_id, world.template(kind, value), stay_id)
    assert isinstance(made, Issued), made
    return made


def test_a_coupon_for_a_car_inside_is_paid_and_sent_to_its_lot(world: World) -> None:
    world.car("s1")

    made = issue(world)

    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "outstanding": 500}
    row = get_row(world.conn, world.edge_id, "coupons", made.coupon_id)
    assert row is not None
    assert (row["plate"], row["stay_id"], row["kind"], row["value"]) == ("京A12345", "s1", "AMOUNT", 500)
    serial = parse_serial(made.serial)
    assert serial is not None
    assert serial.checked
    assert serial.made_ms == NOW


def test_a_duration_coupon_takes_minutes_and_no_money(world: World) -> None:
    world.car("s1")

    issue(world, "DURATION", 60)

    assert world.accounts(Commodity.MIN) == {"recharge": -600, "available": 540, "outstanding": 60}
    assert world.accounts()["available"] == 12_000


def test_a_full_waiver_is_held_at_its_ceiling(world: World) -> None:
    world.car("s1")

    issue(world, "FULL_WAIVER", 0)

    assert world.accounts()["outstanding"] == WAIVER_CAP_FEN


def test_a_balance_may_be_spent_to_zero_and_not_below(world: World) -> None:
    world.car("s1")
    issue(world, "AMOUNT", 12_000)

    refused = coupons.issue(world.conn, world.act(), world.merchant_id, world.template("AMOUNT", 1), "s1")

    assert refused == Refused("balance_short", {"left": 0, "needed": 1})


def test_of_several_at_once_all_are_given_or_none(world: World) -> None:
    world.car("s1")
    template = world.template("AMOUNT", 5_000)

    short = coupons.issue(world.conn, world.act(), world.merchant_id, template, "s1", count=3)
    before = (world.accounts(), coupons.coupons(world.conn, world.operator_id).total)
    given = coupons.issue(world.conn, world.act(), world.merchant_id, template, "s1", count=2)

    assert short == Refused("balance_short", {"left": 2_000, "needed": 5_000})
    assert before == ({"recharge": -12_000, "available": 12_000}, 0)
    assert isinstance(given, Issued)
    assert len({row["serial"] for row in coupons.coupons(world.conn, world.operator_id).items}) == 2
    assert world.accounts() == {"recharge": -12_000, "available": 2_000, "outstanding": 10_000}
    assert check_all(world.conn) == []


def test_only_cars_inside_get_coupons(world: World) -> None:
    world.car("s1")
    world.apply(StayClosed("s1", "out", "京A12345", "FREE", "", 0, 0, 0, 0, 0, "d", "t"))

    template = world.template()

    for stay_id in ("s1", "never"):
        refused = coupons.issue(world.conn, world.act(), world.merchant_id, template, stay_id)
        assert refused == Refused("stay_not_inside")


def test_disabled_merchants_and_deleted_templates_issue_nothing(world: World) -> None:
    world.car("s1")
    template = world.template()
    coupons.delete_template(world.conn, world.act(), world.merchant_id, template)
    gone = coupons.issue(world.conn, world.act(), world.merchant_id, template, "s1")
    other = world.template()
    merchants.set_enabled(world.conn, world.act(), world.merchant_id, enabled=False)

    disabled = coupons.issue(world.conn, world.act(), world.merchant_id, other, "s1")

    assert (gone, disabled) == (Refused("template_unknown"), Refused("merchant_disabled"))


def test_a_used_coupon_is_charged_once_and_leaves_the_lots_list(world: World) -> None:
    world.car("s1")
    made = issue(world)

    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 400))
    world.apply(CouponRedeemed("r2", made.coupon_id, "s1", 400))

    assert world.accounts() == {
        "recharge": -12_000,
        "available": 11_500,
        "redeemed": 500,
        "operator_loss": -400,
        "unfunded": 400,
    }
    assert world.codes() == ["coupon_used_again"]
    assert get_row(world.conn, world.edge_id, "coupons", made.coupon_id) is None


def test_the_same_redemption_told_twice_is_one(world: World) -> None:
    world.car("s1")
    made = issue(world)

    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 400))
    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 400))

    assert world.accounts()["redeemed"] == 500
    assert world.codes() == []


def test_a_void_returns_its_value_only_when_the_lot_provably_knows(world: World) -> None:
    world.car("s1")
    made = issue(world)
    assert coupons.void(world.conn, world.act(), made.coupon_id, "wrong car") is None

    world.apply(ChannelApplied("coupons", 1))  # the version that brought the coupon, not the void
    before = world.accounts()
    world.apply(ChannelApplied("coupons", 2))

    assert before == {"recharge": -12_000, "available": 11_500, "void_pending": 500}
    assert world.accounts() == {"recharge": -12_000, "available": 12_000}
    state = coupons.coupons(world.conn, world.operator_id).items[0]["state"]
    assert state == "VOIDED"


def test_a_coupon_used_before_the_lot_heard_of_its_void_costs_the_operator(world: World) -> None:
    world.car("s1")
    made = issue(world)
    coupons.void(world.conn, world.act(), made.coupon_id, "wrong car")

    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 300))
    world.apply(ChannelApplied("coupons", 2))

    assert world.accounts() == {"recharge": -12_000, "available": 12_000, "operator_loss": -300, "unfunded": 300}
    assert world.codes() == ["coupon_used_after_void"]


def left(stay_id: str, off_fen: int) -> StayClosed:
    return StayClosed(stay_id, "out", "京A12345", "PAID", "", 900, off_fen, 0, 900 - off_fen, 0, "d", "t")


@pytest.mark.parametrize("is_used", [True, False])
def test_a_void_waits_for_the_car_that_had_paid_with_the_coupon(world: World, is_used: bool) -> None:
    world.car("s1")
    made = issue(world)
    coupons.void(world.conn, world.act(), made.coupon_id, "wrong car")

    world.apply(CouponKept(made.coupon_id, "s1"))
    world.apply(ChannelApplied("coupons", 2))
    too_early = coupons.release_left(world.conn, world.operator_id, world.now_ms)
    waiting = world.accounts()
    if is_used:
        world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 300))
    world.apply(left("s1", 300 if is_used else 0))
    released = [coupons.release_left(world.conn, world.operator_id, world.now_ms) for _ in range(2)]

    after = {"available": 11_500, "redeemed": 500} if is_used else {"available": 12_000}
    assert (too_early, waiting) == (0, {"recharge": -12_000, "available": 11_500, "void_pending": 500})
    assert (released, world.accounts()) == ([not is_used, 0], {"recharge": -12_000, **after})
    assert (world.codes(), check_all(world.conn)) == ([], [])


def test_a_coupon_kept_for_one_car_is_not_charged_for_another(world: World) -> None:
    world.car("s1")
    made = issue(world)
    coupons.void(world.conn, world.act(), made.coupon_id, "wrong car")
    world.apply(CouponKept(made.coupon_id, "s1"))

    world.apply(CouponRedeemed("r1", made.coupon_id, "s2", 300))

    assert world.codes() == ["coupon_used_after_void"]


def test_a_use_that_was_taken_back_leaves_nothing_kept(world: World) -> None:
    world.car("s1")
    made = issue(world)
    coupons.void(world.conn, world.act(), made.coupon_id, "wrong car")
    world.apply(CouponKept(made.coupon_id, "s1"))
    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 300))
    world.apply(CouponRestored("r1", made.coupon_id, "s1"))

    assert coupons.void(world.conn, world.act(), made.coupon_id, "wrong car") is None
    world.apply(ChannelApplied("coupons", 10**6))

    assert (world.accounts(), check_all(world.conn)) == ({"recharge": -12_000, "available": 12_000}, [])


def test_used_and_voided_coupons_cannot_be_voided(world: World) -> None:
    world.car("s1")
    used, withdrawn = issue(world), issue(world)
    world.apply(CouponRedeemed("r1", used.coupon_id, "s1", 1))
    coupons.void(world.conn, world.act(), withdrawn.coupon_id, "x")

    refusals = [coupons.void(world.conn, world.act(), made.coupon_id, "x") for made in (used, withdrawn)]

    assert [refused and refused.code for refused in refusals] == ["coupon_not_voidable", "coupon_not_voidable"]


def test_an_edge_cannot_use_a_coupon_bound_to_another_lot(world: World) -> None:
    world.car("s1")
    made = issue(world)

    with pytest.raises(CannotApplyError, match="another lot"):
        world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 500), edge_id="e-other")


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("AMOUNT", 0, "value_malformed"),
        ("AMOUNT", 10_000_001, "value_malformed"),
        ("FULL_WAIVER", 5, "value_malformed"),
        ("DURATION_CUSTOM", 5, "value_malformed"),
        ("WHIM", 5, "kind_not_offered"),
        ("CARD", 5, "kind_not_offered"),
    ],
)
def test_templates_that_make_no_sense_are_refused(world: World, kind: str, value: int, code: str) -> None:
    refused = coupons.create_template(world.conn, world.act(), world.merchant_id, "t", kind, value)

    assert isinstance(refused, Refused)
    assert refused.code == code


def test_a_full_waiver_is_never_worth_more_than_was_held_for_it(world: World) -> None:
    world.car("s1")
    made = coupons.create_template(world.conn, world.act(), world.merchant_id, "all", "FULL_WAIVER", 0, cap_fen=900_000)
    assert isinstance(made, int)

    given = coupons.issue(world.conn, world.act(), world.merchant_id, made, "s1")

    assert isinstance(given, Issued)
    row = get_row(world.conn, world.edge_id, "coupons", given.coupon_id)
    assert row is not None
    assert row["cap_fen"] == WAIVER_CAP_FEN == world.accounts()["outstanding"]


def test_a_deleted_template_stays_at_the_lots_for_what_was_printed_from_it(world: World) -> None:
    template_id = world.template("DURATION", 60)

    coupons.delete_template(world.conn, world.act(), world.merchant_id, template_id)

    row = get_row(world.conn, world.edge_id, "rules", f"template:{template_id}")
    assert row is not None
    assert (row["kind"], row["value"], row["deleted"]) == ("DURATION", 60, True)


def test_a_merchant_reaches_neither_coupons_nor_templates_of_another(world: World) -> None:
    world.car("s1")
    theirs, template_id = issue(world), world.template()
    other = merchants.create_merchant(world.conn, world.act(), "书店", "13900000001")
    assert not isinstance(other, Refused)
    me = other["merchant_id"]

    voided = coupons.void(world.conn, world.act("m2"), theirs.coupon_id, "mine now", merchant_id=me)
    deleted = coupons.delete_template(world.conn, world.act("m2"), me, template_id)
    listed = coupons.coupons(world.conn, world.operator_id, me)

    assert (voided, deleted) == (Refused("coupon_unknown"), Refused("template_unknown"))
    assert listed.total == 0
    assert world.accounts()["outstanding"] == 500


def test_a_use_taken_back_returns_to_held_and_is_charged_once_when_used_again(world: World) -> None:
    world.car("s1")
    made = issue(world)
    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 400))
    before = get_row(world.conn, world.edge_id, "coupons", made.coupon_id)

    world.apply(CouponRestored("r1", made.coupon_id, "s1"))
    world.apply(CouponRestored("r1", made.coupon_id, "s1"))

    assert before is None
    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "outstanding": 500}
    told = get_row(world.conn, world.edge_id, "coupons", made.coupon_id)
    assert told is not None
    assert (told["plate"], told["kind"], told["value"]) == ("京A12345", "AMOUNT", 500)
    world.apply(CouponRedeemed("r2", made.coupon_id, "s1", 500))
    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}
    assert world.codes() == []
    assert check_all(world.conn) == []


def test_a_use_at_the_operators_expense_that_is_taken_back_costs_nothing(world: World) -> None:
    world.car("s1")
    made = issue(world)
    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 400))
    world.apply(CouponRedeemed("r2", made.coupon_id, "s1", 300))

    world.apply(CouponRestored("r2", made.coupon_id, "s1"))

    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}


def test_a_use_nobody_reported_cannot_be_taken_back(world: World) -> None:
    world.car("s1")
    made = issue(world)

    with pytest.raises(CannotApplyError, match="no redemption"):
        world.apply(CouponRestored("r9", made.coupon_id, "s1"))
