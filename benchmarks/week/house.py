"""The appliance of the week: the real daemon, started, killed as by SIGKILL or a power cut, and started again."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.week.virtual_time import VirtualLoop
from edge.clock import Clock
from edge.daemon import Opened, run_edge
from edge.facade import Edge
from edge.jobs import forget
from edge.services.totals import total_log
from edge.settings import EdgeSettings

ALWAYS_THERE = Path("/")  # in the place of the file that says the clock is synchronised


@dataclass(slots=True)
class House:
    """One daemon at a time over one data folder. What it wrote after its death is not on the disk."""

    settings: EdgeSettings
    loop: VirtualLoop
    start_ms: int
    boots: int = 0
    starts: int = 0
    kills: int = 0
    edge: Edge | None = None  # None while nobody is at home
    died: asyncio.Event = field(default_factory=asyncio.Event)
    dark: list[tuple[float, float]] = field(default_factory=list)
    cut_at_pulse: str = ""  # kill before or after the next pulse
    _booted_s: float = 0.0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _died_s: float = 0.0
    _unburied: bool = False

    def wall_ms(self) -> int:
        """What every right clock shows."""
        return self.start_ms + round(self.loop.time() * 1000)

    async def start(self, *, power_was_off: bool = True) -> None:
        """The daemon comes up; after a power cut the boot clock begins anew."""
        if power_was_off:
            self.boots, self._booted_s = self.boots + 1, self.loop.time() - 20
        clock = Clock(
            f"boot{self.boots:012d}",
            lambda: round((self.loop.time() - self._booted_s) * 1000),
            self.wall_ms,
            ALWAYS_THERE,
        )
        ready: asyncio.Future[Opened] = self.loop.create_future()
        self._stop, self.died = asyncio.Event(), asyncio.Event()
        work = run_edge(self.settings, self._stop, clock=clock, applications=lambda *_: {}, on_ready=ready.set_result)
        self._task = asyncio.create_task(work, name="edge")
        await asyncio.wait((ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
        if self.starts:
            self.dark.append((self._died_s, self.loop.time()))
        self.starts += 1
        self.edge = ready.result().edge

    def at_pulse(self) -> str:
        """Asked by every barrier before it moves: is the daemon dead, or does it die right before or after?"""
        if self.edge is None:
            return "dead"
        when, self.cut_at_pulse = self.cut_at_pulse, ""
        if when:
            self.die()
        return when

    def die(self) -> None:
        """Right now: what is on the disk at this moment is what the next start finds."""
        if self.edge is None:
            return
        self.edge.office.thread.run_blocking(self._copy, self.settings.data, self._kept)
        self.edge = None
        self._died_s = self.loop.time()
        self.kills += 1
        self._unburied = True
        self.died.set()

    async def bury(self) -> bool:
        """The rest of the dead process goes, and the disk is as it was when it died; False when it is buried."""
        if not self._unburied:
            return False
        self._unburied = False
        self._stop.set()
        assert self._task is not None
        await self._task
        for path in self.settings.data.glob("lot.db*"):
            if path.name != "lot.db.lock":
                path.unlink()
        self._copy(self._kept, self.settings.data)
        shutil.rmtree(self._kept)
        return True

    async def stop(self) -> None:
        """An orderly end."""
        self.edge = None
        self._stop.set()
        if self._task is not None:
            await self._task

    async def nightly(self) -> None:
        """What the daemon's own scheduler does by the wall clock, which runs on real time here."""
        if self.edge is not None:
            office = self.edge.office
            await office.thread.run(total_log, office.db, office.now())
            await office.thread.run(forget, office.db, self.settings.pictures.days, office.now())

    @property
    def _kept(self) -> Path:
        return self.settings.data.parent / "as-it-died"

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        target.mkdir(exist_ok=True)
        for path in source.glob("lot.db*"):
            if path.suffix not in (".lock", ".db-shm"):
                shutil.copyfile(path, target / path.name)
