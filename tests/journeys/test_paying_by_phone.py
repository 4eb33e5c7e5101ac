"""A driver pays by phone: the lot, the broker and the cloud are real, only the wallet is played."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from cloud.act import Refused
from cloud.fees import codes
from cloud.fees import service as fees
from cloud.lots import stays
from cloud.payments import refunds
from cloud.payments.desk import DESK
from cloud.payments.provider import Outcome, State, Way
from domain.decision import Refuse
from domain.scanned import ScannedKind, link_of
from drivers.camera.simulated import Sight
from edge.lanes.phone import Shown
from edge.lanes.till import Charge, Charged
from edge.services.checking import check_books
from tests.cloud.paying import Till
from tests.edge.test_daemon import PLATE
from tests.edge.web.running import Visitor
from tests.journeys.town import Town, open_town


@dataclass
class PayingTown(Town):
    """With a wallet that pays when told to, and a phone on the Internet."""

    till: Till
    phone: Visitor

    async def stands_at_the_exit(self) -> str:
        """The car came half an hour ago and owes 5 yuan; its stay."""
        await self.lot.passes("in", PLATE, 1)
        (stay,) = await self.lot.opened.edge.cars_inside()
        self.later(30)
        await self.lot.cameras["out"].see(Sight(PLATE))
        await self.lot.until(lambda: self._verdict() == "PayFirst")
        return stay.stay_id

    def _verdict(self) -> str:
        view = self.lot.opened.edge.live.get("out")
        return view.verdict if view else ""

    async def begins(self, path: str) -> str:
        """Presses "pay" on the page of a quote; the order."""
        token = await self.phone.page_token(path)
        url, form = self.phone.base + path, {"csrf_token": token}
        async with self.phone.session.post(url, data=form, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            return answer.headers["Location"].rpartition("/")[2]

    async def pays(self, order_id: str) -> None:
        """The wallet takes the money and says so."""
        desk = self.app[DESK]
        assert not isinstance(await desk.prepare(order_id, "till", Way.QR), Refused)
        charge = self.till.charges[-1]
        await desk.settle(charge.number, Outcome(State.PAID, charge.amount_fen, "p1"))

    async def heard_of(self) -> None:
        """Until the cloud knows that the car came."""
        async with asyncio.timeout(15):
            while await self.cloud.db.run(stays.only_one_inside, self.cloud.operator_id, self.lot_id, PLATE) is None:
                await asyncio.sleep(0.05)

    async def left(self) -> None:
        edge = self.lot.opened.edge
        await self.lot.until(lambda: len(self.lot.board.pulses) == 2)
        assert await edge.cars_inside() == []
        assert await edge.read(check_books) == []

    async def shows(self, path: str, outcome: str) -> str:
        """The page of the quote, once it says so."""
        async with asyncio.timeout(15):
            while f'data-outcome="{outcome}"' not in (page := await self.phone.get(path)):
                await asyncio.sleep(0.1)
        return page


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[PayingTown]:
    till = Till()
    async with contextlib.AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_town(tmp_path, {"till": till}))
        jar = aiohttp.CookieJar(unsafe=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar, cookies={"lg_lang": "zh-CN"}))
        yield PayingTown(**vars(opened), till=till, phone=Visitor(opened.cloud.public_url, session))


async def test_a_phone_types_its_plate_pays_and_the_car_leaves(town: PayingTown) -> None:
    await town.lot.until(lambda: bool(town.cloud.live()))
    await town.stands_at_the_exit()
    status, page = await town.phone.send(f"/pay/{town.lot_id}", {"text": PLATE})  # half an hour was put on the clocks
    assert status == 200, page
    found = re.search(r'action="(/Q/\w+)"', page)
    assert found is not None, page
    assert (PLATE in page, "¥5.00" in page, re.search(r"\d\d-\d\d \d\d:\d\d", page)) == (False, True, None)

    await town.pays(await town.begins(found[1]))

    await town.left()
    assert "道闸会自动打开" in await town.shows(found[1], "settled")


async def test_with_the_lots_line_down_the_pass_opens_and_the_money_is_booked_once(town: PayingTown) -> None:
    stay_id = await town.stands_at_the_exit()
    edge = town.lot.opened.edge
    await town.lot.until(lambda: edge.link_state() == "online")
    await town.broker.stop()
    await town.lot.until(lambda: edge.link_state() == "offline", 20)
    shown = await edge.phone.quote(stay_id)
    assert isinstance(shown, Shown)
    path = f"/Q/{shown.token}"

    await town.pays(await town.begins(path))
    page = await town.phone.get(path)
    row = await town.cloud.db.run(fees.paid, town.cloud.operator_id, shown.quote)
    assert row is not None
    token, digits = fees.pass_of(row, town.cloud.config_key)
    await edge.workers["out"].codes.take(link_of("park.example", ScannedKind.EXIT_PASS, token), "scanner lane")

    await town.left()
    assert f"{digits[:4]} {digits[4:]}" in page
    await town.broker.start()
    assert "道闸会自动打开" in await town.shows(path, "settled")
    assert await town.cloud.db.run(refunds.to_send, town.cloud.operator_id, town.cloud.now_ms()) == []
    assert await edge.read(check_books) == []


async def test_with_the_lots_line_down_a_typed_plate_is_told_a_sum_and_its_pass_opens(town: PayingTown) -> None:
    edge = town.lot.opened.edge
    await town.lot.until(lambda: edge.link_state() == "online")
    await town.stands_at_the_exit()
    await town.heard_of()
    await town.broker.stop()
    await town.lot.until(lambda: edge.link_state() == "offline", 20)
    status, page = await town.phone.send(f"/pay/{town.lot_id}", {"text": PLATE})
    found = re.search(r'action="(/Q/\w+)"', page)
    assert (status, "车场暂时断网" in page, "¥5.00" in page, PLATE in page) == (200, True, True, False), page
    assert found is not None, page

    order = await town.begins(found[1])
    await town.pays(order)
    status, again = await town.phone.send(f"/pay/{town.lot_id}", {"text": PLATE})
    assert (status, 'data-code="paid_waits"' in again, "/Q/" in again) == (200, True, False), again
    asked = await town.cloud.db.run(
        fees.open_quote, town.cloud.operator_id, found[1].rpartition("/")[2], town.cloud.config_key
    )
    assert asked is not None
    row = await town.cloud.db.run(fees.paid, town.cloud.operator_id, asked.quote)
    assert row is not None
    token, digits = fees.pass_of(row, town.cloud.config_key)
    await edge.workers["out"].codes.take(link_of("park.example", ScannedKind.EXIT_PASS, token), "scanner lane")

    await town.left()
    assert digits == "", "the lot could not check digits of a quote it did not write"
    await town.broker.start()
    assert "道闸会自动打开" in await town.shows(found[1], "settled")
    assert await town.cloud.db.run(refunds.to_send, town.cloud.operator_id, town.cloud.now_ms()) == []
    assert await edge.read(check_books) == []


async def test_a_payment_code_is_taken_once_however_often_one_is_scanned(
    town: PayingTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SOON_S", 0.2)
    typed = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await typed.wait()
        await asyncio.sleep(0.05)

    town.app[DESK].sleep = sleep
    stay_id = await town.stands_at_the_exit()
    till = town.lot.opened.edge.till

    first = await till.charge(stay_id, "130000000000000001")  # its owner is asked for a password
    second = await till.charge(stay_id, "130000000000000002")

    assert [getattr(one, "state", one) for one in (first, second)] == [Charged.WAITING, Charged.WAITING]
    assert len(town.till.charges) == 1
    town.till.says["query"] = Outcome(State.PAID, 500, "p1")
    typed.set()
    await town.left()
    assert isinstance(first, Charge)
    assert await till.look(stay_id) == replace(first, state=Charged.PAID)
    assert await town.cloud.db.run(refunds.to_send, town.cloud.operator_id, town.cloud.now_ms()) == []


async def test_a_code_that_failed_may_be_scanned_again_and_without_a_line_none_is_taken(town: PayingTown) -> None:
    stay_id = await town.stands_at_the_exit()
    edge = town.lot.opened.edge
    town.till.says["code"] = Outcome(State.CLOSED)
    assert getattr(await edge.till.charge(stay_id, "130000000000000001"), "state", "") is Charged.CLOSED
    await town.broker.stop()
    await town.lot.until(lambda: edge.link_state() == "offline", 20)
    assert await edge.till.charge(stay_id, "130000000000000002") == Refuse("no_link")
    assert await edge.till.charge(stay_id, "LG1") == Refuse("not_a_payment_code")
    await town.broker.start()
    await town.lot.until(lambda: edge.link_state() == "online", 30)

    town.till.says["code"] = Outcome(State.PAID, 500, "p1")
    await edge.workers["out"].codes.take("130000000000000003", "scanner lane")

    await town.left()
