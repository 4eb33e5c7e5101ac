"""Statements made by themselves at the month's end, split by branch and lot."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.coupons import service as coupons
from cloud.merchants import branches, closing, statements
from cloud.merchants.branches import Plan
from cloud.merchants.service import SettlementMode
from domain.events import CouponRedeemed
from tests.cloud.test_statements import give, postpaid
from tests.cloud.world import World

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("now", "began"),
    [
        ("2026-11-30T15:59:59", "2026-10-31T16:00:00"),
        ("2026-11-30T16:00:00", "2026-11-30T16:00:00"),
        ("2027-01-01T00:00:00", "2026-12-31T16:00:00"),
    ],
)
def test_a_month_begins_by_the_clock_of_the_place(now: str, began: str) -> None:
    assert closing.month_began(ms(now), SHANGHAI) == ms(began)


def _used(world: World, stay: str, branch_id: int = 0) -> None:
    world.car(stay)
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), stay, 0, branch_id)
    assert isinstance(made, coupons.Issued), made
    world.apply(CouponRedeemed(f"r-{stay}", made.coupon_id, stay, 500))


def _close(world: World, until_ms: int) -> int | None:
    return closing.close_month(world.conn, world.act("cloud"), world.merchant_id, until_ms, coupons.facts)


def test_the_month_is_stated_once_with_what_was_used_in_it_and_split_by_branch(world: World) -> None:
    merchant_id = postpaid(world)
    branch_id = branches.add(world.conn, world.act(), merchant_id, Plan("south"))
    assert isinstance(branch_id, int)
    _used(world, "s1")
    _used(world, "s2", branch_id)
    until_ms = world.now_ms + 1
    world.now_ms += 86_400_000
    _used(world, "s3")

    first, again = _close(world, until_ms), _close(world, until_ms)

    assert first is not None
    assert again is None
    row = statements.get(world.conn, world.operator_id, first)
    assert row is not None
    parts = statements.parts(statements.lines(world.conn, world.operator_id, first))
    assert row["owed_fen"] == 1_000
    assert [(part.branch_id, part.lot_id, part.owed) for part in parts] == [
        (0, world.lot_id, 500),
        (branch_id, world.lot_id, 500),
    ]
    assert closing.postpaid(world.conn, world.operator_id) == [merchant_id]


def test_a_merchant_that_used_nothing_gets_no_statement(world: World) -> None:
    postpaid(world, SettlementMode.ON_REDEEM)
    world.car("s1")
    give(world)  # held, and not used
    world.now_ms += 86_400_000

    assert _close(world, world.now_ms) is None
