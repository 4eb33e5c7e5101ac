"""What the lanes show right now, for the booth, the local API and the cloud's screens. No effect on any book."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from domain.wire import Json
from drivers.base import PlateRead

BUSY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arm and the loops before and under it, as ``domain.lane.watch`` draws them; "" what the lane has not."""

    arm: str = ""
    before: str = ""
    under: str = ""


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane as a screen sees it. *verdict* is Admit, PayFirst, Ask, Refuse or ""; *code* its reason.

    *stay_plate* is the open stay the read was matched to; *wrong* names devices that do not work and why;
    *call* says why a person is needed. *readings* are the texts the camera's plate may be, each with its percentage,
    likeliest first; there are none from a camera that gives one text, or where the plate counts as unread.
    """

    lane: str
    direction: str
    phase: str = "Idle"
    plate: str = ""
    plate_raw: str = ""
    confidence: int = 0
    trusted: bool = True
    colour: str = ""
    camera: str = ""
    readings: tuple[tuple[str, int], ...] = ()
    decision_id: str = ""
    stay_id: str = ""
    stay_plate: str = ""
    matched: str = ""
    verdict: str = ""
    code: str = ""
    fee_fen: int = 0
    off_fen: int = 0
    due_fen: int = 0
    lines: tuple[Json, ...] = ()
    coupons: tuple[Json, ...] = ()
    debts: tuple[Json, ...] = ()  # asked for beside the fee
    candidates: tuple[str, ...] = ()
    picture_of: str = ""  # decision whose picture shows this car
    call: str = ""
    incident: str = ""
    held: str = ""  # why its barrier is held open
    attended: bool = True  # somebody is there
    inputs: Inputs = Inputs()
    wrong: dict[str, str] = field(default_factory=dict)
    updated_wall_ms: int = 0

    def values(self) -> Json:
        """As JSON values."""
        return asdict(self)


class LiveLanes:
    """The newest view of every lane; subscribers get all of them after each change, the slow ones only the latest."""

    def __init__(self) -> None:
        self._views: dict[str, LaneView] = {}
        self._last_reads: dict[str, PlateRead] = {}
        self._subscribers: set[asyncio.Event] = set()

    def publish(self, view: LaneView) -> None:
        """Replace a lane's view."""
        if self._views.get(view.lane) != view:
            self._views[view.lane] = view
            for changed in self._subscribers:
                changed.set()

    def get(self, lane: str) -> LaneView | None:
        """One lane."""
        return self._views.get(lane)

    def heard(self, read: PlateRead) -> None:
        """Keep what a camera said last."""
        self._last_reads[read.camera] = read

    def last_read(self, camera: str) -> PlateRead | None:
        """What a camera said last, since the start."""
        return self._last_reads.get(camera)

    def snapshot(self) -> tuple[LaneView, ...]:
        """All lanes, in the order of the lot file."""
        return tuple(self._views.values())

    def is_busy(self, now_wall_ms: int) -> bool:
        """Has anything changed at a lane within the last few seconds?"""
        return any(now_wall_ms - view.updated_wall_ms < BUSY_MS for view in self._views.values())

    async def subscribe(self) -> AsyncIterator[tuple[LaneView, ...]]:
        """All lanes now, and again after every change."""
        changed = asyncio.Event()
        self._subscribers.add(changed)
        try:
            while True:
                yield self.snapshot()
                await changed.wait()
                changed.clear()
        finally:
            self._subscribers.discard(changed)

    def brief(self) -> Json:
        """What the cloud's screens get: no plates."""
        return {
            "lanes": [
                {
                    "lane": view.lane,
                    "phase": view.phase,
                    "verdict": view.verdict,
                    "held": view.held,
                    "attended": view.attended,
                    "wrong": sorted(view.wrong),
                }
                for view in self._views.values()
            ]
        }
