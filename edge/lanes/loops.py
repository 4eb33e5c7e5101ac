"""From ground loops to what happens at a lane: arrived, under the arm, through, or gone back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.lane import Event, PassageBegan, PassageEnded, VehicleArrived, VehicleReversed
from drivers.base import LoopChange
from edge.settings import Lane

REVERSED_AFTER_S = 2.0  # free before the arm, nothing under it for this long: it went back


class LoopSense:
    """Turns changes of the loops a lane has into events; a passage needs the loop under the arm taken, then free.

    With only the loop before the arm, a car that leaves it after the barrier opened is taken as through.
    """

    def __init__(self, lane: Lane, post: Callable[[Event], None], is_open: Callable[[], bool]) -> None:
        self._lane, self._post, self._is_open = lane, post, is_open
        self._before = self._under = False
        self._check: asyncio.TimerHandle | None = None

    @property
    def senses_passage(self) -> bool:
        """Can this lane tell that a car went through?"""
        return bool(self._lane.loop or self._lane.passage_loop)

    def changed(self, change: LoopChange) -> None:
        """Take one change; loops of other lanes are none of ours."""
        if change.loop == self._lane.passage_loop and change.occupied != self._under:
            self._under = change.occupied
            self._stop_check()
            self._post(PassageBegan() if change.occupied else PassageEnded())
        elif change.loop == self._lane.loop and change.occupied != self._before:
            self._before = change.occupied
            self._stop_check()
            if change.occupied:
                self._post(VehicleArrived(by_loop=True))
            else:
                self._left_the_loop()

    def _left_the_loop(self) -> None:
        if not self._lane.passage_loop:
            events: tuple[Event, ...] = (PassageBegan(), PassageEnded()) if self._is_open() else (VehicleReversed(),)
            for event in events:
                self._post(event)
        elif not self._under:
            loop = asyncio.get_running_loop()
            self._check = loop.call_later(REVERSED_AFTER_S, self._post, VehicleReversed())

    def _stop_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
