"""Months of monthly passes paid online: offered, paid once, known to the lot, taken back with a refund."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import extending, service
from cloud.members.extending import Offer
from cloud.members.service import terms_of
from cloud.members.terms import Terms
from cloud.paid import DUTIES
from cloud.payments import giving_back, orders, refunds
from cloud.payments.orders import PayOrder, Settled
from cloud.payments.provider import Outcome, State
from cloud.payments.tables import pay_refund
from cloud.sync import channels
from domain.entitlement import Grant
from tests.cloud.paying import begun, pay
from tests.cloud.world import LANES, NOW, World

A, B = "京A12345", "粤B98765"
DAY = 86_400_000
CHINA = ZoneInfo("Asia/Shanghai")
JUNE = round(datetime(2026, 6, 1, tzinfo=CHINA).timestamp() * 1000)  # NOW is 29 May 2026 at 04:26 there
JULY = round(datetime(2026, 7, 1, tzinfo=CHINA).timestamp() * 1000)
PRICE = 30_000


def card(world: World, **changes: Any) -> int:
    terms = Terms(Grant.MONTHLY, "陈先生", (A,), ((world.lot_id, ""),), begins_ms=NOW - 20 * DAY, ends_ms=JUNE)
    made = service.add(world.conn, world.act(), replace(terms, **changes))
    assert isinstance(made, int), made
    return made


def offered(world: World, number: int) -> Offer | Refused:
    return extending.offer(world.conn, world.operator_id, number, world.now_ms)


def seen(world: World, plate: str = A) -> Offer | None:
    return extending.offer_for(world.conn, world.operator_id, world.lot_id, plate, world.now_ms)


def order(world: World, number: int) -> PayOrder:
    made = offered(world, number)
    assert isinstance(made, Offer), made
    return extending.begin(world.conn, world.act("driver:phone"), made, "/pay/1")


def ends(world: World, number: int) -> int:
    held = service.get(world.conn, world.operator_id, number)
    assert held is not None
    return int(held.row["ends_ms"])


def told(world: World, number: int, plate: str = A) -> int:
    row = channels.get_row(world.conn, world.edge_id, "people", f"entitled:{number}:{plate}")
    return int(row["until_ms"]) if row else 0


def fulfilment(world: World, made: PayOrder) -> str:
    now = orders.get(world.conn, world.operator_id, made.order_id)
    return "" if now is None else now.fulfilment


@pytest.fixture
def priced(world: World) -> World:
    assert extending.set_price(world.conn, world.act(), world.lot_id, PRICE) is None
    return world


def test_a_paid_month_is_on_the_pass_and_at_the_lot_exactly_once(priced: World) -> None:
    number = card(priced)
    made = order(priced, number)
    again = order(priced, number)

    numbers = [begun(priced.conn, priced.act(), made, name) for name in ("till", "other")]
    told_paid = Outcome(State.PAID, PRICE, "p")
    first, twice, third = (
        orders.settled(priced.conn, priced.act("payments"), DUTIES, one, told_paid) for one in (*numbers, numbers[0])
    )

    assert again.order_id == made.order_id  # whoever else looks at it pays the same order
    assert (made.amount_fen, first, twice, third) == (PRICE, Settled.DONE, Settled.TWICE, Settled.AGAIN)
    assert (ends(priced, number), told(priced, number)) == (JULY, JULY)
    (row,) = extending.of_pass(priced.conn, priced.operator_id, number)
    assert (row["from_ms"], row["until_ms"], row["state"]) == (JUNE, JULY, "done")


def test_of_two_orders_for_one_month_the_second_goes_back(priced: World) -> None:
    number = card(priced)
    first = order(priced, number)
    extending.set_price(priced.conn, priced.act(), priced.lot_id, PRICE + 5_000)
    second = order(priced, number)

    paid = [pay(priced.conn, priced.act("payments"), DUTIES, one) for one in (second, first)]

    assert paid == [Settled.DONE, Settled.UNFULFILLABLE]
    assert (second.amount_fen, first.amount_fen) == (PRICE + 5_000, PRICE)
    assert fulfilment(priced, first) == "pass_changed"
    assert ends(priced, number) == JULY
    assert priced.conn.execute(select(pay_refund.c.amount_fen, pay_refund.c.state)).all() == [(PRICE, "due")]


@pytest.mark.parametrize("what", ["ended", "moved", "other card"])
def test_a_pass_that_changed_meanwhile_gives_the_money_back(priced: World, what: str) -> None:
    number = card(priced)
    made = order(priced, number)
    held = service.get(priced.conn, priced.operator_id, number)
    assert held is not None
    if what == "ended":
        assert service.end(priced.conn, priced.act(), number, "moved away") is None
    elif what == "moved":
        assert service.change(priced.conn, priced.act(), number, replace(terms_of(held), ends_ms=JUNE + DAY)) is None
    else:
        card(priced, name="another", begins_ms=JUNE + DAY, ends_ms=JULY)
    before = told(priced, number)

    assert pay(priced.conn, priced.act("payments"), DUTIES, made) is Settled.UNFULFILLABLE
    assert fulfilment(priced, made) == "pass_changed"
    assert told(priced, number) == before
    assert extending.of_pass(priced.conn, priced.operator_id, number) == []


def test_a_refund_takes_the_month_back_and_what_was_parked_stays_covered(priced: World) -> None:
    number = card(priced)
    made = order(priced, number)
    pay(priced.conn, priced.act("payments"), DUTIES, made)

    def give_back(fen: int) -> Refused | None:
        return giving_back.ask(priced.conn, priced.act(), DUTIES, made.order_id, fen, "sold the car", 10**9)

    assert give_back(PRICE - 1) == Refused("pass_month_whole")
    priced.now_ms = JUNE + 3 * DAY
    assert give_back(PRICE) is None
    assert (ends(priced, number), told(priced, number)) == (JUNE + 3 * DAY, JUNE + 3 * DAY)
    (row,) = extending.of_pass(priced.conn, priced.operator_id, number)
    assert row["state"] == "taken_back"
    assert priced.conn.execute(select(pay_refund.c.amount_fen)).scalars().all() == [PRICE]


def test_before_its_month_began_a_refund_restores_the_old_end(priced: World) -> None:
    number = card(priced)
    made = order(priced, number)
    pay(priced.conn, priced.act("payments"), DUTIES, made)

    assert giving_back.ask(priced.conn, priced.act(), DUTIES, made.order_id, PRICE, "mistake", 10**9) is None
    assert (ends(priced, number), told(priced, number)) == (JUNE, JUNE)


def test_a_month_on_top_keeps_the_earlier_one_from_being_refunded(priced: World) -> None:
    number = card(priced)
    first = order(priced, number)
    pay(priced.conn, priced.act("payments"), DUTIES, first)
    priced.now_ms += 30 * DAY
    pay(priced.conn, priced.act("payments"), DUTIES, order(priced, number))

    refused = giving_back.ask(priced.conn, priced.act(), DUTIES, first.order_id, PRICE, "x", 10**9)

    assert refused == Refused("pass_changed")
    assert priced.conn.execute(select(pay_refund)).all() == []  # nothing was taken back, so nothing goes back


def test_drivers_are_offered_what_ends_soon_or_is_in_grace(priced: World) -> None:
    number = card(priced, plates=(A, B), grace_days=2)
    at = {}
    for days in (-8, -6.5, 0.5, 1.9, 2.1):
        priced.now_ms = JUNE + round(days * DAY)
        at[days] = seen(priced, B)

    assert [days for days, one in at.items() if one] == [-6.5, 0.5, 1.9]
    one = at[0.5]
    assert one is not None
    assert (one.entitlement_id, one.amount_fen, one.last_day, one.until_ms) == (number, 2 * PRICE, "2026-06-30", JULY)


def test_what_a_lot_does_not_offer_is_not_shown(world: World) -> None:
    number = card(world)
    assert (offered(world, number), seen(world)) == (Refused("pass_not_offered"), None)
    assert extending.set_price(world.conn, world.act(), world.lot_id, PRICE) is None
    assert seen(world) is not None
    assert seen(world, "京A99999") is None
    assert extending.set_price(world.conn, world.act(), world.lot_id, 0) is None
    assert seen(world) is None
    assert extending.set_price(world.conn, world.act(), world.lot_id, -1) == Refused("amount_malformed")
    assert extending.set_price(world.conn, world.act(), 99, PRICE) == Refused("lot_missing")


def test_what_is_no_pass_of_one_lot_with_an_end_is_for_the_desk(priced: World) -> None:
    south = lots.create_lot(priced.conn, priced.act(), "south lot", "Asia/Shanghai", 10, LANES)
    assert isinstance(south, int)
    endless = card(priced, ends_ms=None)
    both = card(priced, plates=(B,), zones=((priced.lot_id, ""), (south, "")))
    staff = card(priced, kind=Grant.STAFF, plates=("京A77777",))

    codes = [getattr(offered(priced, number), "code", "") for number in (endless, both, staff, 999)]

    assert codes == ["pass_by_hand", "pass_by_hand", "entitlement_unknown", "entitlement_unknown"]
    assert [seen(priced, plate) for plate in (A, B, "京A77777")] == [None, None, None]


def test_a_stranger_operator_sees_nothing_of_it(priced: World) -> None:
    number = card(priced)
    made = order(priced, number)

    other = priced.operator_id + 1
    assert extending.offer(priced.conn, other, number, NOW) == Refused("entitlement_unknown")
    assert extending.offer_for(priced.conn, other, priced.lot_id, A, NOW) is None
    assert extending.get(priced.conn, other, made.order_id) is None
    assert extending.listed(priced.conn, other).items == []
    assert extending.prices(priced.conn, other) == {}


def test_a_late_payment_still_counts_while_the_pass_is_as_it_was(priced: World) -> None:
    number = card(priced)
    made = order(priced, number)
    paid_by = begun(priced.conn, priced.act(), made)
    priced.now_ms += extending.PAY_WITHIN_MS + 60_000
    assert orders.expire(priced.conn, priced.act()) == [made.order_id]

    said = orders.settled(priced.conn, priced.act("payments"), DUTIES, paid_by, Outcome(State.PAID, PRICE, "p"))

    assert (said, ends(priced, number)) == (Settled.DONE, JULY)
    assert refunds.of_order(priced.conn, made.order_id) == []
