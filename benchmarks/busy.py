"""Eight lanes with a car every four seconds each, for an hour: how soon the arm is told, and whether memory grows.

All eight cars of a round are read at the same moment, which is the worst a lot can do to its one database thread. The
hour is virtual (``benchmarks.week.virtual_time``): between rounds nobody waits, within one everything takes its real
time. The daemon is the real one; cameras, loops and arms stand behind the drivers' Protocols, so the wire is not in
these figures (``lane`` has it). The baseline is a bare one-row FULL commit on the same disk, one after each round.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import psutil  # type: ignore[import-untyped]

from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import Spread, shown
from benchmarks.week.devices import Devices, Look, StreetBarrier, StreetCamera
from benchmarks.week.house import House
from benchmarks.week.lot import STREET, week_lot
from benchmarks.week.virtual_time import VirtualLoop, virtual_loop
from benchmarks.week.week import MONDAY_MS
from edge.settings import EdgeSettings, Lane

EVERY_S = 4.0
INSIDE_ROUNDS = 75  # a car leaves so many rounds after it came: five minutes, within the free ones
P99_MOST_S, GROWTH_MOST, FLAT_MOST = 0.050, 1.05, 1.01
NEVER_S = 3.9  # virtual: the next round begins


@dataclass(frozen=True, slots=True)
class Size:
    """Rounds of eight cars, and after how many memory is first looked at."""

    rounds: int = 900
    warm: tuple[int, int] = (150, 730)  # ten minutes; and when the database's page cache is full


SMOKE = Size(10, (4, 6))


@dataclass(slots=True)
class Hour:
    """What was measured."""

    decided_s: list[float] = field(default_factory=list)
    commit_s: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)  # after the warm rounds and at the end


def run(options: Options) -> list[Figure]:
    """The hour, and its three figures."""
    size = SMOKE if options.smoke else Size()
    with virtual_loop() as loop:
        hour = loop.run_until_complete(_hour(options.folder, loop, size))
    return _figures(hour)


def _figures(hour: Hour) -> list[Figure]:
    spread, baseline = Spread.of(hour.decided_s), Spread.of(hour.commit_s)
    grown, later = hour.rss[2] / hour.rss[0], hour.rss[2] / hour.rss[1]
    measured = f"{spread} ({len(hour.decided_s)} decisions; a bare commit {baseline})"
    first, full, last = (f"{rss / 2**20:.0f} MiB" for rss in hour.rss)
    return [
        Figure(
            "eight lanes at once, plate to arm, p50",
            "",
            f"{spread.p50 / baseline.p50:.1f} × a bare commit: {measured}",
            None,
        ),
        Figure(
            "eight lanes at once, plate to arm, p99",
            f"≤ {shown(P99_MOST_S)}",
            shown(spread.p99),
            spread.p99 <= P99_MOST_S,
        ),
        Figure(
            "eight lanes, memory after the hour",
            f"≤ {GROWTH_MOST:g} × after ten minutes",
            f"{grown:.3f} × ({first}, then {last})",
            grown <= GROWTH_MOST,
        ),
        Figure(
            "eight lanes, memory in the last quarter",
            f"≤ {FLAT_MOST:g} × with the page cache full",
            f"{later:.3f} × ({full}, then {last})",
            later <= FLAT_MOST,
        ),
    ]


def _lot(data: Path) -> EdgeSettings:
    """The example of eight lanes; its two-way gate is two gates, so that each lane can work at its own pace."""
    lot = week_lot(data, "e1", {"yard": 100_000, "garage": 100_000})
    out = lot.lane("gate-out")
    assert out is not None
    own = replace(out, barrier="gate-out", passage_loop="gate-out-passage")
    lanes = tuple(own if lane is out else replace(lane, cameras=lane.cameras[:1]) for lane in lot.lanes)
    devices = replace(lot.devices, barriers={**lot.devices.barriers, "gate-out": dict(STREET)})
    return replace(lot, lanes=lanes, devices=devices, rules=replace(lot.rules, closing_s=1))


async def _hour(folder: Path, loop: VirtualLoop, size: Size) -> Hour:
    hour, devices = Hour(), Devices(loop.time)
    settings = _lot(folder / "busy" / "data")
    settings.data.mkdir(parents=True)
    house = House(settings, loop, MONDAY_MS + 10 * 3_600_000)
    commits = _commits(folder / "busy" / "bare.db")
    with devices.registered(), patch("edge.lanes.worker.TURN_S", 15.0):
        await house.start()
        await asyncio.sleep(2)
        streams = [_cars(settings, devices, lane, number) for number, lane in enumerate(settings.lanes)]
        for done in range(1, size.rounds + INSIDE_ROUNDS + 1):
            began_s = loop.time()
            waited = await asyncio.gather(*(next(cars) for cars in streams))
            if done > INSIDE_ROUNDS or size is SMOKE:
                hour.decided_s += [one for one in waited if one is not None]
                hour.commit_s.append(next(commits))
            if done in (*size.warm, size.rounds + INSIDE_ROUNDS):
                hour.rss.append(psutil.Process().memory_info().rss)
            if done % 100 == 0:
                progress(f"{done} rounds of eight cars, {psutil.Process().memory_info().rss / 2**20:.0f} MiB")
            await asyncio.sleep(max(0.0, began_s + EVERY_S - loop.time()))
        await house.stop()
    return hour


def _cars(settings: EdgeSettings, devices: Devices, lane: Lane, number: int) -> Iterator[asyncio.Task[float | None]]:
    """Cars of a lane, round by round; those of an exit came in at the entry beside it five minutes before."""
    entries = [one for one in settings.lanes if one.target != "outside"]
    exits = [one for one in settings.lanes if one.target == "outside"]
    leaves = lane in exits
    source = exits.index(lane) if leaves else entries.index(lane)
    plates = _plates(source)
    for done in itertools.count():
        here = not leaves or done >= INSIDE_ROUNDS
        yield asyncio.create_task(_car(devices, lane, next(plates)) if here else _nobody(), name=f"car {number}")


def _plates(source: int) -> Iterator[str]:
    """Plates that never come again within the hour, no two in a row alike."""
    numbers = random.Random(source).sample(range(100_000), 99_999)
    for number in numbers:
        yield f"粤{'ABCD'[source]}{number:05d}"


async def _nobody() -> None:
    return None


async def _car(devices: Devices, lane: Lane, plate: str) -> float:
    """Let one car through; real seconds from its read to the order to the arm."""
    barrier, camera = devices.barriers[lane.barrier], devices.cameras[lane.cameras[0]]
    loops = devices.loops[lane.reporting_loops[0]]
    loops.set(lane.loop, taken=True)
    await asyncio.sleep(0.2)
    waited = await _told(barrier, camera, plate)
    await asyncio.sleep(0.6)
    loops.set(lane.passage_loop, taken=True)
    await asyncio.sleep(0.3)
    loops.set(lane.loop, taken=False)
    camera.before = None
    await asyncio.sleep(0.5)
    loops.set(lane.passage_loop, taken=False)
    return waited


async def _told(barrier: StreetBarrier, camera: StreetCamera, plate: str) -> float:
    barrier.opened.clear()
    began = time.perf_counter()
    camera.see(Look(plate))
    async with asyncio.timeout(NEVER_S):
        await barrier.opened.wait()
    return barrier.told_at - began


def _commits(file: Path) -> Iterator[float]:
    """Seconds of a bare one-row FULL commit, again and again."""
    conn = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        conn.execute(f"PRAGMA {pragma}")
    conn.execute("CREATE TABLE row (n INTEGER)")
    for number in itertools.count():
        began = time.perf_counter()
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("INSERT INTO row VALUES (?)", (number,))
        conn.execute("COMMIT")
        yield time.perf_counter() - began
