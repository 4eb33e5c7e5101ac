"""WeChat Pay and Alipay as they are spoken, against a gateway with keys of its own, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from cloud.act import Refused
from cloud.db import Database
from cloud.lots import incidents
from cloud.paid import DUTIES
from cloud.payments import incoming, notices, orders, refunds
from cloud.payments.desk import DESK, Desk
from cloud.payments.orders import Duties, PayOrder
from cloud.payments.provider import (
    BadNoticeError,
    Outcome,
    PaymentProvider,
    Prepared,
    ProviderError,
    State,
    Way,
)
from cloud.payments.settings import PaymentSettings, open_providers
from lotgate.gateway.book import CHINA, Book, Status, Trade
from lotgate.gateway.keys import account_settings, make_keys
from lotgate.gateway.program import CODES, Gateway, Telling
from plumbing.settings import build as build_settings
from tests.cloud.test_payments import _half_done, wanted
from tests.cloud.world import NOW, World, build

KINDS = ("wechat", "alipay")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of both sides, made once: it takes its time."""
    folder = tmp_path_factory.mktemp("gateway")
    make_keys(folder)
    return folder


@dataclass
class Town:
    """A merchant's desk and the gateway it is paid through."""

    world: World
    db: Database
    desk: Desk
    gateway: Gateway

    def provider(self, kind: str) -> PaymentProvider:
        return self.desk.providers[f"demo-{kind}"]

    async def order(self) -> PayOrder:
        return await self.db.run(lambda conn: wanted(replace(self.world, conn=conn)))

    async def standing(self, order: PayOrder) -> tuple[str, str]:
        now = await self.db.run(orders.get, order.operator_id, order.order_id)
        assert now is not None
        return now.state, now.fulfilment

    async def try_of(self, kind: str, order: PayOrder, way: Way = Way.QR) -> Trade:
        """The order as the gateway knows it, once it was made known there."""
        made = await self.desk.prepare(order.order_id, kind, way)
        assert isinstance(made, Prepared), made
        (row,) = await self.db.run(orders.tries, order.order_id)
        return self.gateway.book.trades[kind, row["number"]]

    async def codes(self) -> list[str]:
        found = await self.db.run(incidents.incidents, self.world.operator_id, only_open=True)
        return [row["code"] for row in found.items]

    async def pass_s(self, seconds: float) -> None:
        self.world.now_ms += int(seconds * 1000)


@pytest.fixture
async def town(keys: Path, database: Database) -> AsyncIterator[Town]:
    db = database
    world = db.run_here(build)
    gateway = Gateway(keys, Book(lambda: world.now_ms))
    async with TestServer(gateway.app()) as bank:
        gateway.url = str(bank.make_url("")).rstrip("/")
        settings = build_settings(account_settings(keys, gateway.url), PaymentSettings, source="test")
        desk = Desk(db, world.act, open_providers(settings, lambda: world.now_ms), DUTIES, lambda: "")
        app = web.Application()
        app[DESK] = desk
        incoming.add_routes(app)
        async with TestServer(app) as shop:
            desk.base_url = lambda: str(shop.make_url("")).rstrip("/")
            await desk.start()
            town = Town(world, db, desk, gateway)
            desk.sleep = town.pass_s
            yield town
            await desk.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_scanned_code_is_paid_by_a_notice_that_comes_twice_after_a_probe(town: Town, kind: str) -> None:
    order = await town.order()
    trade = await town.try_of(kind, order)

    answers = await town.gateway.pay(trade, Telling.USUAL)

    (notice,) = await town.db.run(notices.of_numbers, order.operator_id, [trade.number])
    assert answers == ([401, 204, 204] if kind == "wechat" else [200, 200, 200])
    assert await town.standing(order) == ("paid", "done")
    assert notice["received"] == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_a_payment_whose_notice_was_lost_is_found_by_asking(town: Town, kind: str) -> None:
    order = await town.order()
    trade = await town.try_of(kind, order)
    await town.pass_s(6)
    await town.desk.round()
    assert await town.standing(order) == ("open", "")

    await town.gateway.pay(trade, Telling.NEVER)
    await town.pass_s(60)
    await town.desk.round()

    assert await town.standing(order) == ("paid", "done")


