"""Orders are paid once and honoured once; money that should not have come goes back once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine

from cloud.act import Act, Refused
from cloud.db import Database
from cloud.lots import service as lots
from cloud.paid import DUTIES
from cloud.payments import accounts, notices, orders, refunds, tries
from cloud.payments.desk import Desk
from cloud.payments.orders import Duties, PayOrder, Settled, UnfulfillableError, Wanted
from cloud.payments.provider import Notice, Outcome, ProviderError, ProviderRefusedError, State, Way
from tests.cloud.paying import Till, begun, pay
from tests.cloud.world import NOW, World, build

PAID = Outcome(State.PAID, 5_000, "p1")


def wanted(world: World, **changes: object) -> PayOrder:
    values = {"merchant_id": world.merchant_id, "expires_ms": NOW + 900_000} | changes
    order = Wanted("topup", f"merchant:{world.merchant_id}", 5_000, "充值", **values)  # type: ignore[arg-type]
    return orders.open_order(world.conn, world.act(), order)


def standing(world: World, order: PayOrder) -> tuple[str, str]:
    now = orders.get(world.conn, world.operator_id, order.order_id)
    assert now is not None
    return now.state, now.fulfilment


def due(world: World) -> list[tuple[str, int]]:
    return [(row["cause"], row["amount_fen"]) for row in refunds.to_send(world.conn, world.operator_id, world.now_ms)]


def test_a_top_up_fills_the_purse_once_however_often_it_is_heard(world: World) -> None:
    before = world.accounts()["available"]
    order = wanted(world)
    number = begun(world.conn, world.act(), order)

    heard = [orders.settled(world.conn, world.act(), DUTIES, number, PAID) for _ in range(3)]

    assert heard == [Settled.DONE, Settled.AGAIN, Settled.AGAIN]
    assert standing(world, order) == ("paid", "done")
    assert world.accounts()["available"] == before + 5_000


def test_an_order_paid_by_two_tries_is_honoured_once_and_the_second_goes_back_once(world: World) -> None:
    before = world.accounts()["available"]
    order = wanted(world)
    accounts.keep(world.conn, world.act(), {"other": "other"})
    first, second = (begun(world.conn, world.act(), order, provider) for provider in ("till", "other"))

    heard = [orders.settled(world.conn, world.act(), DUTIES, number, PAID) for number in (first, second, second)]

    assert heard == [Settled.DONE, Settled.TWICE, Settled.AGAIN]
    assert world.accounts()["available"] == before + 5_000
    assert due(world) == [("twice", 5_000)]


@pytest.mark.parametrize("amount", [4_999, 5_001, 0])
def test_another_amount_than_asked_is_not_honoured_and_raises_an_alarm(world: World, amount: int) -> None:
    before = world.accounts()["available"]
    order = wanted(world)
    number = begun(world.conn, world.act(), order)

    heard = orders.settled(world.conn, world.act(), DUTIES, number, replace(PAID, amount_fen=amount))

    assert heard is Settled.WRONG
    assert standing(world, order) == ("open", "")
    assert world.accounts()["available"] == before
    assert world.codes() == ["pay_wrong_amount"]


def _half_done(conn: Connection, act: Act, order: PayOrder) -> None:
    DUTIES.fulfil["topup"](conn, act, order)
    raise UnfulfillableError("cap_reached")


def test_what_cannot_be_given_leaves_nothing_behind_and_the_money_goes_back(world: World) -> None:
    before = world.accounts()["available"]
    order = wanted(world)

    heard = pay(world.conn, world.act(), Duties({"topup": _half_done}), order)

    assert heard is Settled.UNFULFILLABLE
    assert standing(world, order) == ("paid", "cap_reached")
    assert world.accounts()["available"] == before
    assert due(world) == [("unfulfillable", 5_000)]


def test_an_order_times_out_and_money_that_comes_later_is_still_honoured(world: World) -> None:
    order = wanted(world)
    number = begun(world.conn, world.act(), order)
    world.now_ms += 900_000

    assert orders.expire(world.conn, world.act()) == [order.order_id]
    assert standing(world, order) == ("expired", "")
    assert tries.begin(world.conn, world.act(), order.order_id, "till", Way.QR) == Refused("order_not_open")
    assert orders.settled(world.conn, world.act(), DUTIES, number, PAID) is Settled.DONE


def test_a_refund_above_the_limit_needs_a_second_person_and_never_exceeds_what_was_paid(world: World) -> None:
    order = wanted(world)
    pay(world.conn, world.act(), DUTIES, order)

    def ask(fen: int) -> str | Refused:
        return refunds.ask(world.conn, world.act("li"), order.order_id, fen, "asked for", 2_000)

    small, large = ask(2_000), ask(2_500)
    assert isinstance(large, str)
    assert isinstance(small, str)
    assert ask(501) == Refused("refund_too_much", {"left": 500})
    assert due(world) == [("person", 2_000)]
    assert refunds.decide(world.conn, world.act("li"), large, agreed=True) == Refused("refund_needs_another")
    assert refunds.decide(world.conn, world.act("wang"), large, agreed=True) is None
    assert sorted(due(world)) == [("person", 2_000), ("person", 2_500)]


def test_a_notice_counts_once_and_one_for_another_account_is_nobodys(world: World) -> None:
    order = wanted(world)
    number = begun(world.conn, world.act(), order)
    accounts.keep(world.conn, world.act(), {"other": "other"})
    mine, foreign = (row["account_id"] for row in accounts.accounts(world.conn, world.operator_id))
    notice = Notice("n1", number, PAID)

    heard = [notices.take(world.conn, world.act(), DUTIES, account, notice) for account in (foreign, mine, mine)]

    assert heard == ["unknown", "done", "again"]
    assert world.codes() == ["pay_unknown_number"]
    seen = notices.of_numbers(world.conn, world.operator_id, [number])
    assert {row["account_id"]: row["received"] for row in seen} == {foreign: 1, mine: 2}


def test_the_closest_rule_names_the_account_and_another_operators_is_never_taken(world: World) -> None:
    accounts.keep(world.conn, world.act(), {"main": "till", "north": "till", "shop": "till"})
    main, north, shop = (row["account_id"] for row in accounts.accounts(world.conn, world.operator_id))
    stranger = Act(lots.create_operator(world.conn, "other", NOW), "x", NOW, world.act().random)
    accounts.keep(world.conn, stranger, {"foreign": "till"})
    foreign = accounts.accounts(world.conn, stranger.operator_id)[0]["account_id"]

    assert accounts.assign(world.conn, world.act(), world.lot_id, "", "till", north) is None
    assert accounts.assign(world.conn, world.act(), 0, "purchase", "till", shop) is None
    refused = accounts.assign(world.conn, world.act(), 0, "fee", "till", foreign)

    assert refused == Refused("account_unknown")
    for lot_id, purpose, account in (
        (None, "topup", main),
        (world.lot_id, "fee", north),
        (world.lot_id, "purchase", north),
        (None, "purchase", shop),
    ):
        chosen = accounts.choose(world.conn, world.operator_id, lot_id, purpose)
        assert chosen["till"]["account_id"] == account, (lot_id, purpose)


class Counter:
    """A desk over a small world, with a clock that sleeping puts forward."""

    def __init__(self, engine: Engine) -> None:
        self.db, self.till = Database(engine), Till()
        self.world = self.db.run_here(build)
        self.desk = Desk(self.db, self.world.act, {"till": self.till}, DUTIES, lambda: "http://c", sleep=self.pass_s)

    async def pass_s(self, seconds: float) -> None:
        self.world.now_ms += int(seconds * 1000)

    async def order(self) -> PayOrder:
        await self.desk.start()
        return await self.db.run(lambda conn: wanted(replace(self.world, conn=conn)))

    async def standing(self, order: PayOrder) -> str:
        now = await self.db.run(orders.get, order.operator_id, order.order_id)
        assert now is not None
        return now.state


@pytest.fixture
def counter(engine: Engine) -> Counter:
    return Counter(engine)


async def test_a_code_whose_payer_types_a_password_is_paid_when_the_provider_says_so(counter: Counter) -> None:
    order = await counter.order()
    answers = [Outcome(State.WAITING), Outcome(State.UNKNOWN), PAID]

    async def query(number: str) -> Outcome:
        return answers.pop(0)

    counter.till.query = query  # type: ignore[method-assign]

    outcome = await counter.desk.pay_by_code(order.order_id, "130000000000000000")

    assert outcome == PAID
    assert await counter.standing(order) == "paid"


async def test_a_code_without_an_end_is_undone_after_a_minute(counter: Counter) -> None:
    order = await counter.order()
    counter.till.says = {"code": ProviderError("silent"), "query": ProviderError("silent")}

    outcome = await counter.desk.pay_by_code(order.order_id, "130000000000000000")

    assert isinstance(outcome, Outcome)
    assert outcome.state is State.CLOSED
    assert counter.world.now_ms == NOW + 60_000
    assert [what for what, _ in counter.till.asked].count("reverse") == 1
    assert await counter.standing(order) == "open"


async def test_a_try_of_an_ended_order_is_closed_and_one_paid_meanwhile_is_honoured(counter: Counter) -> None:
    order = await counter.order()
    await counter.desk.prepare(order.order_id, "till", Way.QR)
    (charge,) = counter.till.charges
    counter.till.says["close"] = ProviderRefusedError("paid", "it is paid")
    await counter.pass_s(900)

    await counter.desk.round()
    counter.till.says["query"] = PAID
    await counter.pass_s(300)
    await counter.desk.round()

    assert charge.notify_url == "http://c/api/payments/notices/till"
    assert await counter.standing(order) == "paid"


async def test_a_refund_is_sent_under_one_number_until_the_provider_has_done_it(counter: Counter) -> None:
    order = await counter.order()
    await counter.db.run(lambda conn: pay(conn, counter.world.act(), Duties({"topup": _half_done}), order))
    counter.till.says["refund"] = ProviderError("silent")

    for _ in range(2):
        await counter.pass_s(600)
        await counter.desk.round()
    counter.till.says["refund"] = Outcome(State.REFUNDED, 5_000)
    for _ in range(2):
        await counter.pass_s(600)
        await counter.desk.round()

    sent = [number for what, number in counter.till.asked if what == "refund"]
    (row,) = await counter.db.run(refunds.of_order, order.order_id)
    assert len(sent) == 3
    assert {row["refund_id"]} == set(sent)
    assert row["state"] == "done"
