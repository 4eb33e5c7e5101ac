"""Scanners that stand in the booth: what they read counts for the one car that waits."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable, Mapping

from domain.scanned import ScannedKind, recognise
from drivers.base import Scanner
from edge.lanes.devices import LotDevices
from edge.lanes.watching import watch_over
from edge.lanes.worker import LaneWorker
from edge.settings import EdgeSettings
from edge.supervise import Health, keep_running

log = logging.getLogger(__name__)


def booth_scanners(
    settings: EdgeSettings, devices: LotDevices, workers: Mapping[str, LaneWorker], health: Health
) -> dict[str, Awaitable[None]]:
    """Tasks for every scanner that no lane names; *health* hears when one is lost and when it is back."""
    of_lanes = {lane.scanner for lane in settings.lanes}
    free = {name: scanner for name, scanner in devices.scanners.items() if name not in of_lanes}
    tasks: dict[str, Awaitable[None]] = {}
    for name, scanner in free.items():
        part = f"scanner {name}"
        tasks[part] = keep_running(
            part,
            lambda n=name, s=scanner: _follow(n, s, workers),  # type: ignore[misc]
            on_state=lambda wrong, p=part: health.set(p, wrong),  # type: ignore[misc]
        )
        tasks[f"{part}: watch"] = watch_over(part, scanner, health)
    return tasks


def who_waits(kind: ScannedKind, workers: Iterable[LaneWorker]) -> list[LaneWorker]:
    """Lanes whose car a code of *kind* could be for: only where it is one does anybody know whose it is."""
    is_ticket = kind is ScannedKind.ENTRY_TICKET
    return [one for one in workers if one.waiting_stay or (is_ticket and one.is_asked)]


async def _follow(name: str, scanner: Scanner, workers: Mapping[str, LaneWorker]) -> None:
    async for text in scanner.scans():
        kind = recognise(text).kind
        waiting = who_waits(kind, workers.values())
        if kind is ScannedKind.EXIT_PASS and workers:  # it names its car itself
            await (waiting or list(workers.values()))[0].codes.take(text, f"scanner {name}")
        elif len(waiting) == 1:
            await waiting[0].codes.take(text, f"scanner {name}")
        else:
            log.warning("scanner %s: %d cars wait, so nobody knows whose voucher that is", name, len(waiting))
