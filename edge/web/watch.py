"""What every page shows unasked: lanes as they change, and the state of link, printer, cameras and clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from domain.moment import Quality
from drivers.base import DeviceError, PrinterStatus
from edge.db import log
from edge.facade import Edge
from edge.lanes.live import LaneView
from edge.lanes.scans import Outcome
from edge.services.filling import Filling
from plumbing.web import Hub

logger = logging.getLogger(__name__)

TICK_S = 1.0
SCAN_SHOWN_S = 30.0
PRINTER_S = 1.5  # a printer that has not said how it is by then counts as lost
MINUTE_MS = 60_000
DAY_MIN = 1440
GOOD_CLOCK = (Quality.CLOUD, Quality.NTP)


@dataclass(frozen=True, slots=True)
class Strip:
    """The line of states. *synced_min* is whole minutes since the cloud last answered, None when it never did;
    *lists_min* those since it last confirmed the oldest of the lists that decide.
    """

    link: str = "off"
    synced_min: int | None = None
    lists_min: int | None = None
    backlog: int = 0
    inside: int = 0
    alarms: int = 0  # that nobody has seen
    clock: int = int(Quality.RTC)
    disk: str = "fine"
    printers: tuple[tuple[str, str], ...] = ()
    wrong: tuple[tuple[str, str], ...] = ()
    parts: tuple[str, ...] = ()  # devices of no lane that do not work
    extended: tuple[int, str, str] | None = None  # until when (wall ms) nobody's time to leave runs out; who, why
    cameras: int = 0
    cameras_wrong: tuple[str, ...] = ()
    zones: tuple[tuple[str, int, int | None], ...] = ()  # of a lot with several: cars inside, places free

    @property
    def clock_good(self) -> bool:
        return self.clock in [int(quality) for quality in GOOD_CLOCK]

    @property
    def rules_fresh(self) -> bool:
        """Are prices and lists no older than a day?"""
        return self.lists_min is not None and self.lists_min < DAY_MIN

    @property
    def printer(self) -> str:
        """The worst word any printer has for itself; "" where the lot has none."""
        said = [status for _, status in self.printers]
        return max((PrinterStatus(one) for one in said), key=list(PrinterStatus).index, default="")


@dataclass(frozen=True, slots=True)
class Changed:
    """Parts of the pages that are no longer right: lanes by name, the strip."""

    lanes: tuple[str, ...] = ()
    strip: bool = False
    vouchers: bool = False
    scan: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Looking:
    """An open page: the stay or the lane it is about, and the workstation of its screen."""

    at: str
    place: str
    is_there: Callable[[], bool]


NOTHING_SCANNED = Outcome("")


class Watch:
    """Follows a running edge for all open pages; nobody is asked once a page."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._views: Mapping[str, LaneView] = {}
        self._synced_ms: int | None = None
        self._printers: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._looking: list[Looking] = []
        self._scan_over_s = 0.0
        self._minute = 0
        self.hub: Hub[Changed] = Hub()
        self.strip = Strip()
        edge.scans.tell, edge.scans.open_pages = self._scanned, self._open_pages

    async def start(self) -> None:
        """Look once, then keep looking."""
        said = await asyncio.gather(*map(self._status, self._edge.printers))
        self._printers = dict(zip(self._edge.printers, said, strict=True))
        await self._look()
        self._tasks = [
            *(asyncio.create_task(self._follow_printer(name), name=f"pages: {name}") for name in self._edge.printers),
            asyncio.create_task(self._follow_lanes(), name="pages: lanes"),
            asyncio.create_task(self._tick(), name="pages: states"),
        ]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """Let every open page finish."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def looking(self, looking: Looking) -> Iterator[None]:
        """As long as this lasts, somebody has that page open."""
        self._looking.append(looking)
        try:
            yield
        finally:
            self._looking.remove(looking)

    def _open_pages(self, place: str) -> set[str]:
        """Stays and lanes on the screens of a workstation, of all where it is ""."""
        return {one.at for one in self._looking if one.at and one.is_there() and place in ("", one.place)}

    def _scanned(self, outcome: Outcome) -> None:
        self._scan_over_s = asyncio.get_running_loop().time() + SCAN_SHOWN_S
        self.hub.publish(Changed(scan=outcome))

    async def _follow_lanes(self) -> None:
        async for views in self._edge.live.subscribe():
            now = {view.lane: view for view in views}
            changed = tuple(name for name, view in now.items() if self._views.get(name) is not view)
            self._views = now
            if changed:
                self.hub.publish(Changed(lanes=changed))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._look()
            self._tell_minutes()
            if 0 < self._scan_over_s < asyncio.get_running_loop().time():
                self._scan_over_s = 0
                self.hub.publish(Changed(scan=NOTHING_SCANNED))

    def _tell_minutes(self) -> None:
        """A car that stands at a lane has been in the lot a minute longer."""
        before, self._minute = self._minute, self._edge.office.now().wall_ms // MINUTE_MS
        standing = tuple(name for name, view in self._views.items() if view.stay_id)
        if standing and before != self._minute:
            self.hub.publish(Changed(lanes=standing))

    async def _follow_printer(self, name: str) -> None:
        while True:
            said = await self._status(name)
            if said != self._printers[name]:
                self._printers[name] = said
                await self._look()
            await asyncio.sleep(TICK_S)

    async def _status(self, name: str) -> str:
        """Its own word; what it said last while a job is in it, behind which any question would wait."""
        last = self._printers.get(name, PrinterStatus.UNKNOWN.value)
        if self._edge.printers[name].jobs:
            return last
        try:
            async with asyncio.timeout(PRINTER_S):
                return (await self._edge.printers[name].status()).value
        except TimeoutError:
            return last if self._edge.printers[name].jobs else PrinterStatus.OFFLINE.value
        except DeviceError:
            return PrinterStatus.OFFLINE.value

    async def look_now(self) -> None:
        """Somebody has just changed what the strip tells."""
        await self._look()

    async def _look(self) -> None:
        standing = await self._edge.standing()
        link, now_ms = str(standing["link"]), int(standing["wall_ms"])
        if link == "online":
            self._synced_ms = now_ms
        elif self._synced_ms is None:
            self._synced_ms = await self._edge.read(log.newest_anchor_ms)
        pools, _ = await self._edge.zones()
        views = self._edge.live.snapshot()
        wrong = {part: why for view in views for part, why in view.wrong.items()}
        cameras = {name for lane in self._edge.settings.lanes for name in lane.cameras}
        strip = Strip(
            link=link,
            synced_min=None if self._synced_ms is None else max(0, (now_ms - self._synced_ms) // MINUTE_MS),
            lists_min=standing["lists_min"],
            backlog=int(standing["backlog"]),
            inside=sum(pool.inside for pool in pools),
            alarms=int(standing["alarms"]),
            clock=int(standing["clock"]),
            disk=str(standing["disk"]),
            printers=tuple(self._printers.items()),
            wrong=tuple(sorted(wrong.items())),
            parts=tuple(sorted(self._edge.parts.wrong)),
            extended=tuple(standing["extended"].values()) if standing["extended"] else None,
            cameras=len(cameras),
            cameras_wrong=tuple(sorted(cameras & set(wrong))),
            zones=_zones(pools) if len(self._edge.office.lot.zones) > 1 else (),
        )
        if strip != self.strip:
            self.strip = strip
            self.hub.publish(Changed(strip=True))


def _zones(pools: Sequence[Filling]) -> tuple[tuple[str, int, int | None], ...]:
    return tuple((pool.zone, pool.inside, pool.free) for pool in pools if not pool.vehicle_class)


def _report(task: asyncio.Task[None]) -> None:
    """Pages that are no longer kept right must not go unnoticed."""
    if not task.cancelled() and task.exception() is not None:
        logger.error("%s ended", task.get_name(), exc_info=task.exception())
