"""Statements made by themselves at the month's end, split by branch and lot."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.lots import service as lots
from cloud.merchants import branches, closing, contracts, credit, statements
from cloud.merchants.branches import Plan
from cloud.merchants.service import SettlementMode
from domain.events import CouponRedeemed
from tests.cloud.test_statements import give, postpaid
from tests.cloud.world import LANES, World

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def _began(world: World, now: str, usual: ZoneInfo = SHANGHAI) -> str:
    found = closing.periods_began(world.conn, world.operator_id, ms(now), usual)
    return datetime.fromtimestamp(found[world.merchant_id] / 1000, UTC).isoformat()[:19]


@pytest.mark.parametrize(
    ("now", "began"),
    [
        ("2026-11-30T15:59:59", "2026-10-31T16:00:00"),
        ("2026-11-30T16:00:00", "2026-11-30T16:00:00"),
        ("2027-01-01T00:00:00", "2026-12-31T16:00:00"),
    ],
)
def test_a_month_begins_by_the_clock_of_the_place(world: World, now: str, began: str) -> None:
    postpaid(world)

    assert _began(world, now) == began


def test_a_period_begins_on_the_day_that_was_chosen(world: World) -> None:
    merchant_id = postpaid(world)
    found = []
    for billing in ("month:20", "half", "week:1"):
        assert credit.set_limit(world.conn, world.act(), merchant_id, 5_000, 0, 10, billing) is None
        found.append(_began(world, "2026-11-18T12:00:00")[:10])

    assert found == ["2026-10-19", "2026-11-15", "2026-11-15"]  # 16:00 UTC of the day before
    assert credit.set_limit(world.conn, world.act(), merchant_id, 5_000, 0, 10, "month:29") == Refused(
        "billing_unknown"
    )
    assert credit.set_limit(world.conn, world.act(), merchant_id, 4_000, 0, 10) is None
    assert _began(world, "2026-11-18T12:00:00")[:10] == "2026-11-15", "left out, it stays"


def test_days_are_those_of_the_merchants_lots_or_else_of_the_operator(world: World) -> None:
    merchant_id = postpaid(world)
    there = ZoneInfo("America/New_York")
    of_lot = _began(world, "2026-11-18T12:00:00", there)
    elsewhere = lots.create_lot(world.conn, world.act(), "far", "Asia/Tokyo", 10, LANES)
    assert isinstance(elsewhere, int)
    assert isinstance(contracts.set_contract(world.conn, world.act(), merchant_id, elsewhere), int)

    assert of_lot == "2026-10-31T16:00:00"
    assert _began(world, "2026-11-18T12:00:00", there) == "2026-11-01T04:00:00"


def test_another_period_leaves_no_gap_and_tells_nothing_twice(world: World) -> None:
    merchant_id = postpaid(world)
    stated = []
    for day, billing in ((1, "month:1"), (9, "week:1"), (20, "half"), (40, "month:10")):
        assert credit.set_limit(world.conn, world.act(), merchant_id, 5_000, 0, 0, billing) is None
        world.now_ms += day * 86_400_000
        _used(world, f"s{day}")
        until = closing.periods_began(world.conn, world.operator_id, world.now_ms, SHANGHAI)[merchant_id]
        made = _close(world, until)
        if made is not None:
            row = statements.get(world.conn, world.operator_id, made)
            assert row is not None
            stated.append((row["from_ms"], row["until_ms"], row["owed_fen"]))

    assert len(stated) > 1
    assert all(one[1] == other[0] for one, other in pairwise(stated))
    world.now_ms += 86_400_000
    assert (
        sum(owed for _, _, owed in stated)
        + statements.unstated(world.conn, merchant_id, "ON_REDEEM", world.now_ms).get("FEN", 0)
        == 2_000
    )


def _used(world: World, stay: str, branch_id: int = 0) -> None:
    world.car(stay)
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), stay, 0, branch_id)
    assert isinstance(made, coupons.Issued), made
    world.apply(CouponRedeemed(f"r-{stay}", made.coupon_id, stay, 500))


def _close(world: World, until_ms: int) -> int | None:
    return closing.close_period(world.conn, world.act("cloud"), world.merchant_id, until_ms, coupons.facts)


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
    assert list(closing.periods_began(world.conn, world.operator_id, world.now_ms, SHANGHAI)) == [merchant_id]


def test_a_merchant_that_used_nothing_gets_no_statement(world: World) -> None:
    postpaid(world, SettlementMode.ON_REDEEM)
    world.car("s1")
    give(world)  # held, and not used
    world.now_ms += 86_400_000

    assert _close(world, world.now_ms) is None
