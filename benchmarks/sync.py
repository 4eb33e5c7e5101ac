"""Draining a backlog through a real broker, against a plain paho + JSON + SQLite loop over the same broker."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import Engine, Table, insert, select

from benchmarks.figures import Figure, Options, progress
from cloud.db import Database as CloudDatabase
from cloud.db import open_engine, upgrade
from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import lot, operator
from cloud.sync.agent import CloudAgent
from cloud.sync.link import CloudLink
from cloud.sync.tables import edge_cursor, inbox
from domain.events import PassageSeen, StayClosed, StayOpened, encode
from domain.moment import Moment
from domain.wire import GENESIS
from edge.db import log
from edge.db.database import Database, open_database, transaction
from edge.services.leases import HANDLERS
from edge.sync.link import EdgeLink
from plumbing.broker import EmbeddedBroker
from plumbing.mqtt import MqttOptions
from plumbing.onethread import OneThread
from plumbing.signing import PrivateKey, PublicKey

EVENTS = 50_000
LEAST, LEAST_A_SECOND, DRAIN_MOST_S = 0.5, 4_000, 30
BATCH = 200
USERS = {"cloud": "secret", "e1": "secret"}


def moment(number: int) -> Moment:
    """Two seconds apart."""
    return Moment("b1", number * 2000, 1_790_000_000_000 + number * 2000)


def fill(db: Database, count: int) -> None:
    """A mixed backlog: cars in, through and out."""
    for start in range(0, count, 1000):
        with transaction(db) as conn:
            for number in range(start, min(count, start + 1000)):
                log.append(conn, _event(number), moment(number))


def _event(number: int) -> StayOpened | PassageSeen | StayClosed:
    stay, plate = f"stay-{number // 4}", f"京A{number // 4 % 100_000:05d}"
    match number % 4:
        case 0:
            return StayOpened(stay, "in", "lot", plate, plate, "small", f"d{number}")
        case 2:
            return StayClosed(stay, "out", plate, "PAID", "", 1500, 500, 0, 1000, 0, f"d{number}", "city-1")
        case _:
            return PassageSeen("in", f"d{number}", plate)


def plain_loop(port: int, folder: Path, count: int) -> float:
    """The baseline: paho publishes JSON batches, paho receives, each batch one SQLite FULL commit and an ack."""
    database = sqlite3.connect(folder / "plain.db", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT)")
    done, window = threading.Event(), threading.Semaphore(8)
    receiver, sender = _client("plain-cloud"), _client("plain-edge")

    def on_batch(_client: Client, _user: object, message: MQTTMessage) -> None:
        batch = json.loads(message.payload)
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO event VALUES (?, ?)", [(row["s"], json.dumps(row)) for row in batch])
        database.execute("COMMIT")
        receiver.publish("plain/ack", str(batch[-1]["s"]), qos=1)

    def on_ack(_client: Client, _user: object, message: MQTTMessage) -> None:
        window.release()
        if int(message.payload) >= count - 1:
            done.set()

    receiver.on_message, sender.on_message = on_batch, on_ack
    for client, topic in ((receiver, "plain/ev"), (sender, "plain/ack")):
        client.username_pw_set("cloud", "secret")
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe(topic, qos=1)
    time.sleep(0.3)
    events = [json.loads(encode(n, moment(n), _event(n))) for n in range(count)]  # the backlog, read beforehand
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        window.acquire()
        rows = events[start : start + BATCH]
        sender.publish("plain/ev", json.dumps(rows), qos=1)
    done.wait(120)
    took = time.perf_counter() - began
    for client in (receiver, sender):
        client.disconnect()
        client.loop_stop()
    database.close()
    (folder / "plain.db").unlink()
    return took


def _client(name: str) -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)


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


async def drain(port: int, folder: Path, count: int) -> float:
    """Seconds from connecting until the lot's backlog is empty: signed, chained, applied, acked."""
    edge_key, cloud_key = PrivateKey.generate(), PrivateKey.generate()
    cloud_db = CloudDatabase(cloud_with_edge(folder / "cloud.db", edge_key.public))
    cloud = CloudLink(
        MqttOptions("127.0.0.1", port, "cloud", "cloud", "secret"), cloud_db, CloudAgent(cloud_key, PublicKey.from_raw)
    )
    async with OneThread("edge-db") as thread:
        db = await thread.run(open_database, folder / "lot.db")
        await thread.run(fill, db, count)
        link = EdgeLink(
            "e1",
            MqttOptions("127.0.0.1", port, "e1", "e1", "secret"),
            thread,
            db,
            lambda: moment(count),
            live=dict,
            on_anchors=lambda _anchors: None,
        )
        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(cloud.run())
            while not cloud.is_connected:
                await asyncio.sleep(0.01)
            began = time.perf_counter()
            sending = group.create_task(
                link.run(edge_key, cloud_key.public, lambda: f"n{time.monotonic_ns()}", HANDLERS)
            )
            while not link.in_session or await thread.run(log.backlog, db.conn) > 0:
                await asyncio.sleep(0.02)
            took = time.perf_counter() - began
            receiving.cancel()
            sending.cancel()
        held = await cloud_db.run(lambda conn: conn.execute(select(inbox.c.seq).order_by(inbox.c.seq)).scalars().all())
        await thread.run(db.close)
    cloud_db.close()
    if list(held) != list(range(1, count + 1)):
        raise SystemExit(f"{count} events were sent, the cloud holds {len(held)}: lost or doubled")
    return took


async def pairs(options: Options, count: int, rounds: int) -> list[tuple[float, float]]:
    """(plain, ours) in events a second, in turn over one broker."""
    speeds = []
    for number in range(rounds):
        folder = options.folder / f"sync-{number}"
        folder.mkdir()
        async with EmbeddedBroker(folder, USERS) as broker:
            plain = count / await asyncio.to_thread(plain_loop, broker.port, folder, count)
            ours = count / await drain(broker.port, folder, count)
        speeds.append((plain, ours))
        progress(f"plain loop {plain:,.0f} events/s, lotgate {ours:,.0f} events/s, {ours / plain:.2f} ×")
    return speeds


def run(options: Options) -> list[Figure]:
    """A backlog through the broker, beside the plain loop over the same broker."""
    count, rounds = (400, 1) if options.smoke else (EVENTS, 3)
    speeds = asyncio.run(pairs(options, count, rounds))
    ratio = statistics.median(ours / plain for plain, ours in speeds)
    ours = statistics.median(ours for _, ours in speeds)
    plain = statistics.median(plain for plain, _ in speeds)
    slowest = max(count / ours for _, ours in speeds)
    spread = ", ".join(f"{ours / plain:.2f}" for plain, ours in speeds)
    return [
        Figure(
            "sync, speed", f"≥ {LEAST} × plain loop", f"{ratio:.2f} × ({spread}; plain {plain:,.0f}/s)",
            ratio >= LEAST,
        ),
        Figure("sync, events a second", f"≥ {LEAST_A_SECOND:,}", f"{ours:,.0f}", ours >= LEAST_A_SECOND),
        Figure(
            f"sync, {count:,} events after an outage", f"≤ {DRAIN_MOST_S} s, none lost or doubled",
            f"{slowest:.1f} s the slowest, every event once", slowest <= DRAIN_MOST_S,
        ),
    ]  # fmt: skip
