"""From ground loops to what happens at a lane: arrived, under the arm, through, or gone back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.lane import Event, Incident, PassageBegan, PassageEnded, VehicleArrived, VehicleReversed
from domain.lane.watch import Alarm, Limits, Watched, look
from drivers.base import LoopChange
from edge.lanes.sides import SharedBarrier
from edge.settings import Lane, LotRules

SENTENCES = {
    Incident.ARM_UNMOVED: "it was told to open and is not up: look at the gate's power, its wires and its own lock",
    Incident.ARM_HELD_UP: "it has been up for long with nothing under it: look at the gate's controller and its loop",
    Incident.LOOP_STUCK: "a vehicle has been on it for long: see who stands there, else reset the detector",
}
REVERSED_AFTER_S = 2.0  # free before the arm, nothing under it for this long: it went back


class LaneWatch:
    """Keeps an eye on the arm and the loops of a lane, by the event loop's time."""

    def __init__(self, lane: Lane, rules: LotRules) -> None:
        self._lane = lane
        self._limits = Limits(rules.arm_moves_s, rules.arm_up_s, rules.loop_taken_s)
        self._state = Watched()

    def changed(self, change: LoopChange) -> None:
        """Take one change of a loop or of the arm's own input."""
        lane, now = self._lane, asyncio.get_running_loop().time()
        if change.loop == lane.arm_up:
            self._state = self._state.arm(now, up=change.occupied)
        elif change.loop in (lane.loop, lane.passage_loop):
            under = change.loop == lane.passage_loop
            self._state = self._state.loop(change.loop, now, occupied=change.occupied, under=under)

    def asked(self) -> None:
        """The barrier was told to open."""
        self._state = self._state.asked(asyncio.get_running_loop().time())

    def look(self, *, held: bool) -> tuple[tuple[Alarm, ...], dict[str, str]]:
        """What has just become an alarm; and by part what is wrong, "" where nothing is."""
        now = asyncio.get_running_loop().time()
        before = self._state.told
        self._state, news = look(self._state.hold(now, held=held), self._limits, now)
        over = {_part(alarm, self._lane): "" for alarm in before}
        return news, over | {_part(alarm, self._lane): SENTENCES[alarm.incident] for alarm in self._state.told}


def _part(alarm: Alarm, lane: Lane) -> str:
    return f"loop {alarm.what} taken" if alarm.what else f"arm {lane.barrier}"


class LoopSense:
    """Turns changes of the loops a lane has into events; a passage needs the loop under the arm taken, then free.

    With only the loop before the arm, a car that leaves it after the barrier opened is taken as through. Of a loop
    under an arm that lanes share, only those vehicles count that come from this *side*.
    """

    def __init__(
        self, lane: Lane, post: Callable[[Event], None], is_open: Callable[[], bool], side: SharedBarrier
    ) -> None:
        self._lane, self._post, self._is_open, self._side = lane, post, is_open, side
        self._before = self._under = self._under_is_ours = False
        self._check: asyncio.TimerHandle | None = None

    @property
    def senses_passage(self) -> bool:
        """Can this lane tell that a car went through?"""
        return bool(self._lane.loop or self._lane.passage_loop)

    def changed(self, change: LoopChange) -> None:
        """Take one change; loops of other lanes are none of ours."""
        if change.loop == self._lane.passage_loop and change.occupied != self._under:
            self._under = change.occupied
            self._under_is_ours = self._side.is_mine() if change.occupied else self._under_is_ours
            if self._under_is_ours:
                self._stop_check()
                self._post(PassageBegan() if change.occupied else PassageEnded())
        elif change.loop == self._lane.loop and change.occupied != self._before:
            self._before = change.occupied
            self._side.stands_before(change.occupied)
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
        elif not (self._under and self._under_is_ours):
            loop = asyncio.get_running_loop()
            self._check = loop.call_later(REVERSED_AFTER_S, self._post, VehicleReversed())

    def _stop_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
