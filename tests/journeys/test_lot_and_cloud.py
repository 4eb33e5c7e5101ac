"""The two real daemons with a real broker between them: a lot joins, coupons come down, facts go up, books agree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from drivers.printer.simulated import SimulatedPrinter
from edge.counterdesk import Printed
from edge.provisioning import claim, prepare
from edge.services.redeeming import LaidOn
from edge.settings import Broker, EdgeSettings, LotRules
from plumbing.broker import EmbeddedBroker, free_port
from tests.edge.test_daemon import PLATE, QUICK, Running, lot_settings, running

HERE = Path(__file__).parents[2]
CLOUD = """
data = "cloud"
first_password_file = "first"

[listen]
port = {port}

[broker]
port = {broker}
longest_wait_s = 3
"""
LANES = [
    {"name": "in", "direction": "entry", "from": "outside", "to": "main"},
    {"name": "out", "direction": "exit", "from": "main", "to": "outside"},
]


@dataclass
class CloudApi:
    """Calls as a script would make them."""

    session: aiohttp.ClientSession
    base: str
    token: str = ""

    async def call(self, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        method = "GET" if body is None else "POST"
        async with self.session.request(method, f"{self.base}/api/v1/{path}", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status < 300, (path, told)
            return told

    async def sign_in(self, password: str) -> None:
        login = {"account": "admin", "password": password, "new_password": "seven cars waiting"}
        self.token = (await self.call("tokens", login))["token"]

    async def until(self, path: str, holds: Callable[[Any], bool], seconds: float = 20) -> Any:
        async with asyncio.timeout(seconds):
            while not holds(told := await self.call(path)):
                await asyncio.sleep(0.05)
        return told


@asynccontextmanager
async def cloud_daemon(folder: Path, broker: int, port: int) -> AsyncIterator[CloudApi]:
    config = folder / "cloud.toml"
    config.write_text(CLOUD.format(port=port, broker=broker), encoding="utf-8")
    command = [sys.executable, "-m", "lotgate", "cloud", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    log = (folder / "cloud.log").open("ab")
    with log, subprocess.Popen(command, stderr=log, stdout=log, env=environment, cwd=HERE) as daemon:  # noqa: S603, ASYNC220
        try:
            async with aiohttp.ClientSession() as session:
                api = CloudApi(session, f"http://127.0.0.1:{port}")
                async with asyncio.timeout(90):  # it is two seconds on a machine with nothing else to do
                    while True:
                        with contextlib.suppress(aiohttp.ClientConnectorError):
                            await api.call("health")
                            break
                        await asyncio.sleep(0.05)
                yield api
        finally:
            daemon.terminate()


@dataclass
class World:
    """Everything up: the cloud's interface and the running lot."""

    cloud: CloudApi
    lot: Running
    printer: SimulatedPrinter
    merchant_id: int
    broker: EmbeddedBroker


@pytest.fixture
def rules() -> LotRules:
    """How the lot decides; another file may say otherwise."""
    return QUICK


@pytest.fixture
async def world(tmp_path: Path, rules: LotRules) -> AsyncIterator[World]:
    async with whole_world(tmp_path, rules) as made:
        yield made


@asynccontextmanager
async def whole_world(
    tmp_path: Path, rules: LotRules = QUICK, change: Callable[[EdgeSettings], EdgeSettings] = lambda settings: settings
) -> AsyncIterator[World]:
    """A lot that has joined a cloud; *change* says what else its settings say."""
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(tmp_path, {}))
        cloud = await stack.enter_async_context(cloud_daemon(tmp_path, broker.port, free_port()))
        printer = SimulatedPrinter()
        await printer.start()
        stack.push_async_callback(printer.stop)
        await cloud.sign_in((tmp_path / "first").read_text(encoding="utf-8").strip())
        lot_id = (await cloud.call("lots", {"name": "North", "places": 60, "lanes": LANES}))["lot_id"]
        joined = await cloud.call("edges", {"lot_id": lot_id, "name": "north"})
        shop = await cloud.call("merchants", {"name": "Shop", "phone": "13800000000", "lots": [lot_id]})
        merchant_id = shop["merchant_id"]
        await cloud.call(f"merchants/{merchant_id}/top-up", {"commodity": "FEN", "paid": 100_000})

        def settings(folder: Path, board: int) -> EdgeSettings:
            lot = lot_settings(folder, board, rules)
            printers = {"desk": {"type": "escpos_network", "host": "127.0.0.1", "port": printer.port}}
            devices = replace(lot.devices, printers=printers)
            line = Broker(port=broker.port)
            return change(replace(lot, lot_id=lot_id, edge=joined["edge_id"], broker=line, devices=devices))

        made = settings(tmp_path, 1)
        await asyncio.to_thread(prepare, made)
        await claim(made, joined["claim"])
        lot = await stack.enter_async_context(running(tmp_path, make=settings))
        await lot.until(lambda: lot.opened.edge.link_state() == "online", 20)
        yield World(cloud, lot, printer, merchant_id, broker)


