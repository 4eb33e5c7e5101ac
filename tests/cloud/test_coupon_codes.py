"""Coupons that drivers claim: each code once, its value held from the start, and what nobody claims comes back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import RowMapping

from cloud.access import staff
from cloud.access.staff import Daily
from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import claiming, codes, placing, rebinding, rules, wallets, withdrawing
from cloud.coupons import service as coupons
from cloud.coupons.claiming import Claimed
from cloud.coupons.life import MINUTE_MS
from cloud.merchants import service as merchants
from cloud.sync.channels import get_row, rows_of
from domain.coupon.limits import Level, Limits
from domain.coupon.terms import Terms
from domain.events import CouponRedeemed, CouponRestored
from tests.cloud.world import World

PHONE, OTHER_PHONE = "a phone's own secret", "another phone's secret"
PLATE, OTHER_PLATE = "京A12345", "京B54321"


def screen(world: World, *, most: int = 3, value: int = 500) -> str:
    made = codes.open_screen(world.conn, world.act("m"), world.merchant_id, world.template("AMOUNT", value), most=most)
    assert isinstance(made, str), made
    return made


def of(world: World, batch: str) -> Sequence[RowMapping]:
    return codes.of_batch(world.conn, batch)


def code_of(world: World, batch: str) -> str:
    """The code on the screen."""
    return str(next(row["token"] for row in of(world, batch) if row["state"] == "CLAIMABLE"))


def claim(world: World, code: str, plate: str = PLATE, phone: str = PHONE) -> Claimed | Refused:
    return claiming.claim(world.conn, world.act("driver"), code, plate, phone)


def claimed(world: World, code: str, plate: str = PLATE, phone: str = PHONE) -> Claimed:
    made = claim(world, code, plate, phone)
    assert isinstance(made, Claimed), made
    return made


def test_a_code_is_claimed_once_and_the_next_one_follows(world: World) -> None:
    world.car("s1")
    batch = screen(world)
    code = code_of(world, batch)

    made = claimed(world, code)
    again = claim(world, code, OTHER_PLATE, OTHER_PHONE)

    assert made.is_inside
    row = get_row(world.conn, world.edge_id, "coupons", made.offered.coupon["coupon_id"])
    assert row is not None
    assert (row["plate"], row["stay_id"], row["value"]) == (PLATE, "s1", 500)
    assert again == Refused("claim_taken")
    assert code_of(world, batch) != code
    assert [row["state"] for row in of(world, batch)] == ["BOUND", "CLAIMABLE"]
    assert world.accounts() == {"recharge": -12_000, "available": 11_000, "outstanding": 1_000}
    assert check_all(world.conn) == []


def test_the_same_phone_saying_the_same_twice_is_one_claim(world: World) -> None:
    code = code_of(world, screen(world))
    first = claimed(world, code)

    second = claimed(world, code)

    assert first.offered.coupon["coupon_id"] == second.offered.coupon["coupon_id"]
    assert not first.is_inside  # it waits for its car, S1.36
    assert coupons.coupons(world.conn, world.operator_id, search=PLATE).total == 1


def test_a_template_may_want_the_car_inside(world: World) -> None:
    made = coupons.create_template(
        world.conn, world.act(), world.merchant_id, "inside", "AMOUNT", 500, before_entry=False
    )
    assert isinstance(made, int)
    batch = codes.open_screen(world.conn, world.act(), world.merchant_id, made)
    assert isinstance(batch, str)
    code = code_of(world, batch)

    outside = claim(world, code)
    world.car("s1")

    assert outside == Refused("claim_not_inside")
    assert claimed(world, code).is_inside


def test_a_screen_ends_with_its_last_code_and_with_the_money(world: World) -> None:
    few, poor = screen(world, most=1), screen(world, most=9, value=11_000)

    claimed(world, code_of(world, few))
    claimed(world, code_of(world, poor), OTHER_PLATE)

    ended = [codes.get(world.conn, world.operator_id, world.merchant_id, batch) for batch in (few, poor)]
    assert [one and one["why"] for one in ended] == ["all_given", "balance_short"]
    assert check_all(world.conn) == []


def test_what_nobody_claims_comes_back_once(world: World) -> None:
    withdrawn, expired = screen(world), screen(world)
    first, second = code_of(world, withdrawn), code_of(world, expired)

    codes.close(world.conn, world.act(), world.merchant_id, withdrawn, "")
    world.now_ms += (codes.SCREEN_MINUTES + 1) * MINUTE_MS
    late = claim(world, second)
    for _ in range(2):
        coupons.record_expiries(world.conn, world.operator_id, world.now_ms)

    assert (claim(world, first), late) == (Refused("claim_withdrawn"), Refused("claim_expired"))
    assert claim(world, second) == Refused("claim_expired")
    assert world.accounts() == {"recharge": -12_000, "available": 12_000}
    assert check_all(world.conn) == []


def test_another_code_kills_the_one_before(world: World) -> None:
    batch = screen(world, most=1)
    seen = code_of(world, batch)

    assert codes.show_again(world.conn, world.act(), world.merchant_id, batch) is None

    assert claim(world, seen) == Refused("claim_withdrawn")
    assert isinstance(claim(world, code_of(world, batch)), Claimed)


def test_papers_have_serials_of_their_own_and_are_all_made_or_none(world: World) -> None:
    template = world.template("AMOUNT", 5_000)
    act = world.act("m")

    short = codes.print_papers(world.conn, act, world.merchant_id, template, 0, copies=3)
    unchanged = world.accounts()
    batch = codes.print_papers(world.conn, world.act("m"), world.merchant_id, template, 0, copies=2)
    assert isinstance(batch, str)
    papers = of(world, batch)

    assert short == Refused("balance_short", {"left": 2_000, "needed": 5_000})
    assert unchanged == {"recharge": -12_000, "available": 12_000}
    assert [row["state"] for row in papers] == ["PRINTED", "PRINTED"]
    assert len({row["serial"] for row in papers} | {row["token"] for row in papers}) == 4
    assert claimed(world, papers[0]["token"]).offered.coupon["expires_ms"] == papers[0]["expires_ms"]
    assert coupons.void(world.conn, world.act(), papers[1]["coupon_id"], "torn") is None
    assert world.accounts() == {"recharge": -12_000, "available": 7_000, "outstanding": 5_000}
    assert check_all(world.conn) == []


def test_a_disabled_merchants_screen_shows_no_further_code(world: World) -> None:
    batch = screen(world)
    merchants.set_enabled(world.conn, world.act(), world.merchant_id, enabled=False)

    claimed(world, code_of(world, batch))  # it was out already

    ended = codes.get(world.conn, world.operator_id, world.merchant_id, batch)
    assert ended is not None
    assert ended["why"] == "merchant_disabled"


def test_only_the_phone_or_its_code_shows_a_drivers_coupons(world: World) -> None:
    batch = screen(world)
    made = claimed(world, code_of(world, batch))
    claimed(world, code_of(world, batch), PLATE, OTHER_PHONE)  # somebody else types the same plate

    def seen(phone: str) -> list[object]:
        return [row["coupon_id"] for row in wallets.of_phone(world.conn, world.operator_id, phone, world.now_ms)]

    third = "a third phone, of the same driver"
    wrong = wallets.open_by_code(world.conn, world.act(), third, OTHER_PLATE, made.code)
    opened = wallets.open_by_code(world.conn, world.act(), third, PLATE, made.code)
    used_up = wallets.open_by_code(world.conn, world.act(), "a fourth phone", PLATE, made.code)

    assert (wrong, opened, used_up) == (Refused("wallet_code_wrong"), None, Refused("wallet_code_wrong"))
    assert seen(PHONE) == seen(third) == [made.offered.coupon["coupon_id"]]
    assert seen("a fourth phone") == []


def test_a_mistyped_plate_is_mended_once_by_the_driver_and_thrice_by_the_shop(world: World) -> None:
    world.car("s1", OTHER_PLATE)
    made = claimed(world, code_of(world, screen(world)))
    coupon_id = made.offered.coupon["coupon_id"]

    def by_driver(plate: str, phone: str = PHONE) -> Refused | None:
        return rebinding.by_driver(world.conn, world.act("driver"), coupon_id, plate, phone)

    def by_shop(plate: str) -> Refused | None:
        return rebinding.by_merchant(world.conn, world.act("m"), coupon_id, plate, "asked", world.merchant_id)

    assert by_driver(OTHER_PLATE, OTHER_PHONE) == Refused("coupon_unknown")
    assert by_driver(OTHER_PLATE) is None
    assert by_driver(PLATE) == Refused("rebind_too_late")
    row = get_row(world.conn, world.edge_id, "coupons", coupon_id)
    assert row is not None
    assert (row["plate"], row["stay_id"]) == (OTHER_PLATE, "s1")
    assert [by_shop(PLATE), by_shop(OTHER_PLATE), by_shop(PLATE)] == [None, None, Refused("rebind_limit", {"most": 3})]
    world.apply(CouponRedeemed("r1", coupon_id, "s1", 500))
    first = rebinding.moves(world.conn, coupon_id)[0]
    assert (first["from_plate"], first["to_plate"]) == (PLATE, OTHER_PLATE)


@pytest.mark.parametrize("ended", ["redeemed", "voided", "expired"])
def test_only_an_unused_coupon_moves(world: World, ended: str) -> None:
    made = claimed(world, code_of(world, screen(world)))
    coupon_id = made.offered.coupon["coupon_id"]
    if ended == "redeemed":
        world.apply(CouponRedeemed("r1", coupon_id, "s1", 500))
    elif ended == "voided":
        coupons.void(world.conn, world.act(), coupon_id, "mistake")
    else:
        world.now_ms = made.offered.coupon["expires_ms"] + 1

    refused = rebinding.by_merchant(world.conn, world.act(), coupon_id, OTHER_PLATE, "asked", None)

    assert refused == Refused("coupon_not_rebindable")


def test_a_claimed_coupon_whose_exit_was_taken_back_is_bound_again(world: World) -> None:
    world.car("s1")
    made = claimed(world, code_of(world, screen(world)))
    coupon_id = made.offered.coupon["coupon_id"]
    world.apply(CouponRedeemed("r1", coupon_id, "s1", 500))

    world.apply(CouponRestored("r1", coupon_id, "s1"))

    shown = wallets.of_phone(world.conn, world.operator_id, PHONE, world.now_ms)
    assert [(row["state"], row["off_fen"]) for row in shown] == [("BOUND", None)]
    assert check_all(world.conn) == []


def test_a_plate_misread_in_one_lookalike_is_offered_and_bound_to_its_stay(world: World) -> None:
    world.car("s1", "京A8B345")  # it is 京A88345
    world.car("s2", "京C99999")
    code = code_of(world, screen(world))

    found = placing.near(world.conn, world.operator_id, [world.lot_id], "京A88345")
    made = claiming.claim(world.conn, world.act("driver"), code, "京A88345", PHONE, is_near=True)
    again = claiming.claim(world.conn, world.act("driver"), code, "京A88345", PHONE, is_near=True)

    assert found is not None
    assert found["stay_id"] == "s1"
    assert isinstance(made, Claimed)
    assert isinstance(again, Claimed)
    assert (made.plate, made.is_inside, again.plate) == ("京A88345", True, "京A88345")
    row = get_row(world.conn, world.edge_id, "coupons", made.offered.coupon["coupon_id"])
    assert row is not None
    assert (row["plate"], row["stay_id"]) == ("京A8B345", "s1")
    (shown,) = wallets.of_phone(world.conn, world.operator_id, PHONE, world.now_ms)
    assert shown["plate"] == "京A88345"


@pytest.mark.parametrize(
    ("inside", "typed"),
    [
        (("京A88345",), "京A88345"),  # inside as typed
        (("京A8B345", "京AB8345"), "京A88345"),  # two it may be
        (("京A82345",), "京A88345"),  # 2 is not taken for 8
        (("京A8BB45",), "京A88345"),  # two characters
        (("京A8B345",), "京A%8345"),
    ],
)
def test_no_other_car_is_offered(world: World, inside: tuple[str, ...], typed: str) -> None:
    for number, plate in enumerate(inside):
        world.car(f"s{number}", plate)

    assert placing.near(world.conn, world.operator_id, [world.lot_id], typed) is None


def test_a_car_is_not_two_cars_by_two_spellings(world: World) -> None:
    world.car("s1", "京A8B345")
    batch = screen(world)
    rules.set_limits(world.conn, world.act(), Level.LOT, world.lot_id, Limits(per_day=1))
    claimed(world, code_of(world, batch), "京A88345")  # it waits for whichever stay of this plate comes

    refused = claiming.claim(
        world.conn, world.act("driver"), code_of(world, batch), "京A88345", OTHER_PHONE, is_near=True
    )

    assert refused == Refused("daily_max", {"most": 1})


def a_pass(world: World, uses: int = 3) -> int:
    made = coupons.create_template(
        world.conn, world.act(), world.merchant_id, "pass", "AMOUNT", 500, terms=Terms(uses=uses)
    )
    assert isinstance(made, int), made
    return made


@pytest.mark.parametrize("way", [codes.Way.SCREEN, codes.Way.PAPER])
def test_one_code_of_a_pass_binds_all_its_uses(world: World, way: codes.Way) -> None:
    world.car("s1")
    make = codes.open_screen if way is codes.Way.SCREEN else codes.print_papers
    batch = make(world.conn, world.act("m"), world.merchant_id, a_pass(world), 0, 2)
    assert isinstance(batch, str)
    held = world.accounts()["outstanding"]

    made = claimed(world, str(of(world, batch)[0]["token"]))
    second = claim(world, str(of(world, batch)[0]["token"]), OTHER_PLATE, OTHER_PHONE)

    told = [row for _, row in rows_of(world.conn, world.edge_id, "coupons")]
    assert held == 1_500 * (1 if way is codes.Way.SCREEN else 2)
    assert second == Refused("claim_taken")
    assert made.is_inside
    assert [(row["plate"], row["stay_id"]) for row in told] == [(PLATE, "")] * 3
    assert len({row["pass_id"] for row in told}) == 1
    (shown,) = wallets.of_phone(world.conn, world.operator_id, PHONE, world.now_ms)
    assert (shown["uses"], shown["left"]) == (3, 3)
    assert len(of(world, batch)) == 2
    (page,) = codes.batches(world.conn, world.operator_id, world.merchant_id, way).items
    assert page["claimed"] == 1
    world.apply(CouponRedeemed("r1", str(shown["coupon_id"]), "s1", 500))
    (shown,) = wallets.of_phone(world.conn, world.operator_id, PHONE, world.now_ms)
    assert (shown["uses"], shown["left"], shown["state"]) == (3, 2, "BOUND")
    assert check_all(world.conn) == []


def test_a_pass_nobody_claimed_comes_back_whole(world: World) -> None:
    batch = codes.print_papers(world.conn, world.act("m"), world.merchant_id, a_pass(world), 0, 1)
    assert isinstance(batch, str)

    codes.close(world.conn, world.act(), world.merchant_id, batch, "")

    assert world.accounts() == {"recharge": -12_000, "available": 12_000}
    assert check_all(world.conn) == []


def test_a_pass_that_the_purse_pays_only_in_part_is_not_shown(world: World) -> None:
    made = codes.open_screen(world.conn, world.act("m"), world.merchant_id, a_pass(world, 30))

    assert made == Refused("balance_short", {"left": 0, "needed": 500})
    assert world.accounts() == {"recharge": -12_000, "available": 12_000}


def test_staff_show_print_and_hang_up_no_more_than_they_may_give(world: World) -> None:
    account = staff.create(world.conn, world.act(), world.merchant_id, "123456789", "小李", "h", Daily(coupons=2))
    assert isinstance(account, staff.Account)
    act, template = world.act(account.login), world.template()

    papers = codes.print_papers(world.conn, act, world.merchant_id, template, 0, 3)
    screen_of_staff = codes.open_screen(world.conn, act, world.merchant_id, template, most=9)
    assert isinstance(screen_of_staff, str)
    first = claim(world, code_of(world, screen_of_staff))
    for _ in range(3):  # a code that nobody claimed is given to nobody
        assert codes.show_again(world.conn, act, world.merchant_id, screen_of_staff) is None
    second = claim(world, code_of(world, screen_of_staff), OTHER_PLATE, OTHER_PHONE)

    assert papers == Refused("staff_coupons", {"most": 2, "left": 0})
    assert isinstance(first, Claimed)
    assert isinstance(second, Claimed)
    ended = codes.get(world.conn, world.operator_id, world.merchant_id, screen_of_staff, account.login)
    assert ended is not None
    assert ended["why"] == "staff_coupons"
    assert codes.get(world.conn, world.operator_id, world.merchant_id, screen_of_staff, "somebody else") is None


def test_disabling_a_merchant_may_take_its_unclaimed_codes_back_too(world: World) -> None:
    world.car("s1")
    code = code_of(world, screen(world, value=500))

    gone = withdrawing.withdraw_unused(world.conn, world.act(), world.merchant_id, "merchant disabled")

    assert gone == 1
    assert isinstance(claim(world, code), Refused)
    assert check_all(world.conn) == []


def test_a_coupon_given_straight_to_a_car_is_seen_with_the_code_its_giver_tells(world: World) -> None:
    world.car("s1")
    five = world.template()
    given = [coupons.issue(world.conn, world.act(by), world.merchant_id, five, "s1") for by in ("m", "m", "m-01")]
    ids = [one.coupon_id for one in given if isinstance(one, coupons.Issued)]

    def told(coupon_id: str) -> wallets.Told:
        made = wallets.tell_driver(world.conn, world.act("m"), coupon_id, world.merchant_id)
        assert isinstance(made, wallets.Told), made
        return made

    def opened(phone: str, plate: str, code: str) -> Refused | None:
        return wallets.open_by_code(world.conn, world.act(), phone, plate, code)

    first, second = told(ids[0]), told(ids[0])
    dead, other = opened(PHONE, PLATE, first.code), opened(PHONE, OTHER_PLATE, second.code)
    shown, again = opened(PHONE, PLATE, second.code), opened(OTHER_PHONE, PLATE, second.code)
    seen = [row["coupon_id"] for row in wallets.of_phone(world.conn, world.operator_id, PHONE, world.now_ms)]
    nothing = wallets.of_phone(world.conn, world.operator_id, OTHER_PHONE, world.now_ms)

    wrong = Refused("wallet_code_wrong")
    assert (dead, other, shown, again) == (wrong, wrong, None, wrong)
    assert (sorted(map(str, seen)), nothing) == (sorted(ids[:2]), [])
    assert wallets.tell_driver(world.conn, world.act(), ids[1], None) == Refused("driver_has_it")


def test_a_code_for_the_driver_is_told_to_who_gave_the_coupon_alone_and_while_it_waits(world: World) -> None:
    world.car("s1")
    given = coupons.issue(world.conn, world.act("m-01"), world.merchant_id, world.template(), "s1")
    assert isinstance(given, coupons.Issued)

    def told(merchant_id: int | None, branch_id: int = 0, given_by: str = "") -> object:
        return wallets.tell_driver(world.conn, world.act(), given.coupon_id, merchant_id, branch_id, given_by)

    strangers = [told(world.merchant_id + 1), told(world.merchant_id, 7), told(world.merchant_id, 0, "m-02")]
    assert strangers == [Refused("coupon_unknown")] * 3
    assert isinstance(told(world.merchant_id, 0, "m-01"), wallets.Told)
    world.apply(CouponRedeemed("r1", given.coupon_id, "s1", 500))
    assert told(None) == Refused("coupon_over_for_driver")
