"""What stands beside an edge while it is measured, each in a process of its own: a bare server, a cloud, a hole."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from aiohttp import web
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from sqlalchemy import Connection, Engine, Table, insert, select

from cloud.db import Database, open_engine, upgrade
from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import lot, operator
from cloud.sync.agent import CloudAgent
from cloud.sync.link import CloudLink
from cloud.sync.tables import edge_cursor
from domain.wire import GENESIS
from drivers.camera.vzenith_codec import parse_push
from drivers.camera.vzenith_reply import answer
from plumbing.mqtt import MqttOptions
from plumbing.signing import PublicKey, load_or_create_key

SPAWN = multiprocessing.get_context("spawn")
LOOK_S = 0.05


@contextmanager
def bare_server() -> Iterator[int]:
    """A port that takes a camera's push and answers it, and does nothing else."""
    port = SPAWN.Value("i", -1)
    with _process(_serve, port):
        wait_for(port)
        yield port.value


def wait_for(value: Synchronized[int]) -> None:
    """Block until a process says that it is ready."""
    while value.value < 0:
        time.sleep(LOOK_S)


@contextmanager
def _process(target: object, *args: object) -> Iterator[None]:
    process = SPAWN.Process(target=target, args=args, daemon=True)  # type: ignore[arg-type]
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _serve(port: Synchronized[int]) -> None:
    asyncio.run(_answer_pushes(port))


async def _answer_pushes(port: Synchronized[int]) -> None:
    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        reply = answer(parse_push(body, request.headers["Content-Type"]))
        return web.Response(body=reply, content_type="application/json", charset="utf-8")

    app = web.Application()
    app.router.add_post("/device/{secret}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port.value = runner.addresses[0][1]
    await asyncio.Event().wait()


@contextmanager
def cloud(folder: Path, broker_port: int, device_key: Path, cloud_key: Path) -> Iterator[Synchronized[int]]:
    """A cloud that knows the edge of *device_key*; the value says how far it has the edge's log, -1 until it is up."""
    seq = SPAWN.Value("q", -1)
    with _process(_be_the_cloud, seq, folder, broker_port, device_key, cloud_key):
        yield seq


def _be_the_cloud(seq: Synchronized[int], folder: Path, port: int, device_key: Path, cloud_key: Path) -> None:
    asyncio.run(_apply(seq, folder, port, device_key, cloud_key))


async def _apply(seq: Synchronized[int], folder: Path, port: int, device_key: Path, cloud_key: Path) -> None:
    db = Database(cloud_with_edge(folder / "cloud.db", load_or_create_key(device_key).public))
    key = load_or_create_key(cloud_key)
    agent = CloudAgent(key, PublicKey.from_raw)
    link = CloudLink(MqttOptions("127.0.0.1", port, "cloud"), db, agent, key=key)
    async with asyncio.TaskGroup() as group:
        group.create_task(link.run())
        while True:
            if link.is_connected:
                seq.value = await db.run(_position)
            await asyncio.sleep(LOOK_S)


def _position(conn: Connection) -> int:
    return int(conn.execute(select(edge_cursor.c.seq)).scalar_one())


def cloud_with_edge(path: Path, key: PublicKey) -> Engine:
    """A cloud's database that knows one edge by its *key*."""
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    rows: list[tuple[Table, dict[str, object]]] = [
        (operator, {"operator_id": 1, "name": "o", "created_ms": 0}),
        (lot, {"lot_id": 1, "operator_id": 1, "name": "l", "time_zone": "UTC", "places": 9, "created_ms": 0}),
        (
            edge_table,
            {
                "edge_id": "e1", "operator_id": 1, "lot_id": 1, "name": "", "state": "active", "created_ms": 0,
                "public_key": key.raw,
            },
        ),
        (
            edge_cursor,
            {
                "edge_id": "e1", "operator_id": 1, "epoch": 1, "seq": 0, "head": GENESIS, "told_seq": 0, "boot": "",
                "sid": "", "caps": "[]",
            },
        ),
    ]  # fmt: skip
    with engine.begin() as conn:
        for table, row in rows:
            conn.execute(insert(table).values(row))
    return engine


@contextmanager
def plain_cloud(folder: Path, port: int) -> Iterator[Synchronized[int]]:
    """A receiver with nothing but JSON and a durable commit for each batch; the value is -1 until it listens."""
    ready = SPAWN.Value("i", -1)
    with _process(_receive_plainly, ready, folder, port):
        yield ready
    (folder / "plain.db").unlink()


def _receive_plainly(ready: Synchronized[int], folder: Path, port: int) -> None:
    database = sqlite3.connect(folder / "plain.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT)")
    receiver = mqtt_client("plain-cloud")

    def on_batch(_client: Client, _user: object, message: MQTTMessage) -> None:
        batch = json.loads(message.payload)
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO event VALUES (?, ?)", [(row["s"], json.dumps(row)) for row in batch])
        database.execute("COMMIT")
        receiver.publish("plain/ack", str(batch[-1]["s"]), qos=1)

    def on_subscribe(_c: Client, _u: object, _mid: int, _codes: list[ReasonCode], _p: object) -> None:
        ready.value = 0

    receiver.on_message, receiver.on_subscribe = on_batch, on_subscribe
    receiver.connect("127.0.0.1", port)
    receiver.subscribe("plain/ev", qos=1)
    receiver.loop_forever()


def mqtt_client(name: str) -> Client:
    """A plain MQTT 5 client."""
    return Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)


async def black_hole() -> tuple[asyncio.Server, int]:
    """A broker's port that accepts and never says a word."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the loop ends; a task that says so is complained about
            while await reader.read(65536):
                pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]
