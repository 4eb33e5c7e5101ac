"""Both ends over a real broker: what was written at the lot arrives, also when the broker dies in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud.db import Database as CloudDatabase
from cloud.sync.channels import put_row
from cloud.sync.link import CloudLink
from cloud.sync.tables import inbox
from domain.moment import Anchor
from edge.db import channels, log
from edge.db.database import open_database, transaction
from edge.services.leases import HANDLERS
from edge.sync.link import EdgeLink
from plumbing.broker import EmbeddedBroker
from plumbing.mqtt import MqttOptions
from plumbing.onethread import OneThread
from tests.journeys.test_protocol import Line, act, at


class Running:
    """Cloud and edge on a broker of their own."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, thread: OneThread) -> None:
        self.line, self.broker, self.thread = Line(folder), broker, thread
        self.line.db.close()
        self.cloud_db = CloudDatabase(self.line.engine)
        options = MqttOptions("127.0.0.1", broker.port, "cloud", "cloud", "secret")
        self.cloud = CloudLink(options, self.cloud_db, self.line.cloud)
        self.anchors: list[Anchor] = []
        self.folder = folder

    async def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        self.db = await self.thread.run(open_database, self.folder / "lot.db")
        options = MqttOptions("127.0.0.1", self.broker.port, "e1", "e1", "secret")
        self.edge = EdgeLink(
            "e1",
            options,
            self.thread,
            self.db,
            lambda: at(time.monotonic_ns() // 1_000_000),
            live=lambda: {"lanes": []},
            on_anchors=self.anchors.extend,
        )
        key, verify = self.line.edge_key, self.line.cloud_key.public
        return [
            group.create_task(self.cloud.run()),
            group.create_task(self.edge.run(key, verify, lambda: f"n{time.monotonic_ns()}", HANDLERS)),
        ]

    async def write(self, count: int) -> None:
        def append() -> None:
            with transaction(self.db) as conn:
                for number in range(count):
                    log.append(conn, act(number), at(5))

        await self.thread.run(append)
        self.edge.wake.set()

    async def applied(self) -> int:
        return await self.cloud_db.run(lambda conn: conn.execute(select(func.count()).select_from(inbox)).scalar_one())

    async def until_backlog_is_empty(self) -> None:
        async with asyncio.timeout(20):
            while not self.edge.in_session or await self.thread.run(lambda: log.backlog(self.db.conn)):
                await asyncio.sleep(0.02)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with EmbeddedBroker(tmp_path, {"cloud": "secret", "e1": "secret"}) as broker, OneThread("edge-db") as thread:
        running = Running(tmp_path, broker, thread)
        async with asyncio.TaskGroup() as group:
            tasks = await running.start(group)
            yield running
            for task in tasks:
                task.cancel()
        await thread.run(running.db.close)
        running.cloud_db.close()


async def test_facts_go_up_and_lists_come_down(running: Running) -> None:
    await running.write(450)
    await running.until_backlog_is_empty()

    await running.cloud_db.run(put_row, 1, "e1", "coupons", "c1", {"plate": "京A12345"}, 1)
    running.cloud.wake.set()

    async with asyncio.timeout(5):
        while not await running.thread.run(lambda: channels.rows(running.db.conn, "coupons")):
            await asyncio.sleep(0.02)
    await running.until_backlog_is_empty()
    assert await running.applied() == 451
    assert running.anchors


async def test_nothing_is_lost_or_doubled_when_the_broker_is_killed(running: Running) -> None:
    await running.write(300)
    await running.until_backlog_is_empty()

    running.broker.kill()
    await running.write(300)
    await asyncio.sleep(0.2)
    await running.broker.start()

    await running.until_backlog_is_empty()
    assert await running.applied() == 600
