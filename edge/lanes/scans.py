"""Scanners that stand in the booth: what they read counts for the one car that waits."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping

from domain.scanned import ScannedKind, recognise
from drivers.base import Scanner
from edge.lanes.devices import LotDevices
from edge.lanes.worker import LaneWorker
from edge.settings import EdgeSettings
from edge.supervise import keep_running

log = logging.getLogger(__name__)


def booth_scanners(
    settings: EdgeSettings, devices: LotDevices, workers: Mapping[str, LaneWorker]
) -> dict[str, Awaitable[None]]:
    """A task for every scanner that no lane names."""
    of_lanes = {lane.scanner for lane in settings.lanes}
    free = {name: scanner for name, scanner in devices.scanners.items() if name not in of_lanes}
    return {
        f"scanner {name}": keep_running(f"scanner {name}", lambda n=name, s=scanner: _follow(n, s, workers))  # type: ignore[misc]
        for name, scanner in free.items()
    }


async def _follow(name: str, scanner: Scanner, workers: Mapping[str, LaneWorker]) -> None:
    async for text in scanner.scans():
        kind = recognise(text).kind
        is_ticket = kind is ScannedKind.ENTRY_TICKET
        waiting = [one for one in workers.values() if one.waiting_stay or (is_ticket and one.is_asked)]
        if kind is ScannedKind.EXIT_PASS and workers:  # it names its car itself
            await (waiting or list(workers.values()))[0].codes.take(text, f"scanner {name}")
        elif len(waiting) == 1:
            await waiting[0].codes.take(text, f"scanner {name}")
        else:
            log.warning("scanner %s: %d cars wait, so nobody knows whose voucher that is", name, len(waiting))
