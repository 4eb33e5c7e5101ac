"""Both ends over a real broker: what was written at the lot arrives, also when the broker dies in between."""

from __future__ import annotations

import asyncio
import contextlib
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
from tests.journeys.line import Line, act, at
from tests.services.mosquitto import secure_mosquitto

USERS = {"cloud": "secret", "e1": "secret"}


class Running:
    """Cloud and edge on a broker of their own."""

    def __init__(self, folder: Path, cloud: MqttOptions, edge: MqttOptions, thread: OneThread) -> None:
        self.line, self.thread, self.edge_options = Line(folder), thread, edge
        self.line.db.close()
        self.cloud_db = CloudDatabase(self.line.engine)
        self.cloud = CloudLink(cloud, self.cloud_db, self.line.cloud, key=self.line.cloud_key)
        self.anchors: list[Anchor] = []
        self.folder = folder

    async def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        self.db = await self.thread.run(open_database, self.folder / "lot.db")
        self.edge = EdgeLink(
            "e1",
            self.edge_options,
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
            while not self.edge.in_session or await self.thread.run(log.backlog, self.db.conn) > 0:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(folder: Path, cloud: MqttOptions, edge: MqttOptions) -> AsyncIterator[Running]:
    async with OneThread("edge-db") as thread:
        both = Running(folder, cloud, edge, thread)
        async with asyncio.TaskGroup() as group:
            tasks = await both.start(group)
            yield both
            for task in tasks:
                task.cancel()
        await thread.run(both.db.close)
        both.cloud_db.close()


def embedded(port: int, name: str) -> MqttOptions:
    return MqttOptions("127.0.0.1", port, name, name, "secret")


async def facts_go_up_and_lists_come_down(both: Running) -> None:
    await both.write(450)
    await both.until_backlog_is_empty()

    await both.cloud_db.run(put_row, 1, "e1", "coupons", "c1", {"plate": "京A12345"}, 1)
    both.cloud.wake.set()

    async with asyncio.timeout(10):
        while not await both.thread.run(lambda: channels.rows(both.db.conn, "coupons")):
            await asyncio.sleep(0.02)
    await both.until_backlog_is_empty()
    assert await both.applied() == 451
    assert both.anchors


async def test_facts_go_up_and_lists_come_down_over_the_embedded_broker(tmp_path: Path) -> None:
    async with (
        EmbeddedBroker(tmp_path, USERS) as broker,
        running(tmp_path, embedded(broker.port, "cloud"), embedded(broker.port, "e1")) as both,
    ):
        await facts_go_up_and_lists_come_down(both)


@pytest.mark.broker
async def test_facts_go_up_and_lists_come_down_over_mosquitto_with_certificates(tmp_path: Path) -> None:
    with secure_mosquitto(tmp_path) as broker:
        cloud = MqttOptions("127.0.0.1", broker.cloud_port, "cloud", tls=broker.identity("cloud"))
        edge = MqttOptions("127.0.0.1", broker.port, "e1", tls=broker.identity("e1"))
        async with running(tmp_path, cloud, edge) as both:
            await facts_go_up_and_lists_come_down(both)


async def test_nothing_is_lost_or_doubled_when_the_broker_is_killed(tmp_path: Path) -> None:
    async with (
        EmbeddedBroker(tmp_path, USERS) as broker,
        running(tmp_path, embedded(broker.port, "cloud"), embedded(broker.port, "e1")) as both,
    ):
        await both.write(300)
        await both.until_backlog_is_empty()

        broker.kill()
        await both.write(300)
        await asyncio.sleep(0.2)
        await broker.start()

        await both.until_backlog_is_empty()
        assert await both.applied() == 600


async def test_a_message_that_breaks_the_cloud_ends_nobody_elses_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        EmbeddedBroker(tmp_path, USERS) as broker,
        running(tmp_path, embedded(broker.port, "cloud"), embedded(broker.port, "e1")) as both,
    ):
        await both.until_backlog_is_empty()
        received, broken = both.line.cloud.received, list[object]()

        def break_once(*args: object) -> object:
            if not broken:
                broken.append(args)
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            return received(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(both.line.cloud, "received", break_once)
        await both.write(3)
        await both.until_backlog_is_empty()

        assert broken
        assert await both.applied() == 3
