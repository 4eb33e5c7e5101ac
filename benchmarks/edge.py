"""An edge without vision: how soon it decides, what it holds in memory, and whether that grows.

The baseline is a process that imports the very libraries an edge has loaded, and nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks import crowd
from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import Pair
from benchmarks.rig import LANES, Rig, edge, plates
from edge.db.database import open_database

START_MOST, MEMORY_MOST, GROWTH_MOST = 1.5, 1.5, 1.05
WARM = 0.2  # of the events come first, to fill what is bounded: caches, remembered reads
EVENTS_A_CAR = 6  # in and out: the stay, the pulse, the passage
LIBRARIES = """
import json, sys
import lotgate.commands.edge, drivers.barrier.modbus_tcp, drivers.camera.vzenith, drivers.loop.modbus_tcp
names = [n for n, m in sys.modules.items() if "site-packages" in (getattr(m, "__file__", None) or "")]
print(json.dumps(names))
"""
IMPORTS = """
import importlib, sys, contextlib
for name in sys.argv[1:]:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What lies in the ledger, how often it is started, and how many events it must stand."""

    ledger_rows: int = 1_000_000
    starts: int = 7
    thrown_away: int = 1  # of the starts: the first one brings everything into the page cache
    idle_s: float = 3.0
    events: int = 100_000


SMOKE = Size(1_000, 1, 0, 0.1, 40)


def libraries() -> list[str]:
    """Every module that is not ours and not Python's own, in the order an edge loads them."""
    told = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, check=True)  # noqa: S603
    names: list[str] = json.loads(told.stdout)
    return names


def bare_imports(names: list[str]) -> tuple[float, int]:
    """Seconds until everything is imported, and the bytes the process then holds."""
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", IMPORTS, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.monotonic() - began
        held = resident(process.pid)
        process.kill()
    return took, held


def resident(pid: int) -> int:
    """Bytes of memory a process holds."""
    return int(psutil.Process(pid).memory_info().rss)


async def starts(folder: Path, size: Size) -> list[Figure]:
    """Bare imports and starts of an edge with a long ledger, in turn."""
    names = libraries()
    bare: list[tuple[float, int]] = []
    ours: list[tuple[float, int]] = []
    for number in range(size.thrown_away + size.starts):
        bare.append(await asyncio.to_thread(bare_imports, names))
        async with edge(folder) as rig:
            await rig.opens(0, next(plates(0, number)))
            first = rig.board.pulses[0].started_at - rig.began
            await asyncio.sleep(size.idle_s)
            ours.append((first, resident(rig.pid)))
        progress(f"imports {bare[-1][0]:.2f} s, start to first decision {first:.2f} s")
    bare, ours = bare[size.thrown_away :], ours[size.thrown_away :]
    pair = Pair.of("", "", [took for took, _ in bare], [took for took, _ in ours])
    took = 1 / pair.ratio
    memory = statistics.median(held for _, held in ours) / statistics.median(held for _, held in bare)
    rss = f"{ours[-1][1] / 2**20:.0f} MiB; imports {bare[-1][1] / 2**20:.0f} MiB"
    return [
        Figure(
            f"start to first decision, {size.ledger_rows:,} ledger rows",
            f"≤ {START_MOST:g} × bare imports",
            f"{took:.2f} × ({pair.subject}; imports {pair.baseline})",
            took <= START_MOST,
        ),
        Figure("idle memory", f"≤ {MEMORY_MOST:g} × bare imports", f"{memory:.2f} × ({rss})", memory <= MEMORY_MOST),
    ]


async def growth(folder: Path, size: Size) -> Figure:
    """Memory after a while and after so many events more; cars go in and out through HTTP."""
    async with edge(folder, quick=True) as rig:
        await cars(rig, int(size.events * WARM), 1)
        before = resident(rig.pid)
        await cars(rig, size.events, 2)
        after = resident(rig.pid)
    ratio = after / before
    measured = f"{ratio:.3f} × ({before / 2**20:.1f} MiB, then {after / 2**20:.1f} MiB)"
    return Figure(
        f"memory after {size.events:,} more events", f"≤ {GROWTH_MOST:g} × before", measured, ratio <= GROWTH_MOST
    )


async def cars(rig: Rig, events: int, start: int) -> None:
    """Cars in by one lane and out by the next, every pair of lanes at once."""

    async def pair(number: int) -> None:
        traffic = plates(number, start)
        for _ in range(events // EVENTS_A_CAR // (LANES // 2)):
            plate = next(traffic)
            await rig.opens(number, plate)
            await rig.opens(number + 1, plate)

    await asyncio.gather(*(pair(number) for number in range(0, LANES, 2)))


def run(options: Options) -> list[Figure]:
    """Starts and memory on the lot's disk; growth where commits cost nothing, since only memory counts there."""
    size = SMOKE if options.smoke else Size()
    folder = options.folder / "edge"
    (folder / "data").mkdir(parents=True, mode=0o700)
    db = open_database(folder / "data" / "lot.db")
    crowd.ledger(db, size.ledger_rows)
    crowd.checkpoint(db.conn)
    db.conn.close()
    progress(f"{size.ledger_rows:,} ledger rows are there")
    figures = asyncio.run(starts(folder, size))
    return [*figures, asyncio.run(growth(options.folder / "growing", size))]
