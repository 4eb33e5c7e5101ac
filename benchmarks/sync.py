"""Draining a backlog through a real broker, against a plain paho + JSON + SQLite loop over the same broker."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import func, insert, select

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


async def drain(port: int, folder: Path, count: int) -> float:
    """Seconds from connecting until the lot's backlog is empty: signed, chained, applied, acked."""
    edge_key, cloud_key = PrivateKey.generate(), PrivateKey.generate()
    engine = open_engine(f"sqlite:///{folder / 'cloud.db'}")
    upgrade(engine)
    with engine.begin() as conn:
        conn.execute(insert(operator).values(operator_id=1, name="o", created_ms=0))
        conn.execute(insert(lot).values(lot_id=1, operator_id=1, name="l", time_zone="UTC", places=9, created_ms=0))
        conn.execute(
            insert(edge_table).values(
                edge_id="e1", operator_id=1, lot_id=1, name="", state="active", created_ms=0,
                public_key=edge_key.public.raw,
            )
        )  # fmt: skip
        conn.execute(
            insert(edge_cursor).values(
                edge_id="e1", operator_id=1, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps="[]"
            )
        )
    cloud_db = CloudDatabase(engine)
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
            while not link.in_session or await thread.run(lambda: log.backlog(db.conn)):
                await asyncio.sleep(0.02)
            took = time.perf_counter() - began
            receiving.cancel()
            sending.cancel()
        applied = await cloud_db.run(lambda conn: conn.execute(select(func.count()).select_from(inbox)).scalar_one())
        await thread.run(db.close)
    cloud_db.close()
    if applied != count:
        raise SystemExit(f"applied {applied} of {count} events")
    return took


async def main(count: int = EVENTS, pairs: int = 3) -> None:
    """Print the drain times, the plain loop's beside them, and the ratio pair by pair."""
    ratios = []
    for _ in range(pairs):
        with tempfile.TemporaryDirectory() as name:
            async with EmbeddedBroker(Path(name), USERS) as broker:
                plain = await asyncio.to_thread(plain_loop, broker.port, Path(name), count)
                ours = await drain(broker.port, Path(name), count)
        ratios.append(plain / ours)
        print(f"plain loop {count / plain:,.0f} events/s, lotgate {count / ours:,.0f} events/s in {ours:.1f} s,"
              f" {plain / ours:.2f} ×")  # fmt: skip
    print(f"sync: median {sorted(ratios)[len(ratios) // 2]:.2f} × the plain loop")


if __name__ == "__main__":
    asyncio.run(main())
