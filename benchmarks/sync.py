"""Draining a backlog through a real broker, against a plain paho + JSON + SQLite loop over the same broker.

Both sides run in a process each, as they do in a lot and in the cloud.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import statistics
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage

from benchmarks.beside import cloud, mqtt_client, plain_cloud, wait_for
from benchmarks.figures import Figure, Options, progress
from domain.events import PassageSeen, StayClosed, StayOpened, encode
from domain.moment import Moment
from edge.db import log
from edge.db.database import Database, open_database, transaction
from edge.services.leases import HANDLERS
from edge.sync.link import EdgeLink
from plumbing.broker import EmbeddedBroker
from plumbing.mqtt import MqttOptions
from plumbing.onethread import OneThread
from plumbing.signing import load_or_create_key

EVENTS = 50_000
LEAST, LEAST_A_SECOND, DRAIN_MOST_S = 0.5, 4_000, 30
BATCH = 200
WINDOW = 8  # batches on their way, as between edge and cloud


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
    """The baseline: paho publishes JSON; paho in a process beside it keeps each batch by a FULL commit and acks it."""
    done, window = threading.Event(), threading.Semaphore(WINDOW)
    sender = mqtt_client("plain-edge")

    def on_ack(_client: Client, _user: object, message: MQTTMessage) -> None:
        window.release()
        if int(message.payload) >= count - 1:
            done.set()

    sender.on_message = on_ack
    with plain_cloud(folder, port) as ready:
        sender.connect("127.0.0.1", port)
        sender.loop_start()
        sender.subscribe("plain/ack", qos=1)
        events = [json.loads(encode(n, moment(n), _event(n))) for n in range(count)]  # the backlog, read beforehand
        wait_for(ready)
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            window.acquire()
            sender.publish("plain/ev", json.dumps(events[start : start + BATCH]), qos=1)
        done.wait(120)
        took = time.perf_counter() - began
    sender.disconnect()
    sender.loop_stop()
    return took


async def drain(port: int, folder: Path, count: int) -> float:
    """Seconds from connecting until the lot's backlog is empty: signed, chained, applied, acked."""
    edge_key, cloud_key = (load_or_create_key(folder / name) for name in ("device.key", "cloud.key"))
    async with OneThread("edge-db") as thread:
        db = await thread.run(open_database, folder / "lot.db")
        await thread.run(fill, db, count)
        link = EdgeLink(
            "e1",
            MqttOptions("127.0.0.1", port, "e1"),
            thread,
            db,
            lambda: moment(count),
            live=dict,
            on_anchors=lambda _anchors: None,
        )
        with cloud(folder, port, folder / "device.key", folder / "cloud.key") as applied:
            await asyncio.to_thread(wait_for, applied)
            async with asyncio.TaskGroup() as group:
                began = time.perf_counter()
                sending = group.create_task(
                    link.run(edge_key, cloud_key.public, lambda: f"n{time.monotonic_ns()}", HANDLERS)
                )
                while not link.in_session or await thread.run(log.backlog, db.conn) > 0:
                    await asyncio.sleep(0.02)
                took = time.perf_counter() - began
                sending.cancel()
        await thread.run(db.close)
    with contextlib.closing(sqlite3.connect(folder / "cloud.db")) as held:
        seqs = [seq for (seq,) in held.execute("SELECT seq FROM inbox ORDER BY seq")]
    if seqs != list(range(1, count + 1)):
        raise SystemExit(f"{count} events were sent, the cloud holds {len(seqs)}: lost or doubled")
    return took


async def pairs(options: Options, count: int, rounds: int) -> list[tuple[float, float]]:
    """(plain, ours) in events a second, in turn over one broker."""
    speeds = []
    for number in range(rounds):
        folder = options.folder / f"sync-{number}"
        folder.mkdir()
        async with EmbeddedBroker(folder, {}) as broker:
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
