"""The barrier of one lane: tested before it is trusted, kept open while held, one pulse for each committed decision."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress

from domain.lane import BarrierFailed, Incident
from drivers.base import Barrier, DeviceError, DeviceUnreachableError, Holdable, Trouble
from edge.lanes.loops import LaneWatch
from edge.lanes.watching import watch_over
from edge.settings import Lane
from edge.supervise import Health

log = logging.getLogger(__name__)

HOLD_AGAIN_S = 5.0  # a board that lost its power is told again that its barrier is held open
OUTCOME_S = 20.0  # a two-way lane may have to stop its other side first
OPENED = "opened"


class LaneBarrier:
    """Does what a lane asks of its barrier, and tells whoever waits for a pulse what came of it."""

    def __init__(
        self, lane: Lane, barrier: Barrier | None, health: Health, watch: LaneWatch, is_held: Callable[[], bool]
    ) -> None:
        self.part = f"barrier {lane.barrier}"
        self._lane, self._barrier, self._health, self._watch, self._is_held = lane, barrier, health, watch, is_held
        self._prepared = asyncio.Event()
        self._latch = asyncio.Event()  # the hold was set or let go
        self._outcomes: dict[str, asyncio.Future[str]] = {}  # pulses somebody far away waits to hear of

    @property
    def can_hold(self) -> bool:
        """Can it be held open?"""
        return isinstance(self._barrier, Holdable)

    @property
    def is_tested(self) -> bool:
        """Has it been written off and read back, or said why not?"""
        return self._barrier is None or self._prepared.is_set() or self.part in self._health.wrong

    async def mind(self) -> None:
        """Every output off and read back, before anything is trusted to it; then a hold is kept up while it lasts."""
        barrier = self._barrier
        if barrier is None:
            return
        await self._keep_hold(barrier)
        await barrier.prepare()
        self._prepared.set()
        self._health.set(self.part, "")
        while isinstance(barrier, Holdable):
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD_AGAIN_S):
                    await self._latch.wait()
            self._latch.clear()
            await self._keep_hold(barrier)

    async def _keep_hold(self, barrier: Barrier) -> None:
        if isinstance(barrier, Holdable):
            await (barrier.hold() if self._is_held() else barrier.release())

    async def watch_over(self) -> None:
        """Notice within seconds that it is gone, and latch it again where it comes back held open."""
        await self._prepared.wait()
        await watch_over(self.part, self._barrier, self._health, only_own=True, came_back=self.hold_changed)

    def hold_changed(self) -> None:
        """It is to be held open from now on, or no more."""
        self._latch.set()

    async def open(self, decision_id: str) -> BarrierFailed | None:
        """The one pulse of a committed decision. What went wrong is told; nothing is tried again."""
        if self._barrier is None:
            return None
        self._watch.asked()
        try:
            await self._barrier.open()
        except DeviceError as exc:
            log.error("%s: barrier: %s", self._lane.name, exc)
            self._health.set(self.part, Trouble.of(exc))
            unknown = isinstance(exc, DeviceUnreachableError)
            self._tell(decision_id, Incident.BARRIER_UNKNOWN if unknown else Incident.BARRIER_FAULT)
            return BarrierFailed(decision_id, unknown=unknown)
        self._health.set(self.part, "")
        self._tell(decision_id, OPENED)
        return None

    def outcome(self, decision_id: str) -> Coroutine[None, None, str]:
        """What comes of the pulse of *decision_id*; call it before the lane has turned to it, await it whenever."""
        self._outcomes[decision_id] = future = asyncio.get_running_loop().create_future()
        return self._heard(decision_id, future)

    async def _heard(self, decision_id: str, future: asyncio.Future[str]) -> str:
        try:
            async with asyncio.timeout(OUTCOME_S):
                return await future
        except TimeoutError:
            return Incident.BARRIER_UNKNOWN.value
        finally:
            del self._outcomes[decision_id]

    def _tell(self, decision_id: str, outcome: str) -> None:
        future = self._outcomes.get(decision_id)
        if future is not None and not future.done():
            future.set_result(str(outcome))
