"""A driver's phone at a lane: through the real cloud and broker, and at the lot itself when the line is down."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from domain.driver_page import lane_code
from drivers.camera.simulated import Sight
from edge.provisioning import claim, prepare
from edge.services.checking import check_books
from edge.settings import Broker, EdgeSettings, Listener
from plumbing.broker import EmbeddedBroker, free_port
from tests.edge.test_daemon import PLATE, Running, lot_settings, running
from tests.edge.web.running import Visitor
from tests.journeys.test_lot_and_cloud import LANES, CloudApi, cloud_daemon

UNREAD = Sight("")


@dataclass
class Phones:
    """The lot, and one phone in its own network and one on the Internet."""

    lot: Running
    cloud: CloudApi
    broker: EmbeddedBroker
    near: Visitor
    far: Visitor
    lot_id: int

    def at(self, lane: str) -> str:
        return f"/lane/{lane_code(self.lot_id, lane)}"

    async def stands(self, lane: str) -> None:
        await self.lot.cameras[lane].see(UNREAD)
        edge = self.lot.opened.edge
        await self.lot.until(lambda: (view := edge.live.get(lane)) is not None and view.phase == "Waiting")

    async def types(self, phone: Visitor, lane: str, plate: str) -> tuple[str, str]:
        _, page = await phone.send(self.at(lane), {"wish": "plate", "text": plate})
        found = re.search(r'data-outcome="(\w+)"', page)
        assert found is not None, page
        return found[1], page


@pytest.fixture
async def phones(tmp_path: Path) -> AsyncIterator[Phones]:
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(tmp_path, {}))
        cloud = await stack.enter_async_context(cloud_daemon(tmp_path, broker.port, free_port()))
        await cloud.sign_in((tmp_path / "first").read_text(encoding="utf-8").strip())
        lot_id = (await cloud.call("lots", {"name": "North", "places": 60, "lanes": LANES}))["lot_id"]
        joined = await cloud.call("edges", {"lot_id": lot_id, "name": "north"})

        def settings(folder: Path, board: int) -> EdgeSettings:
            lot = lot_settings(folder, board)
            lanes = tuple(replace(lane, attended=False) for lane in lot.lanes)
            listeners = replace(lot.listeners, driver=Listener())
            line = Broker(port=broker.port)
            return replace(lot, lot_id=lot_id, edge=joined["edge_id"], broker=line, lanes=lanes, listeners=listeners)

        made = settings(tmp_path, 1)
        await asyncio.to_thread(prepare, made)
        await claim(made, joined["claim"])
        lot = await stack.enter_async_context(running(tmp_path, make=settings))
        await lot.until(lambda: lot.opened.edge.link_state() == "online", 20)
        visitors = []
        for base in (f"http://127.0.0.1:{lot.opened.ports['driver']}", cloud.base):
            jar = aiohttp.CookieJar(unsafe=True)
            session = aiohttp.ClientSession(cookie_jar=jar, cookies={"lg_lang": "zh-CN"})
            visitors.append(Visitor(base, await stack.enter_async_context(session)))
        yield Phones(lot, cloud, broker, visitors[0], visitors[1], lot_id)


async def test_a_phone_on_the_internet_is_let_in_told_its_fee_and_let_out_by_the_lot(phones: Phones) -> None:
    lot, edge = phones.lot, phones.lot.opened.edge
    await phones.cloud.until("lots", lambda rows: rows[0]["lot_id"] == phones.lot_id)
    async with asyncio.timeout(20):  # until the cloud has heard the lot's first live word
        while (await phones.types(phones.far, "in", PLATE))[0] != "no_car":
            await asyncio.sleep(0.3)
    await phones.stands("in")

    assert (await phones.types(phones.far, "in", PLATE))[0] == "opens"
    await lot.until(lambda: len(lot.board.pulses) == 1)
    (stay,) = await edge.cars_inside()
    lot.later(30)
    await phones.stands("out")
    outcome, page = await phones.types(phones.far, "out", PLATE)

    assert (stay.plate, outcome, "¥5.00" in page) == (PLATE, "pay", True)
    assert {act.by for act in await edge.acts() if act.act == "plate.type"} == {"driver:cloud"}
    await edge.take_cash("pay-00001", stay.stay_id, 500, "li")
    await lot.until(lambda: len(lot.board.pulses) == 2)
    assert await edge.cars_inside() == []
    assert await edge.read(check_books) == []


async def test_with_the_line_down_the_internet_says_so_and_the_lots_own_page_lets_the_car_in(phones: Phones) -> None:
    lot, edge = phones.lot, phones.lot.opened.edge
    await phones.broker.stop()
    await lot.until(lambda: edge.link_state() == "offline", 20)
    await phones.stands("in")

    outcome, page = await phones.types(phones.far, "in", PLATE)
    assert (outcome, "无线网" in page) == ("silent", True)
    assert lot.board.pulses == []

    assert (await phones.types(phones.near, "in", PLATE))[0] == "opens"
    await lot.until(lambda: len(lot.board.pulses) == 1)
    assert [stay.plate for stay in await edge.cars_inside()] == [PLATE]
