"""Whether everything a lot needs answers: a lot counts as active at the cloud once this holds (sync §9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from domain.wire import Json
from drivers.base import DeviceError, Printer, PrinterStatus
from edge.lanes.worker import LaneWorker

FIRST_S, AGAIN_S = 0.1, 10.0
WORKS = (PrinterStatus.READY, PrinterStatus.PAPER_LOW, PrinterStatus.UNKNOWN)


class SelfTest:
    """Looks at barriers, cameras, loops and printers until all of them work, then rests: later faults are incidents.

    A barrier passes when its outputs could be written off and read back, a printer when it takes jobs or never
    answers, a camera or loop while its driver does not call it lost.
    """

    def __init__(self, workers: Iterable[LaneWorker], printers: Mapping[str, Printer]) -> None:
        self._workers, self._printers = tuple(workers), printers
        self._failed: tuple[str, ...] | None = None

    def result(self) -> Json | None:
        """``{"failed": [parts]}``, None before the first look is done."""
        return None if self._failed is None else {"failed": list(self._failed)}

    async def run(self) -> None:
        """Look until everything works; returns only when cancelled."""
        while self._failed != ():
            if all(worker.barrier.is_tested for worker in self._workers):
                self._failed = await self._look()
            await asyncio.sleep(FIRST_S if self._failed is None else AGAIN_S)
        await asyncio.Event().wait()

    async def _look(self) -> tuple[str, ...]:
        silent = [part for worker in self._workers for part in worker.wrong]
        dumb = [f"printer {name}" for name, printer in self._printers.items() if not await _takes_jobs(printer)]
        return tuple(sorted({*silent, *dumb}))


async def _takes_jobs(printer: Printer) -> bool:
    try:
        return await printer.status() in WORKS
    except DeviceError:
        return False
