"""Two cloud workers share the batches of one lot: its log stays in order and nothing is applied twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import Connection, func, select
from sqlite_utils import Database as SqliteDatabase

from cloud.access import audit
from cloud.access.tables import audit_log
from cloud.db import Database, open_engine
from cloud.sync.agent import CloudAgent, Outgoing
from cloud.sync.link import CloudLink, share_group
from cloud.sync.tables import edge_cursor, inbox
from domain.wire import GENESIS, chain_hash, pack
from edge.db import log
from edge.db.database import open_database, transaction
from edge.services.leases import HANDLERS
from edge.sync.link import EdgeLink
from plumbing.mqtt import MqttOptions
from plumbing.onethread import OneThread
from plumbing.signing import PublicKey
from tests.journeys.line import Line, act, at
from tests.services.mosquitto import SecureBroker

EVENTS = 3_000


class Watched(CloudAgent):
    """A worker's agent that notes, still holding the cursor's lock, how far the log is after each of its batches."""

    def __init__(self, line: Line, name: str, told: list[tuple[str, int]]) -> None:
        super().__init__(line.cloud_key, PublicKey.from_raw)
        self._name, self._told = name, told

    def received(self, conn: Connection, edge: str, kind: str, payload: bytes, now_ms: int) -> list[Outgoing]:
        out = super().received(conn, edge, kind, payload, now_ms)
        if kind == "ev":
            self._told.append((self._name, conn.execute(select(edge_cursor.c.seq)).scalar_one()))
        return out


def intruder(broker: SecureBroker, topic: str) -> Client:
    """Another lot that subscribes to what is not its own."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="e2", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set_context(broker.context("e2"))
    client.connect("127.0.0.1", broker.port)
    client.subscribe(topic, 1)
    client.loop_start()
    return client


@pytest.mark.broker
@pytest.mark.postgres
async def test_two_workers_keep_one_log_in_order(
    tmp_path: Path, postgres_url: str, secure_broker: SecureBroker
) -> None:
    line = Line(tmp_path, postgres_url)
    line.db.close()
    told: list[tuple[str, int]] = []
    group = share_group(line.cloud_key)
    databases = [line_database(line) for _ in range(2)]
    workers = [
        CloudLink(
            MqttOptions("127.0.0.1", secure_broker.cloud_port, f"worker-{number}", tls=secure_broker.identity("cloud")),
            database,
            Watched(line, f"worker-{number}", told),
            group=group,
            key=line.cloud_key,
        )
        for number, database in enumerate(databases)
    ]
    thief = await asyncio.to_thread(intruder, secure_broker, "$share/cloud/lg/v1/+/up/ev")
    async with opened(tmp_path / "lot.db") as (thread, db), asyncio.TaskGroup() as tasks:
        tls = secure_broker.identity("e1")
        edge = EdgeLink(
            "e1",
            MqttOptions("127.0.0.1", secure_broker.port, "e1", tls=tls),
            thread,
            db,
            lambda: at(time.monotonic_ns() // 1_000_000),
            live=lambda: {"lanes": []},
            on_anchors=lambda _: None,
        )

        def write() -> None:
            with transaction(db) as conn:
                for number in range(EVENTS):
                    log.append(conn, act(number), at(5))

        await thread.run(write)
        run_edge = edge.run(line.edge_key, line.cloud_key.public, lambda: f"n{time.monotonic_ns()}", HANDLERS)
        running = [tasks.create_task(work) for work in (*(worker.run() for worker in workers), run_edge)]
        async with asyncio.timeout(60):
            while not edge.in_session or await thread.run(log.backlog, db.conn) > 0:
                await asyncio.sleep(0.05)
            while not all("e1" in worker.live for worker in workers):
                await asyncio.sleep(0.05)
        for task in running:
            task.cancel()
    thief.loop_stop()

    with databases[0].engine.begin() as conn:
        bodies = conn.execute(select(inbox.c.seq, inbox.c.body, inbox.c.hash).order_by(inbox.c.seq)).all()
        effects = conn.execute(select(func.count()).select_from(audit_log)).scalar_one()
        broken = audit.first_broken(conn)
    for database in databases:
        database.close()
    line.engine.dispose()
    assert [row.seq for row in bodies] == list(range(1, EVENTS + 1))
    assert is_one_chain([(bytes(row.body), bytes(row.hash)) for row in bodies])
    assert (effects, broken) == (EVENTS, None)
    assert [seq for _, seq in told] == sorted(seq for _, seq in told)
    assert {name for name, _ in told} == {"worker-0", "worker-1"}


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[OneThread, SqliteDatabase]]:
    """The lot's database on its thread."""
    async with OneThread("edge-db") as thread:
        db = await thread.run(open_database, path)
        yield thread, db
        await thread.run(db.close)


@pytest.mark.postgres
@pytest.mark.parametrize("which", [pytest.param(0, id="the same batch"), pytest.param(1, id="the next batch")])
def test_a_worker_waits_for_the_one_that_has_a_batch_of_the_same_log(
    tmp_path: Path, postgres_url: str, which: int
) -> None:
    line = Line(tmp_path, postgres_url)
    line.write(*[act(number) for number in range(400)])
    batches = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))
    answers: list[Outgoing] = []

    def take(conn: Connection, number: int) -> list[Outgoing]:
        return line.cloud.received(conn, "e1", "ev", pack(batches[number].message), at(11).wall_ms)

    def other_worker() -> None:
        with line.engine.begin() as conn:
            answers.extend(take(conn, which))

    with line.engine.begin() as conn:
        take(conn, 0)
        other = threading.Thread(target=other_worker)
        other.start()
        other.join(0.5)
        waited = other.is_alive()
    other.join(10)

    applied = line.applied()
    line.engine.dispose()
    line.db.close()
    assert waited
    assert [(sent.kind, sent.message["s"]) for sent in answers] == [("ack", 200 * (which + 1))]
    assert applied == list(range(1, 200 * (which + 1) + 1))


def line_database(line: Line) -> Database:
    """A worker's own connections to the database of *line*."""
    return Database(open_engine(line.engine.url.render_as_string(hide_password=False)))


def is_one_chain(rows: list[tuple[bytes, bytes]]) -> bool:
    """Does every hash vouch for all events before it?"""
    head = GENESIS
    for body, after in rows:
        head = chain_hash(head, body)
        if head != after:
            return False
    return True