async def all_told(world: World) -> None:
    """Until the cloud holds every event of the lot."""
    async with asyncio.timeout(20):
        while (await world.lot.opened.edge.standing())["backlog"]:
            await asyncio.sleep(0.05)


async def test_a_coupon_from_afar_and_a_voucher_from_the_counter_pay_at_the_exit(world: World) -> None:
    cloud, lot, edge = world.cloud, world.lot, world.lot.opened.edge
    await lot.passes("in", PLATE, 1)
    await lot.passes("in", "粤B98765", 2)
    lot.later(30)
    five = {"name": "five", "kind": "AMOUNT", "value": 500}
    template = (await cloud.call(f"merchants/{world.merchant_id}/templates", five))["template_id"]
    await cloud.until("cars", lambda cars: len(cars) == 2)
    await cloud.call("coupons", {"merchant_id": world.merchant_id, "template_id": template, "plate": PLATE})
    (first,) = [stay for stay in await edge.cars_inside() if stay.plate == PLATE]

    async with asyncio.timeout(20):
        while (quote := await edge.quote(first.stay_id)) is None or quote.explanation["due_fen"]:
            await asyncio.sleep(0.05)
    await lot.passes("out", PLATE, 3)

    async with asyncio.timeout(20):
        while not any(row["left"] for row in await edge.counter.merchants()):
            await asyncio.sleep(0.05)
    slip = await edge.counter.issue_voucher(world.merchant_id, template, "wang")
    assert isinstance(slip, Printed)
    (row,) = await edge.counter.vouchers()
    (second,) = await edge.cars_inside()
    laid = await edge.lay_voucher(second.stay_id, row.token, "li", "out")
    await lot.passes("out", "粤B98765", 4)

    await all_told(world)
    coupons = await cloud.until("coupons", lambda rows: all(one["state"] == "REDEEMED" for one in rows))
    vouchers = await cloud.until("vouchers", lambda rows: bool(rows) and rows[0]["state"] == "REDEEMED")
    assert isinstance(laid, LaidOn)
    assert slip.state == "confirmed"
    assert len(world.printer.jobs) == 1
    assert (len(coupons), len(vouchers)) == (1, 1)
    assert all(book["is_right"] for book in await cloud.call("books"))
    found = {incident["code"] for incident in await cloud.call("incidents")}
    assert found <= {"clock_wrong"}  # the lot's clock was put forward to let time pass
    assert await cloud.call("cars") == []


async def test_a_barrier_opened_from_afar_gives_one_pulse_under_its_name_and_the_cloud_hears_what_came_of_it(
    world: World,
) -> None:
    cloud, lot, edge = world.cloud, world.lot, world.lot.opened.edge
    (row,) = await cloud.call("lots")
    at = f"lots/{row['lot_id']}"

    await cloud.call(f"{at}/lanes/in/open", {"reason": "ambulance"})
    (done,) = await cloud.until(f"{at}/openings", lambda rows: rows[0]["state"] == "done")

    assert (done["result"], done["by"], done["reason"]) == ("opened", "admin", "ambulance")
    assert [pulse.channel for pulse in lot.board.pulses] == [0]
    (act,) = [act for act in await edge.acts() if act.act == "barrier.open"]
    assert (act.by, act.reason) == ("cloud:admin", "ambulance")
