"""Scanners that stand in the booth: what they read counts for the car whose page is open, else for the one that waits.

Whatever comes of it is told to the booth's pages, for a scanner has no screen of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from domain.scanned import ScannedKind, recognise
from drivers.base import Scanner
from edge.lanes.devices import LotDevices
from edge.lanes.watching import watch_over
from edge.lanes.worker import LaneWorker
from edge.services.limiting import Limited
from edge.settings import EdgeSettings
from edge.supervise import Health, keep_running

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scan ended: *why* it did not count, "" where it did, at *lane*; *waiting* cars it could be for.

    *place* is the workstation whose scanner it was, "" where none names it; *facts* fill in the words of *why*.
    """

    why: str
    lane: str = ""
    waiting: int = 0
    place: str = ""
    facts: tuple[tuple[str, str | int], ...] = ()


class BoothScans:
    """The scanners that no lane names; pages hear of each scan, and say which cars' or lanes' pages are open."""

    def __init__(self, settings: EdgeSettings, workers: Mapping[str, LaneWorker]) -> None:
        self._places, self._workers = settings.workstations, workers
        self.tell: Callable[[Outcome], None] = lambda outcome: None
        self.open_pages: Callable[[str], Collection[str]] = lambda place: ()  # stays and lanes on that place's screens

    def tasks(self, settings: EdgeSettings, devices: LotDevices, health: Health) -> dict[str, Awaitable[None]]:
        """What follows them; *health* hears when one is lost and when it is back."""
        of_lanes = {lane.scanner for lane in settings.lanes}
        tasks: dict[str, Awaitable[None]] = {}
        for name, scanner in devices.scanners.items():
            if name in of_lanes:
                continue
            part = f"scanner {name}"
            tasks[part] = keep_running(
                part,
                lambda n=name, s=scanner: self._follow(n, s),  # type: ignore[misc]
                on_state=lambda wrong, p=part: health.set(p, wrong),  # type: ignore[misc]
            )
            tasks[f"{part}: watch"] = watch_over(part, scanner, health)
        return tasks

    async def _follow(self, name: str, scanner: Scanner) -> None:
        async for text in scanner.scans():
            self.tell(await self._take(name, text))

    async def _take(self, name: str, text: str) -> Outcome:
        kind, place = recognise(text).kind, self._place(name)
        waiting = who_waits(kind, self._workers.values())
        if kind is ScannedKind.EXIT_PASS and self._workers:  # it names its car itself
            waiting = (waiting or list(self._workers.values()))[:1]
        elif len(waiting) > 1:
            waiting = self._open_among(waiting, place) or waiting
        if len(waiting) == 1:
            refused = await waiting[0].codes.take(text, f"scanner {name}")
            facts = refused.facts if isinstance(refused, Limited) else ()
            return Outcome(refused.code if refused else "", waiting[0].lane.name, 1, place, facts)
        log.info("scanner %s: %d cars wait, so nobody knows whose code that is", name, len(waiting))
        return Outcome(_nobodys(kind, len(waiting)), "", len(waiting), place)

    def _place(self, name: str) -> str:
        return next((place.name for place in self._places if place.scanner == name), "")

    def _open_among(self, waiting: list[LaneWorker], place: str) -> list[LaneWorker]:
        """The car whose page is open; with several workstations only on the scanner's own screens."""
        if not place and len(self._places) > 1:
            return []
        pages = self.open_pages(place)
        found = [one for one in waiting if one.waiting_stay in pages or one.lane.name in pages]
        return found if len(found) == 1 else []


def who_waits(kind: ScannedKind, workers: Iterable[LaneWorker]) -> list[LaneWorker]:
    """Lanes whose car a code of *kind* could be for: only where it is one does anybody know whose it is."""
    is_ticket = kind is ScannedKind.ENTRY_TICKET
    return [one for one in workers if one.waiting_stay or (is_ticket and one.is_asked)]


def _nobodys(kind: ScannedKind, waiting: int) -> str:
    if kind is ScannedKind.UNKNOWN:
        return kind.value
    return "several" if waiting else "nobody"
