"""What stands beside an edge while it is measured, each in a process of its own: a bare server, a cloud, a hole."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from aiohttp import web
from sqlalchemy import Connection, select

from benchmarks.sync import cloud_with_edge
from cloud.db import Database
from cloud.sync.agent import CloudAgent
from cloud.sync.link import CloudLink
from cloud.sync.tables import edge_cursor
from drivers.camera.vzenith_codec import parse_push
from drivers.camera.vzenith_reply import answer
from plumbing.mqtt import MqttOptions
from plumbing.signing import PublicKey, load_or_create_key

SPAWN = multiprocessing.get_context("spawn")
LOOK_S = 0.05


@contextmanager
def bare_server() -> Iterator[int]:
    """A port that takes a camera's push and answers it, and does nothing else."""
    port = SPAWN.Value("i", 0)
    with _process(_serve, port):
        while not port.value:
            time.sleep(LOOK_S)
        yield port.value


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
    """A cloud that knows the edge of *device_key*; the value says up to which event it has the edge's log."""
    seq = SPAWN.Value("q", 0)
    with _process(_be_the_cloud, seq, folder, broker_port, device_key, cloud_key):
        yield seq


def _be_the_cloud(seq: Synchronized[int], folder: Path, port: int, device_key: Path, cloud_key: Path) -> None:
    asyncio.run(_apply(seq, folder, port, device_key, cloud_key))


async def _apply(seq: Synchronized[int], folder: Path, port: int, device_key: Path, cloud_key: Path) -> None:
    db = Database(cloud_with_edge(folder / "cloud.db", load_or_create_key(device_key).public))
    agent = CloudAgent(load_or_create_key(cloud_key), PublicKey.from_raw)
    link = CloudLink(MqttOptions("127.0.0.1", port, "cloud"), db, agent)
    async with asyncio.TaskGroup() as group:
        group.create_task(link.run())
        while True:
            seq.value = await db.run(_position)
            await asyncio.sleep(LOOK_S)


def _position(conn: Connection) -> int:
    return int(conn.execute(select(edge_cursor.c.seq)).scalar_one())


async def black_hole() -> tuple[asyncio.Server, int]:
    """A broker's port that accepts and never says a word."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the loop ends; a task that says so is complained about
            while await reader.read(65536):
                pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]