@pytest.mark.parametrize("kind", KINDS)
async def test_another_amount_is_not_honoured_and_raises_an_alarm(town: Town, kind: str) -> None:
    order = await town.order()

    await town.gateway.pay(await town.try_of(kind, order), Telling.ONCE, 100)

    assert await town.standing(order) == ("open", "")
    assert await town.codes() == ["pay_wrong_amount"]


async def test_an_order_paid_at_both_providers_is_given_back_once_by_the_second(town: Town) -> None:
    order = await town.order()
    first, second = [await _begin(town, kind, order) for kind in KINDS]
    for trade in (first, second):
        await town.gateway.pay(trade, Telling.USUAL)

    for _ in range(3):
        await town.pass_s(3600)
        await town.desk.round()

    assert (first.refunded_fen, second.refunded_fen, len(second.refunds)) == (0, 5_000, 1)
    assert await town.standing(order) == ("paid", "done")


async def _begin(town: Town, kind: str, order: PayOrder) -> Trade:
    await town.desk.prepare(order.order_id, kind, Way.QR)
    rows = await town.db.run(orders.tries, order.order_id)
    return next(found for row in rows if (found := town.gateway.book.trades.get((kind, row["number"]))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("manner", "state", "order_state"),
    [
        ("1", State.PAID, "paid"),
        ("3", State.CLOSED, "open"),
        ("4", State.CLOSED, "open"),
        ("5", State.PAID, "paid"),
    ],
)
async def test_a_payment_code_comes_to_an_end(
    town: Town, kind: str, manner: str, state: State, order_state: str
) -> None:
    order = await town.order()

    outcome = await town.desk.pay_by_code(order.order_id, CODES[kind] + manner)

    assert isinstance(outcome, Outcome)
    assert outcome.state is state
    assert (await town.standing(order))[0] == order_state


@pytest.mark.parametrize("kind", KINDS)
async def test_a_code_with_a_password_waits_a_minute_and_is_reversed_or_paid(town: Town, kind: str) -> None:
    slow, quick = await town.order(), await town.order()
    undone = await town.desk.pay_by_code(slow.order_id, CODES[kind] + "2")

    async def type_password(_seconds: float) -> None:
        (row,) = await town.db.run(orders.tries, quick.order_id)
        town.gateway.book.pay(town.gateway.book.trades[kind, row["number"]])

    town.desk.sleep = type_password
    paid = await town.desk.pay_by_code(quick.order_id, CODES[kind] + "2")

    assert isinstance(undone, Outcome)
    assert isinstance(paid, Outcome)
    assert (undone.state, paid.state) == (State.CLOSED, State.PAID)
    statuses = {trade.status for trade in town.gateway.book.trades.values()}
    assert statuses == {Status.REVERSED, Status.PAID}


@pytest.mark.parametrize("kind", KINDS)
async def test_refunds_go_back_in_part_and_in_whole_and_never_twice(town: Town, kind: str) -> None:
    order = await town.order()
    trade = await town.try_of(kind, order)
    await town.gateway.pay(trade, Telling.ONCE)
    for fen in (1_500, 3_500):
        made = await town.db.run(refunds.ask, town.world.act("li"), order.order_id, fen, "asked for", 10_000)
        assert isinstance(made, str)
        for _ in range(2):
            await town.pass_s(120)
            await town.desk.round()

    rows = await town.db.run(refunds.of_order, order.order_id)
    assert [row["state"] for row in rows] == ["done", "done"]
    assert sorted(each.amount_fen for each in trade.refunds.values()) == [1_500, 3_500]
    more = await town.db.run(refunds.ask, town.world.act("li"), order.order_id, 1, "more", 10_000)
    assert more == Refused("refund_too_much", {"left": 0})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bill_has_every_payment_and_refund_with_its_fee(town: Town, kind: str) -> None:
    day = datetime.fromtimestamp(NOW / 1000, CHINA).date()
    town.desk.duties = Duties({"topup": _half_done})
    order = await town.order()
    trade = await town.try_of(kind, order)
    assert await town.provider(kind).bill(day) == []
    await town.gateway.pay(trade, Telling.ONCE)
    await town.desk.round()

    payment, repayment = await town.provider(kind).bill(day)

    (refund,) = await town.db.run(refunds.of_order, order.order_id)
    assert (payment.charge_number, payment.refund_number) == (trade.number, "")
    assert (payment.amount_fen, payment.fee_fen) == (5_000, 30)
    assert (repayment.refund_number, repayment.amount_fen, repayment.fee_fen) == (refund["refund_id"], 5_000, -30)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_closed_order_is_closed_at_the_gateway_too(town: Town, kind: str) -> None:
    order = await town.order()
    trade = await town.try_of(kind, order)
    if kind == "alipay":
        trade.status = Status.TYPING  # Alipay knows a trade once its code was scanned
    await town.pass_s(800)
    await town.db.run(orders.cancel, town.world.act(), order.order_id)

    await town.desk.round()

    (row,) = await town.db.run(orders.tries, order.order_id)
    assert trade.status is Status.CLOSED
    assert row["state"] == "closed"


async def test_a_notice_is_believed_only_under_its_own_signature_and_in_its_time(town: Town) -> None:
    trade = await town.try_of("wechat", await town.order())
    town.gateway.book.pay(trade)
    provider, (headers, body) = town.provider("wechat"), town.gateway.wechat.notice(trade)
    other = town.gateway.wechat.notice(trade)[0]
    now = town.world.now_ms

    assert provider.read_notice(headers, body) is not None
    for wrong, text, late_s in (
        (headers | {"Wechatpay-Serial": "PUB_KEY_ID_OTHER"}, body, 0),
        (headers | {"Wechatpay-Nonce": "0"}, body, 0),
        (other, body, 0),
        ({}, body, 0),
        (headers, body + b" ", 0),
        (headers, body, 301),
        (headers, body, -301),
        (headers | {"Wechatpay-Timestamp": "soon"}, body, 0),
    ):
        town.world.now_ms = now + late_s * 1000
        with pytest.raises(BadNoticeError):
            provider.read_notice(wrong, text)


async def test_an_answer_that_was_changed_on_its_way_is_not_believed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = await town.try_of("wechat", await town.order())
    honest = town.gateway.wechat._headers
    monkeypatch.setattr(type(town.gateway.wechat), "_headers", lambda self, body: honest(body + b"!"))

    with pytest.raises(ProviderError, match="not believed"):
        await town.provider("wechat").query(trade.number)


async def test_the_payers_side_of_both_phones(town: Town) -> None:
    order = await town.order()
    wechat, alipay = town.provider("wechat"), town.provider("alipay")

    inside = await town.desk.prepare(order.order_id, "wechat", Way.WALLET, "o-payer")
    outside = await town.desk.prepare(order.order_id, "wechat", Way.PHONE, address="198.51.100.7")
    browser = await town.desk.prepare(order.order_id, "alipay", Way.PHONE)

    assert isinstance(inside, Prepared)
    assert isinstance(outside, Prepared)
    assert isinstance(browser, Prepared)
    assert inside.wallet["package"].startswith("prepay_id=")
    assert "redirect_url=http%3A%2F%2F" in outside.url
    async with ClientSession() as phone, phone.get(browser.url) as page:
        assert page.status == 200
        assert str(page.url.path).startswith("/pay/alipay/")
    assert not hasattr(alipay, "ask_who")
    assert "scope=snsapi_base" in wechat.ask_who("http://shop/payments/x", "x")  # type: ignore[attr-defined]
    assert await wechat.who("CODE") == "o-payer-0000000000000000000a"  # type: ignore[attr-defined]
