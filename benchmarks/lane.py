"""Camera push → relay command through the real daemon, four lanes at once, against a bare POST plus a bare commit.

The edge is a process of its own over real HTTP and Modbus TCP. Blocks of cars at an edge without a cloud, at one whose
broker swallows everything, of bare POSTs and bare commits take turns. Then an edge drains a backlog into a cloud
while cars come, and the same edge is measured again once it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.beside import bare_server, black_hole, cloud
from benchmarks.decision import bare, commit_one
from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import Spread, timed
from benchmarks.rig import LANES, Rig, edge, plates
from benchmarks.sync import fill
from drivers.camera.simulated import Sight, SimulatedVzenith
from edge.db.database import open_database
from plumbing.broker import EmbeddedBroker
from plumbing.onethread import OneThread
from plumbing.signing import load_or_create_key

P50_MOST, P99_MOST_S, BUSY_MOST = 2.0, 0.050, 1.2


@dataclass(frozen=True, slots=True)
class Size:
    """*cars*: a lane and block; *backlog*: events."""

    blocks: int = 10
    cars: int = 4
    backlog: int = 50_000


SMOKE = Size(1, 2, 400)


@dataclass(slots=True)
class Baseline:
    """Bare POSTs and bare commits, as many as there are cars."""

    camera: SimulatedVzenith
    thread: OneThread
    folder: Path
    posts: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)

    async def block(self, cars: int) -> None:
        """One POST and one commit in turn, at the pace of cars."""
        loop = asyncio.get_running_loop()
        conn = await self.thread.run(bare, self.folder / f"bare-{len(self.posts)}.db")
        for _ in range(cars * LANES):
            began = loop.time()
            await self.camera.see(Sight("粤A00000"))
            self.posts.append(loop.time() - began)
            self.commits.append(await self.thread.run(timed, lambda: commit_one(conn)))
            await asyncio.sleep(0.02)
        await self.thread.run(conn.close)

    @property
    def p50(self) -> float:
        """Both medians together."""
        return Spread.of(self.posts).p50 + Spread.of(self.commits).p50

    def __str__(self) -> str:
        return f"POST {Spread.of(self.posts)}; commit {Spread.of(self.commits)}"


async def block(rig: Rig, cars: int, traffic: list[Iterator[str]]) -> list[float]:
    """*cars* a lane, all lanes at once, each at its own pace."""

    async def lane(number: int) -> list[float]:
        await asyncio.sleep(0.1 * number)
        return [await rig.car(number, next(traffic[number])) for _ in range(cars)]

    return [wait for waits in await asyncio.gather(*map(lane, range(LANES))) for wait in waits]


def traffic_of(start: int) -> list[Iterator[str]]:
    """Plates for every lane, others for each *start*."""
    return [plates(lane, start) for lane in range(LANES)]


def claimed(folder: Path) -> Path:
    """The keys of an edge that was claimed; returns where its cloud's own key is."""
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    public = load_or_create_key(folder / "cloud.key").public.raw
    (data / "cloud.pub").write_text(public.hex())
    load_or_create_key(data / "device.key")
    return folder / "cloud.key"


@contextlib.asynccontextmanager
async def bare_side(folder: Path) -> AsyncIterator[Baseline]:
    """The baseline, ready."""
    with bare_server() as port:
        camera = SimulatedVzenith(f"http://127.0.0.1:{port}/device/x")
        async with camera, OneThread("bare") as thread:
            yield Baseline(camera, thread, folder)


async def without_cloud(options: Options, size: Size) -> list[Figure]:
    """An edge alone, one with a cloud that is silent, and the baseline take turns."""
    claimed(options.folder / "silent")
    server, port = await black_hole()
    alone: list[float] = []
    silent: list[float] = []
    async with (
        server,
        bare_side(options.folder) as base,
        edge(options.folder / "alone") as idle,
        edge(options.folder / "silent", port) as holed,
    ):
        there, here = traffic_of(1), traffic_of(2)
        await block(idle, 1, here)  # the first car of a lane pays for what is loaded late
        await block(holed, 1, there)
        for number in range(size.blocks):
            alone += await block(idle, size.cars, here)
            await base.block(size.cars)
            silent += await block(holed, size.cars, there)
            progress(f"block {number + 1} of {size.blocks}: alone {Spread.of(alone)}, baseline {base}")
    return [
        *against_baseline("plate to relay, no cloud", alone, base),
        *against_baseline("plate to relay, cloud silent", silent, base),
        against_idle("plate to relay, cloud silent", silent, "no cloud", alone),
    ]


async def while_draining(options: Options, size: Size) -> list[Figure]:
    """Cars while a backlog drains into a cloud, and at the same edge once it has drained."""
    folder = options.folder / "draining"
    cloud_key = claimed(folder)
    await asyncio.to_thread(backlog, folder / "data" / "lot.db", size.backlog)
    progress(f"{size.backlog:,} events wait for the cloud")
    draining: list[float] = []
    loop = asyncio.get_running_loop()
    async with EmbeddedBroker(folder, {}) as broker, edge(folder, broker.port) as rig:
        traffic = traffic_of(3)
        with cloud(folder, broker.port, folder / "data" / "device.key", cloud_key) as applied:
            while applied.value <= 0:
                await asyncio.sleep(0.02)
            began = loop.time()
            while not draining or applied.value < size.backlog:
                draining += await block(rig, 1, traffic)
            took = loop.time() - began
            progress(f"drained in about {took:.0f} s, {len(draining)} cars meanwhile")
            drained = await block(rig, max(1, len(draining) // LANES), traffic)
    name = "plate to relay, backlog draining"
    p99 = Spread.of(draining).p99
    return [
        against_idle(name, draining, "drained", drained),
        Figure(name, f"p99 ≤ {P99_MOST_S * 1e3:g} ms", f"{p99 * 1e3:.1f} ms", p99 <= P99_MOST_S),
    ]


def backlog(path: Path, events: int) -> None:
    """A lot's database with *events* the cloud never heard of."""
    db = open_database(path)
    fill(db, events)
    db.conn.close()


def against_baseline(name: str, waits: list[float], base: Baseline) -> list[Figure]:
    """Median against POST and commit, and the slowest of a hundred against the clock."""
    ours = Spread.of(waits)
    times = ours.p50 / base.p50
    return [
        Figure(name, f"p50 ≤ {P50_MOST:g} × (POST + commit)", f"{times:.2f} × ({ours}; {base})", times <= P50_MOST),
        Figure(name, f"p99 ≤ {P99_MOST_S * 1e3:g} ms", f"{ours.p99 * 1e3:.1f} ms", ours.p99 <= P99_MOST_S),
    ]


def against_idle(name: str, busy: list[float], other: str, idle: list[float]) -> Figure:
    """Medians of the two."""
    ratio = Spread.of(busy).p50 / Spread.of(idle).p50
    measured = f"{ratio:.2f} × ({Spread.of(busy)}; {other} {Spread.of(idle)})"
    return Figure(name, f"p50 ≤ {BUSY_MOST:g} × {other}", measured, ratio <= BUSY_MOST)


async def both(options: Options, size: Size) -> list[Figure]:
    """All rounds."""
    return [*await without_cloud(options, size), *await while_draining(options, size)]


def run(options: Options) -> list[Figure]:
    """Cars at an edge alone, with a silent cloud, and while it drains."""
    return asyncio.run(both(options, SMOKE if options.smoke else Size()))
