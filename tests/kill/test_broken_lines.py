"""Real connections that are cut, stalled, swallowed or half-closed, on either side of the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.sync import uplink
from plumbing.broker import EmbeddedBroker
from plumbing.mqtt import MqttOptions
from plumbing.onethread import OneThread
from tests.fakes.fault_proxy import FaultProxy, Way, fault_proxy
from tests.journeys.test_link import USERS, Running

pytestmark = pytest.mark.kill

FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "cut": FaultProxy.cut,
    "stalled": FaultProxy.stall,
    "black hole": FaultProxy.swallow,
    "half open, nothing arrives": lambda proxy: proxy.swallow(Way.UP),
    "half open, nothing comes back": lambda proxy: proxy.swallow(Way.DOWN),
    "half closed": lambda proxy: proxy.half_close(Way.UP),
}
LOSES_BYTES = {name for name in FAULTS if name.startswith(("black", "half open"))}


@asynccontextmanager
async def running_behind_a_proxy(folder: Path, side: str) -> AsyncIterator[tuple[Running, FaultProxy]]:
    async with (
        EmbeddedBroker(folder, USERS) as broker,
        fault_proxy(broker.port) as proxy,
        OneThread("edge-db") as thread,
    ):
        ports = {"cloud": broker.port, "edge": broker.port, side: proxy.port}
        cloud = MqttOptions("127.0.0.1", ports["cloud"], "cloud", "cloud", "secret")
        edge = MqttOptions("127.0.0.1", ports["edge"], "e1", "e1", "secret")
        running = Running(folder, cloud, edge, thread)
        async with asyncio.TaskGroup() as group:
            tasks = await running.start(group)
            yield running, proxy
            for task in tasks:
                task.cancel()
        await thread.run(running.db.close)
        running.cloud_db.close()


@pytest.mark.parametrize("side", ["edge", "cloud"])
@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_is_lost_or_doubled_on_a_line_that_is(
    tmp_path: Path, name: str, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "TIMEOUT_MS", 1_500)  # what the edge waits for an ack that was lost with the line
    async with running_behind_a_proxy(tmp_path, side) as (running, proxy):
        await running.write(50)
        await running.until_backlog_is_empty()

        FAULTS[name](proxy)
        await running.write(250)
        await asyncio.sleep(0.3)
        if name in LOSES_BYTES:  # as a router that comes back without its connections
            proxy.cut()
        proxy.let_pass()
        await running.write(50)

        await running.until_backlog_is_empty()
        assert await running.applied() == 350
