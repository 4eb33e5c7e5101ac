"""The lane's clocks on the event loop's time: a clock that was stopped or started anew never rings late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.lane import Clearing, LaneTimer, Reading, State, Waiting
from edge.settings import LotRules


class LaneTimers:
    """Calls *ring* with the timer and its run; ``is_current`` tells whether that run still counts."""

    def __init__(self, ring: Callable[[LaneTimer, int], None]) -> None:
        self._ring = ring
        self._handles: dict[LaneTimer, asyncio.TimerHandle] = {}
        self._runs: dict[LaneTimer, int] = {}

    def start(self, timer: LaneTimer, seconds: float) -> None:
        """Start from the beginning."""
        self.stop(timer)
        run = self._runs[timer]
        self._handles[timer] = asyncio.get_running_loop().call_later(seconds, self._ring, timer, run)

    def hasten(self, timer: LaneTimer, seconds: float) -> None:
        """Ring in *seconds* at the latest, if it runs."""
        handle = self._handles.get(timer)
        if handle is None or handle.when() <= asyncio.get_running_loop().time() + seconds:
            return
        self.start(timer, seconds)

    def stop(self, timer: LaneTimer) -> None:
        """Forget it; a ring already on its way counts no more."""
        self._runs[timer] = self._runs.get(timer, 0) + 1
        handle = self._handles.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def is_current(self, timer: LaneTimer, run: int) -> bool:
        """Was this ring of the present run? It then counts once."""
        if self._runs.get(timer) != run:
            return False
        self.stop(timer)
        return True

    def stop_all(self) -> None:
        """Forget every timer."""
        for timer in list(self._handles):
            self.stop(timer)


def just_goes(timer: LaneTimer, state: State) -> bool:
    """Does the car that *timer* counts for stand before a barrier held open?"""
    return timer is LaneTimer.WAITING and bool(state.hold) and isinstance(state.phase, Waiting)


def patience(timer: LaneTimer, state: State, rules: LotRules, senses_passage: bool) -> float:
    """How long *timer* runs, in seconds, at a lane that can or cannot tell a passage."""
    match timer:
        case LaneTimer.WINDOW:
            read = isinstance(state.phase, Reading) and bool(state.phase.car.reads) and not state.phase.car.early
            return (rules.merge_window_ms if read else rules.read_timeout_ms) / 1000
        case LaneTimer.WAITING:
            leaves = just_goes(timer, state) and not senses_passage
            return rules.assumed_passage_s if leaves else rules.waiting_alarm_s
        case LaneTimer.PASSAGE:
            return rules.passage_timeout_s if senses_passage else rules.assumed_passage_s
        case LaneTimer.GAP:
            stayed = isinstance(state.phase, Clearing) and state.phase.stayed
            return rules.edging_s if stayed else rules.trailer_gap_ms / 1000
        case LaneTimer.MEMORY:
            return rules.remembered_s
        case LaneTimer.CLOSING:
            return rules.closing_s
