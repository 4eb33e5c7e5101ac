"""Limits on coupons where they are given: the six messages, and no cap ever passed by two at once (S2.24-S2.30)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.coupons import often, plates, rules
from cloud.coupons import service as coupons
from cloud.coupons.service import Issued
from cloud.db import Database
from cloud.merchants import contracts
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.sync.channels import get_row
from domain.coupon.limits import Level, Limits
from domain.coupon.terms import Late, LotWays
from domain.events import PaymentTaken, VoucherRedeemed
from domain.ledger import Commodity
from tests.cloud.test_leases import granted, issued
from tests.cloud.world import NOW, World, build

DAY_MS = 86_400_000


def limit(world: World, level: Level, subject_id: int, ways: LotWays | None = None, **limits: Any) -> None:
    assert rules.set_limits(world.conn, world.act(), level, subject_id, Limits(**limits), ways) is None


def give(world: World, template_id: int, stay_id: str = "s1", merchant_id: int = 0) -> Issued | Refused:
    return coupons.issue(world.conn, world.act("m"), merchant_id or world.merchant_id, template_id, stay_id)


def another_merchant(world: World, name: str = "书店") -> tuple[int, int]:
    """A second merchant with money, and a template of its own."""
    conn = world.conn
    made = merchants.create_merchant(conn, world.act(), name, "13900000001")
    assert not isinstance(made, Refused)
    merchant_id = made["merchant_id"]
    modes = PaymentMode.PREPAID, SettlementMode.ON_ISSUE
    assert merchants.configure_settlement(conn, world.act(), merchant_id, *modes) is None
    assert isinstance(contracts.set_contract(conn, world.act(), merchant_id, world.lot_id), int)
    assert merchants.top_up(conn, world.act(), merchant_id, Commodity.FEN, 100_000, 0, "") is None
    template_id = coupons.create_template(conn, world.act(), merchant_id, "five", "AMOUNT", 500)
    assert isinstance(template_id, int)
    return merchant_id, template_id


def test_without_limits_a_car_gets_whatever_the_purse_pays_for(world: World) -> None:
    world.car("s1")
    template = world.template()

    assert all(isinstance(give(world, template), Issued) for _ in range(3))


def test_a_lot_may_want_one_merchant_for_a_stay_and_says_which_it_was(world: World) -> None:
    world.car("s1")
    limit(world, Level.LOT, world.lot_id, one_merchant=True)
    merchant_id, template_id = another_merchant(world)
    give(world, world.template())

    assert give(world, template_id, merchant_id=merchant_id) == Refused("other_merchant", {"merchant": "面馆"})


def test_one_for_a_stay_is_free_again_when_it_was_voided(world: World) -> None:
    world.car("s1")
    limit(world, Level.MERCHANT, world.merchant_id, one_per_stay=True)
    template = world.template()
    first = give(world, template)
    assert isinstance(first, Issued)
    refused = give(world, template)

    coupons.void(world.conn, world.act(), first.coupon_id, "wrong car")

    assert refused == Refused("one_per_stay")
    assert isinstance(give(world, template), Issued)


def test_a_day_is_the_lots_and_counts_every_stay(world: World) -> None:
    world.car("s1")
    world.car("s2")
    limit(world, Level.LOT, world.lot_id, per_day=1)
    template = world.template()
    give(world, template)

    refused = give(world, template, "s2")
    world.now_ms = NOW + DAY_MS

    assert refused == Refused("daily_max", {"most": 1})
    assert isinstance(give(world, template, "s2"), Issued)


def test_a_coupon_not_to_be_repeated_is_known_on_the_next_stay_and_from_paper(world: World) -> None:
    world.car("s1")
    world.car("s2", "京B12345")
    template = world.template()
    limit(world, Level.COUPON, template, no_repeat=True)
    world.apply(issued(world, 1, granted(world)))
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s2", 500))  # of template 1, the only one

    first, again, paper = give(world, template), give(world, template), give(world, template, "s2")

    assert isinstance(first, Issued)
    assert (again, paper) == (Refused("no_repeat"), Refused("no_repeat"))


def test_several_at_once_are_asked_about_before_any_is_given(world: World) -> None:
    world.car("s1")
    template = world.template()
    limit(world, Level.COUPON, template, no_repeat=True)
    ask = coupons.Ask(world.lot_id, world.merchant_id, template, "京A12345", "s1", 2)

    assert coupons.refusal(world.conn, world.act(), ask) == Refused("multi_not_allowed")


def test_a_coupon_is_gone_when_its_total_is_out(world: World) -> None:
    for number in range(3):
        world.car(f"s{number}", f"京A1234{number}")
    template = world.template()
    limit(world, Level.COUPON, template, total=3, day_total=2)

    made = [give(world, template, f"s{number}") for number in range(3)]

    assert [isinstance(one, Issued) for one in made] == [True, True, False]
    assert made[2] == Refused("all_taken_today")


def test_a_plate_on_the_list_gets_no_coupon_until_it_is_taken_off(world: World) -> None:
    world.car("s1")
    blocked_id = plates.block(world.conn, world.act(), "京A·12345", "sells them on")
    assert isinstance(blocked_id, int)
    refused = give(world, world.template())
    told = get_row(world.conn, world.edge_id, "rules", "no_coupons:京A12345")

    plates.unblock(world.conn, world.act(), blocked_id, "a mistake")

    assert refused == Refused("plate_gets_no_coupons")
    assert told is not None
    assert get_row(world.conn, world.edge_id, "rules", "no_coupons:京A12345") is None
    assert isinstance(give(world, world.template()), Issued)


def test_a_car_that_has_paid_gets_none_unless_the_lot_allows_it(world: World) -> None:
    world.car("s1")
    world.apply(PaymentTaken("p1", "s1", "cash", 500, "li"))
    template = world.template()
    refused = give(world, template)

    limit(world, Level.LOT, world.lot_id, LotWays(late=Late.ALLOW))

    assert refused == Refused("already_paid")
    assert isinstance(give(world, template), Issued)


def test_limits_reach_every_lot_and_a_lot_that_joins_later(world: World) -> None:
    limit(world, Level.LOT, world.lot_id, LotWays(max_coupons=2, one_kind=True), one_merchant=True, no_repeat=True)

    row = get_row(world.conn, world.edge_id, "rules", f"limits:lot:{world.lot_id}")

    assert row == {"one_merchant": True, "max_coupons": 2, "one_kind": True}


@pytest.mark.parametrize(
    ("level", "subject_id", "limits", "code"),
    [
        (Level.LOT, 999, {}, "limit_subject_unknown"),
        (Level.MERCHANT, 999, {}, "limit_subject_unknown"),
        (Level.COUPON, 999, {}, "limit_subject_unknown"),
        (Level.LOT, 0, {"per_day": -1}, "limit_malformed"),
    ],
)
def test_limits_of_nothing_and_limits_nobody_means_are_refused(
    world: World, level: Level, subject_id: int, limits: dict[str, Any], code: str
) -> None:
    subject = subject_id or world.lot_id
    assert rules.set_limits(world.conn, world.act(), level, subject, Limits(**limits)) == Refused(code)


def test_plates_with_many_coupons_are_listed_by_merchant_and_by_person(world: World) -> None:
    world.car("s1")
    world.car("s2", "京B12345")
    template = world.template()
    for _ in range(3):
        give(world, template)
    give(world, template, "s2")
    month = often.month_of("2026-05", NOW, ZoneInfo("Asia/Shanghai"))

    found = often.plates_with(world.conn, world.operator_id, month, 3, by_staff=False)
    by_staff = often.plates_with(world.conn, world.operator_id, month, 4, by_staff=True)

    assert [(one.plate, one.merchant, one.count) for one in found] == [("京A12345", "面馆", 3)]
    assert by_staff == []


RACERS = 6


def race(database: Database, tries: list[Callable[[Connection], Issued | Refused]]) -> list[Issued | Refused]:
    """All at once, each in a transaction of its own, as two clicks or two workers are."""
    together = Barrier(len(tries))

    def run(work: Callable[[Connection], Issued | Refused]) -> Issued | Refused:
        together.wait(20)
        return database.run_here(work)

    with ThreadPoolExecutor(len(tries)) as pool:
        return list(pool.map(run, tries))


def test_two_at_once_never_pass_a_cap(database: Database) -> None:
    """Two merchants, several clicks each, two stays of one plate: one coupon for its day; and two of the template."""
    numbers = itertools.count(1)

    def prepare(conn: Connection) -> tuple[World, int, int, int]:
        world = build(conn, paid=100_000)
        merchant_id, template_id = another_merchant(world)
        own = world.template()
        limit(world, Level.LOT, world.lot_id, per_day=1)
        limit(world, Level.COUPON, own, total=2)
        for number in range(RACERS + 1):
            world.car(f"s{number}", f"京A1234{number}")
        world.car("s0-left-behind", "京A12340")
        return world, own, merchant_id, template_id

    world, own, merchant_id, template_id = database.run_here(prepare)

    def giving(merchant: int, template: int, stay_id: str) -> Callable[[Connection], Issued | Refused]:
        number = next(numbers)
        act = Act(world.operator_id, f"m{number}", NOW, lambda size: number.to_bytes(16)[-size:])
        return lambda conn: coupons.issue(conn, act, merchant, template, stay_id)

    two = ((world.merchant_id, own, "s0"), (merchant_id, template_id, "s0-left-behind"))
    one_car = race(database, [giving(*two[number % 2]) for number in range(RACERS)])
    many_cars = race(database, [giving(world.merchant_id, own, f"s{number + 1}") for number in range(RACERS)])

    given = [one for one in one_car if isinstance(one, Issued)]
    assert len(given) == 1
    assert {one.code for one in one_car if isinstance(one, Refused)} == {"daily_max"}
    listed = database.run_here(lambda conn: coupons.coupons(conn, world.operator_id, world.merchant_id))
    assert listed.total == 2
    assert {one.code for one in many_cars if isinstance(one, Refused)} == {"all_taken"}
