"""From ground loops to what happens at a lane: arrived, under the arm, through, or gone back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from domain.lane import Approach, Event, Incident, PassageBegan, PassageEnded, VehicleArrived, VehicleReversed
from domain.lane.watch import Alarm, Limits, Watched, arm_drawn, look, loop_drawn
from drivers.base import LoopChange
from edge.lanes.live import Inputs
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

    @property
    def standing(self) -> set[Incident]:
        """The alarms that are not over."""
        return {alarm.incident for alarm in self._state.told}

    def drawn(self, wrong: Mapping[str, str], *, opened: bool, stuck: bool) -> Inputs:
        """Arm and loops for a screen; a loop whose device is lost is not known, whatever it said last."""
        lane = self._lane
        deaf = any(f"loop {name}" in wrong for name in lane.reporting_loops)
        failed = stuck or any(wrong.get(f"{part} {lane.barrier}") for part in ("barrier", "arm"))
        arm = arm_drawn(self._state, senses=bool(lane.arm_up) and not deaf, opened=opened, wrong=failed)
        before, under = (loop_drawn(self._state, name, wrong=deaf) for name in (lane.loop, lane.passage_loop))
        return Inputs(arm if lane.barrier else "", before, under)

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
        self._stayed = False  # a vehicle has been on the loop before the arm ever since the one under it was taken
        self._announced = False  # the vehicle on the loop before the arm is known to the lane
        self._went_back: asyncio.TimerHandle | None = None
        self._arrival: asyncio.TimerHandle | None = None

    @property
    def senses_passage(self) -> bool:
        """Can this lane tell that a car went through?"""
        return bool(self._lane.loop or self._lane.passage_loop)

    def changed(self, change: LoopChange) -> None:
        """Take one change; loops of other lanes are none of ours."""
        if change.loop == self._lane.passage_loop and change.occupied != self._under:
            self._under = change.occupied
            self._under_changed()
        elif change.loop == self._lane.loop and change.occupied != self._before:
            self._before = change.occupied
            self._side.stands_before(change.occupied)
            self._before_changed()

    def _under_changed(self) -> None:
        if self._under:
            self._stayed, self._under_is_ours = self._before, self._side.is_mine()
        if self._under_is_ours:
            _stop(self._went_back)
            self._post(PassageBegan() if self._under else PassageEnded(self._approach()))

    def _approach(self) -> Approach:
        if not self._lane.loop:
            return Approach.BLIND
        if self._stayed:
            return Approach.STAYED
        return Approach.NEXT if self._before else Approach.FREE

    def _before_changed(self) -> None:
        _stop(self._went_back)
        _stop(self._arrival)
        if self._before:
            self._announce()
            return
        self._stayed = False
        if self._announced:
            self._announced = False
            self._left_the_loop()

    def _announce(self) -> None:
        """A vehicle is on the loop: one that arrives, or on a shared barrier the other side's that drives off."""
        wait = self._side.other_drives_off_for()
        if wait:
            self._arrival = asyncio.get_running_loop().call_later(wait, self._announce)
            return
        self._announced = True
        self._post(VehicleArrived(by_loop=True))

    def _left_the_loop(self) -> None:
        if not self._lane.passage_loop:
            events: tuple[Event, ...] = (PassageBegan(), PassageEnded()) if self._is_open() else (VehicleReversed(),)
            for event in events:
                self._post(event)
        elif not (self._under and self._under_is_ours):
            loop = asyncio.get_running_loop()
            self._went_back = loop.call_later(REVERSED_AFTER_S, self._post, VehicleReversed())


def _stop(handle: asyncio.TimerHandle | None) -> None:
    if handle is not None:
        handle.cancel()
