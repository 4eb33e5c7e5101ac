"""Receipts, tickets and reports on paper, each once; what finds no ready printer waits in the journal (E39, sync §7).

A slip that waits is a ``queued`` row: nothing of it was sent, so it comes out by itself once its printer is ready, also
after a restart. One that was begun is never begun again: after a crash it is in doubt, and somebody looks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby

from domain.decision import Refuse
from domain.slip_faces import Face
from edge.db import printjobs
from edge.db.printjobs import Queued
from edge.lanes.office import Office
from edge.printing import Ended, SlipPrinter
from edge.services import papers
from edge.services.lot import Result
from edge.services.papers import Begun

log = logging.getLogger(__name__)

LOOK_S = 1.0
PATIENCE_S = 1800.0
WAITS = Refuse("print_waits")
FaceOf = Callable[[int], Face]  # by which copy it is
Finds = Callable[[str], Awaitable[FaceOf | Refuse]]


class SlipDesk:
    """*now* is seconds of any clock that only runs forward."""

    def __init__(
        self, office: Office, printers: Mapping[str, SlipPrinter], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._office, self._printers, self._now = office, printers, now
        self._finds: dict[str, Finds] = {}
        self._since: dict[str, float] = {}

    def knows(self, kind: str, finds: Finds) -> None:
        """Slips of *kind* say what *finds* makes of their subject; what it refuses is not printed any more."""
        self._finds[kind] = finds

    async def print(self, kind: str, subject: str, printer: str, by: str, *, waits: bool = True) -> Result:
        """Put it on paper. Refuses ``print_waits`` (it comes out once its printer is ready), ``print_unknown``, and
        what makes such a slip impossible.
        """
        office = self._office
        face = await self._finds[kind](subject)
        if isinstance(face, Refuse):
            return face
        if waits and not await self._printers[printer].is_ready():
            asked = await office.do(papers.wait, office.lot, kind, subject, printer, by)
            return asked if isinstance(asked, Refuse) else WAITS
        begun = await office.do(papers.begin, office.lot, kind, subject, printer, by)
        return begun if isinstance(begun, Refuse) else await self._put_on_paper(begun, face, waits=waits)

    async def _put_on_paper(self, begun: Begun, face: FaceOf, *, waits: bool) -> Result:
        office, printer, ended = self._office, self._printers[begun.printer], Ended("unknown")
        try:
            ended = await printer.put_on_paper(await printer.lay_out(face(begun.copy), office.lot))
        finally:
            if ended.state == "failed" and waits:
                await office.do(papers.put_back, begun.job_id)
            else:
                await office.do(papers.end, begun, ended.state, ended.silent)
        if ended.state == "failed" and waits:
            return WAITS
        return papers.outcome(begun.subject, begun.job_id, ended.state, silent=ended.silent)

    async def at(self, printer: str) -> list[Queued]:
        """What waits for one printer."""
        return [job for job in await self._office.read(printjobs.queued) if job.printer == printer]

    async def drop(self, printer: str) -> int:
        """Let go of all that waits for one printer; returns how many."""
        return await self._give_up(await self.at(printer))

    async def keep_printing(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Print what can be printed now, and give up what waited too long."""
        jobs = await self._office.read(printjobs.queued)
        late = [job for job in jobs if self._waited(job) > PATIENCE_S or job.printer not in self._printers]
        for job in late:
            log.warning("printer %s: %s %s was not printed in time", job.printer, job.kind, job.subject)
        await self._give_up(late)
        left = sorted((job for job in jobs if job not in late), key=lambda job: job.printer)
        for name, line in groupby(left, lambda job: job.printer):
            if await self._printers[name].is_ready():
                await self._print_all(list(line))

    def _waited(self, job: Queued) -> float:
        """Seconds, by the clock that only runs forward since this process first saw it, and before by the wall's."""
        before = max(0, self._office.now().wall_ms - job.wall_ms) / 1000
        return self._now() - self._since.setdefault(job.job_id, self._now() - before)

    async def _print_all(self, jobs: list[Queued]) -> None:
        for job in jobs:
            face = await self._finds[job.kind](job.subject)
            if isinstance(face, Refuse):
                await self._give_up([job])
                continue
            begun = await self._office.do(papers.take, job)
            if isinstance(begun, Refuse):
                return  # no room to write down that it is begun
            if begun is not None and await self._put_on_paper(begun, face, waits=True) == WAITS:
                return  # it failed again, and the others wait behind it

    async def _give_up(self, jobs: list[Queued]) -> int:
        for job in jobs:
            self._since.pop(job.job_id, None)
        return await self._office.commit(papers.drop, self._office.db, [job.job_id for job in jobs]) if jobs else 0

    async def print_test(self, printer: str, by: str) -> str | Refuse:
        """A test page; how that ended. Refuses ``printer_not_ready``."""
        device, office = self._printers.get(printer), self._office
        if device is None or not await device.is_ready():
            return Refuse("printer_not_ready")
        begun = await office.do(papers.begin, office.lot, papers.TEST, printer, printer, by)
        if isinstance(begun, Refuse):
            return begun
        ended = Ended("unknown")
        try:
            page = device.test_page(printer, office.lot, office.now().wall_ms)
            ended = await device.put_on_paper(await device.lay_out(page, office.lot))
        finally:
            await office.commit(papers.end, office.db, begun, ended.state, ended.silent, office.now())
        return ended.state

    async def recent(self, most: int) -> list[printjobs.Print]:
        """The newest prints and how they ended."""
        return await self._office.read(printjobs.recent, most)

    async def seen(self, job_id: str, by: str, *, came_out: bool) -> bool:
        """Somebody says whether a slip in doubt came out; False where it is not in doubt."""
        office = self._office
        return await office.commit(papers.said, office.db, job_id, by, came_out, office.now())
