"""What the cloud says a car owes while its lot has no line: by the lot's price lists, never too little (sync §7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from cloud.coupons import service as coupons
from cloud.fees import quoting
from cloud.fees import service as fees
from cloud.fees.asking import Said
from cloud.fees.quoting import PAID
from cloud.fees.service import Asked
from cloud.lots.tables import edge, stay
from cloud.paid import DUTIES
from cloud.payments.orders import PayOrder, Settled
from domain import events
from domain.decision import TariffRef
from domain.price_notice import PriceNotice
from plumbing.signing import PrivateKey
from tests.cloud.paying import pay
from tests.cloud.world import NOW, World
from tests.edge.lots import HOURLY

CLOUD = PrivateKey.from_raw(bytes(range(1, 33)))
MINUTE_MS = 60_000
FIRST_ONLY = HOURLY.replace("free = 15", "free = { minutes = 15, first_stay_of_day = true }")
NOTICE = PriceNotice({"inside": (TariffRef("inside", "hourly", "1", "d1"),)}, (), {"d1": HOURLY}, 20, ("police",))


@pytest.fixture
def told(world: World) -> World:
    """The lot has said what it charges, and a car came."""
    world.conn.execute(update(edge).where(edge.c.edge_id == world.edge_id).values(public_key=bytes(32)))
    world.apply(events.PricesLoaded(NOTICE.text()))
    world.car("s1")
    return world


def said(world: World, minutes: int, plate: str = "京A12345") -> Said | None:
    return quoting.quote(
        world.conn, world.operator_id, world.lot_id, plate, CLOUD, lambda code: {"en": code}, NOW + minutes * MINUTE_MS
    )


def quoted(world: World, minutes: int) -> Asked:
    answer = said(world, minutes)
    assert answer is not None
    assert answer.by_cloud
    asked = fees.open_quote(world.conn, world.operator_id, answer.quote, CLOUD)
    assert asked is not None
    return asked


@pytest.mark.parametrize(("minutes", "fee"), [(20, 500), (55, 500), (57, 1000), (125, 1500)])
def test_it_is_what_is_due_when_the_quote_is_over(told: World, minutes: int, fee: int) -> None:
    asked = quoted(told, minutes)

    assert (asked.quote.fee_fen, asked.quote.due_fen, asked.quote.stay_id, asked.quote.plate) == (
        fee, fee, "s1", "京A12345",
    )  # fmt: skip
    assert 180 <= asked.quote.until_s - (NOW + minutes * MINUTE_MS) // 1000 < 480
    assert asked.quote.leave_min == 20


def test_whoever_asks_within_a_few_minutes_shares_the_order_and_pays_once(told: World) -> None:
    first, second = said(told, 18), said(told, 20)
    assert first is not None
    assert second is not None
    assert first.quote == second.quote
    told.now_ms = NOW + 20 * MINUTE_MS
    order = fees.begin(told.conn, told.act(), first.quote, CLOUD)
    assert isinstance(order, PayOrder)
    assert fees.begin(told.conn, told.act(), second.quote, CLOUD) == order

    assert pay(told.conn, told.act(), DUTIES, order) is Settled.DONE
    assert said(told, 22) == PAID


def test_a_coupon_the_lot_was_told_of_comes_off(told: World) -> None:
    given = coupons.issue(told.conn, told.act(), told.merchant_id, told.template("AMOUNT", 500), "s1")
    assert isinstance(given, coupons.Issued)

    asked = quoted(told, 60)

    assert (asked.quote.fee_fen, asked.quote.off_fen, asked.quote.due_fen) == (1000, 500, 500)
    assert said(told, 20) is None, "nothing is due"


def other_zone(world: World) -> None:
    world.conn.execute(update(stay).where(stay.c.stay_id == "s1").values(zone_now="upper"))


def paid_something(world: World) -> None:
    world.apply(events.PaymentTaken("p1", "s1", "cash", 500, "li"))


def came_twice(world: World) -> None:
    world.car("s2")


def left(world: World) -> None:
    world.conn.execute(update(stay).where(stay.c.stay_id == "s1").values(left_ms=NOW))


def no_price_lists(world: World) -> None:
    world.apply(events.PricesLoaded(replace(NOTICE, zones={}).text()))


def cannot_be_read(world: World) -> None:
    world.apply(events.PricesLoaded("{}"))


def free_kind(world: World) -> None:
    world.apply(events.PricesLoaded(replace(NOTICE, free_kinds=("normal",)).text()))


@pytest.mark.parametrize(
    "happens", [other_zone, paid_something, came_twice, left, no_price_lists, cannot_be_read, free_kind]
)
def test_what_the_cloud_cannot_know_is_left_to_the_lot(told: World, happens: Callable[[World], Any]) -> None:
    assert said(told, 60) is not None
    happens(told)
    assert said(told, 60) is None


def test_free_minutes_of_the_first_stay_of_a_day_are_given_once(told: World) -> None:
    told.apply(events.PricesLoaded(replace(NOTICE, texts={"d1": FIRST_ONLY}).text()))
    assert said(told, 3) is None, "free minutes"
    told.apply(events.StayOpened("s0", "in", "inside", "京A12345", "京A12345", "small", "d0"))
    told.conn.execute(update(stay).where(stay.c.stay_id == "s0").values(entered_ms=NOW - 60_000, left_ms=NOW - 30_000))

    assert quoted(told, 3).quote.due_fen == 500
