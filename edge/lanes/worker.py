"""One lane at work: devices in, decisions from the services, the state machine's commands carried out in order.

Whatever opens goes through ``domain.lane.step`` and a committed decision; a pulse is asked of the barrier once and
never again by itself (I22).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from domain.decision import Ask
from domain.lane import (
    AttendantChose,
    CallAttendant,
    Car,
    Clearing,
    Command,
    Crossing,
    Decide,
    DueChanged,
    Event,
    Holding,
    HoldOpen,
    HoldOther,
    Idle,
    Incident,
    LaneTimer,
    OpenBarrier,
    PassageEnded,
    Passing,
    PlateSeen,
    RaiseIncident,
    Reading,
    RecordPassage,
    RecordReversal,
    RecordUnpaid,
    ReleaseHold,
    ReleaseOther,
    ShowDecision,
    StartTimer,
    State,
    StopTimer,
    Stuck,
    TakePicture,
    TimerRang,
    Waiting,
    step,
)
from domain.lane.moves import plates_of
from domain.plate import mask
from drivers.base import (
    Camera,
    DeviceError,
    Loop,
    Triggerable,
)
from edge.lanes.barrier import LaneBarrier
from edge.lanes.board import LaneBoard
from edge.lanes.codes import LaneCodes
from edge.lanes.decisions import LaneDecisions
from edge.lanes.devices import LaneDevices
from edge.lanes.heard import HeardReads
from edge.lanes.live import Inputs, LiveLanes
from edge.lanes.loops import LaneWatch, LoopSense
from edge.lanes.notices import Notices
from edge.lanes.office import Office
from edge.lanes.reads import best_read, lane_read, plate_of
from edge.lanes.records import LaneRecords
from edge.lanes.screen import Screen
from edge.lanes.sides import SharedBarrier, Turn
from edge.lanes.timers import LaneTimers, just_goes, patience
from edge.lanes.watching import watch_over
from edge.services.lot import Decided
from edge.settings import Lane, LotRules
from edge.supervise import Health, keep_running

log = logging.getLogger(__name__)

DISK_FULL = "disk_full"  # shown in the incident's place, for nothing could be written
TURN_S = 1.0  # the worker turns at least this often, so that a watchdog can tell it from a stuck one


@dataclass(frozen=True, slots=True)
class Ring:
    """A timer of the lane rang in its *run*."""

    timer: LaneTimer
    run: int


class LaneWorker:
    """Runs one lane until cancelled. *turn* is shared by the lanes of one barrier: who holds it may open.

    *hold* is why the barrier was held open when the daemon last ended.
    """

    def __init__(
        self,
        lane: Lane,
        rules: LotRules,
        office: Office,
        devices: LaneDevices,
        live: LiveLanes,
        screen: Screen,
        turn: Turn | None = None,
        hold: str = "",
    ) -> None:
        self.lane, self._rules, self._office, self._devices = lane, rules, office, devices
        self._live, self._screen = live, screen
        self._state = State(two_way=turn is not None, hold=hold)
        self._inbox: asyncio.Queue[Event | Ring] = asyncio.Queue()
        self._heard = HeardReads()
        self._timers = LaneTimers(lambda timer, run: self._inbox.put_nowait(Ring(timer, run)))
        self._watch = LaneWatch(lane, rules)
        self._side = SharedBarrier(turn, self.post)
        self._loops = LoopSense(lane, self.post, lambda: isinstance(self._state.phase, Passing), self._side)
        self._health = Health(self._publish)
        self.barrier = LaneBarrier(lane, devices.barrier, self._health, self._watch, lambda: bool(self._state.hold))
        self._decisions = LaneDecisions(lane.name, office, self._heard)
        self._records = LaneRecords(lane.name, office, self._heard, self._health)
        self._board = LaneBoard(lane, screen.board, devices.display, office, self._health)
        self.codes = LaneCodes(self, office, self._board, self._health)
        self._notices = Notices()
        self._background: set[asyncio.Task[None]] = set()
        self._told_to_look = [camera for camera in devices.cameras if isinstance(camera, Triggerable)]
        self._look_at = 0.0
        self.turns = 0

    @property
    def state(self) -> State:
        """Where the lane stands."""
        return self._state

    @property
    def waiting_stay(self) -> str:
        """The stay whose car waits at this lane to be settled, "" when none does."""
        decided = self._decisions.last
        return decided.stay_id if decided is not None and isinstance(self._state.phase, Waiting) else ""

    @property
    def decided(self) -> Decided | None:
        """What was decided of the car that is here, None before anything was."""
        return self._decisions.last

    @property
    def is_asked(self) -> bool:
        """Does a car wait of which somebody must say which it is?"""
        last = self._decisions.last
        return last is not None and isinstance(self._state.phase, Waiting) and isinstance(last.decision.verdict, Ask)

    @property
    def newest(self) -> Decided | None:
        """What was decided last of any car."""
        return self._decisions.newest

    @property
    def wrong(self) -> tuple[str, ...]:
        """Its devices that do not work."""
        return tuple(sorted(self._health.wrong))

    def post(self, event: Event) -> None:
        """Let something happen at this lane."""
        self._inbox.put_nowait(event)

    def choose(self, plate: str, by: str, *, agreed: bool = False) -> None:
        """An attendant says which plate this car has, or (*agreed*) that it may come in without a place of its own."""
        self._decisions.chosen_by, self._decisions.agreed = by, agreed
        self.post(AttendantChose(plate))

    async def run(self) -> None:
        """Work until cancelled; each device is followed by itself, so one that fails stops nothing else."""
        self._publish()
        try:
            async with asyncio.TaskGroup() as group:
                for camera, name in zip(self._devices.cameras, self.lane.cameras, strict=True):
                    group.create_task(self._keep(f"camera {name}", lambda c=camera: self._follow_camera(c)))  # type: ignore[misc]
                for loop, name in zip(self._devices.loops, self.lane.reporting_loops, strict=True):
                    group.create_task(self._keep(f"loop {name}", lambda d=loop: self._follow_loops(d)))  # type: ignore[misc]
                if self._devices.scanner is not None:
                    scanner = self._devices.scanner
                    group.create_task(self._keep(f"scanner {self.lane.scanner}", lambda: self.codes.follow(scanner)))
                for part, device in self._devices.named(self.lane):
                    group.create_task(watch_over(part, device, self._health))
                if self._devices.barrier is not None:
                    group.create_task(self.barrier.watch_over())
                    group.create_task(self._keep(self.barrier.part, self.barrier.mind))
                group.create_task(self._board.keep_idle(lambda: isinstance(self._state.phase, Idle)))
                group.create_task(self._work(), name=f"lane {self.lane.name}")
        finally:
            self._timers.stop_all()
            self._side.release()

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await keep_running(f"{self.lane.name}: {name}", work, on_state=lambda wrong: self._health.set(name, wrong))

    async def _follow_camera(self, camera: Camera) -> None:
        async for read in camera.reads():
            self._health.set(f"camera {read.camera}", "")
            self._live.heard(read)
            if not read.live:
                await self._office.replayed(self.lane.name, read.read_id, plate_of(read))
                continue
            if self._side.is_other_car(plate_of(read)):
                continue  # the back of a car that drives off
            self._heard.keep(read, self._state)
            self.post(PlateSeen(lane_read(read)))

    async def _follow_loops(self, loop: Loop) -> None:
        async for change in loop.changes():
            self._watch.changed(change)
            self._loops.changed(change)
            if change.loop == self.lane.bell and change.occupied:
                await self._rung()
            if (view := self._live.get(self.lane.name)) and view.inputs != self._inputs():
                self._publish()

    async def _work(self) -> None:
        while True:
            self.turns += 1
            try:
                async with asyncio.timeout(TURN_S):
                    item: Event | Ring | None = await self._inbox.get()
            except TimeoutError:
                item = None
            if isinstance(item, Ring):
                item = self._rang(item.timer) if self._timers.is_current(item.timer, item.run) else None
            if item is not None:
                await _to_its_end(self._happen(item))
            if _now() >= self._look_at:
                self._look_at = _now() + TURN_S
                await _to_its_end(self._look_at_due())
                await _to_its_end(self._look_at_inputs())

    def _rang(self, timer: LaneTimer) -> Event:
        """Without loops, a car before a barrier that is up is taken as through when its time is over."""
        if not self._loops.senses_passage and (timer is LaneTimer.PASSAGE or just_goes(timer, self._state)):
            return PassageEnded()
        return TimerRang(timer)

    async def _happen(self, event: Event) -> None:
        events = [event]
        while events:
            happened, was_reading = events.pop(0), isinstance(self._state.phase, Reading)
            self._state, commands = step(self._state, happened)
            if isinstance(self._state.phase, Idle | Reading):
                self._decisions.forget()
                self._notices.next_car()
            for command in commands:
                answer = await self._carry_out(command)
                if answer is not None:
                    events.append(answer)
            if isinstance(self._state.phase, Reading) and (isinstance(happened, PlateSeen) or not was_reading):
                events += self._read_more(self._state.phase.car)
        self._publish()

    def _read_more(self, car: Car) -> list[Event]:
        """Decide at once when every camera has spoken, else within the merge window of the first read of its own."""
        if not car.reads or car.early:
            return []
        spoken = {read.camera for read in self._heard.of(car)}
        if len(spoken) < len(self.lane.cameras):
            self._timers.hasten(LaneTimer.WINDOW, self._rules.merge_window_ms / 1000)
            return []
        self._timers.stop(LaneTimer.WINDOW)
        return [TimerRang(LaneTimer.WINDOW)]

    async def _carry_out(self, command: Command) -> Event | None:
        match command:
            case Decide():
                answer = await self._decisions.decide(command)
                if self._decisions.is_disk_full:
                    self._notices.tell(DISK_FULL, _now())
                return answer
            case OpenBarrier(decision_id=decision_id):
                return await self.barrier.open(decision_id)
            case StartTimer(timer=timer):
                self._timers.start(timer, patience(timer, self._state, self._rules, self._loops.senses_passage))
            case StopTimer(timer=timer):
                self._timers.stop(timer)
            case RecordPassage() | RecordReversal() | RecordUnpaid():
                await self._records.write(command)
            case RaiseIncident():
                await self._raise(command)
            case CallAttendant(reason=reason):
                self._notices.call = reason
                if reason == Incident.LONG_WAIT and not self._office.is_attended(self.lane):
                    self._in_background(self._board.show_event("call"))
            case ShowDecision():
                if (decided := self._decisions.last) is not None:
                    self._in_background(self._board.show_decision(decided, self._decisions.vehicle_class))
            case TakePicture():
                self._in_background(self._trigger())
            case HoldOther(decision_id=decision_id):
                self._side.hold(decision_id, self._plates())
            case ReleaseOther():
                self._side.release()
            case HoldOpen() | ReleaseHold():
                self.barrier.hold_changed()
        return None

    def _plates(self) -> set[str]:
        """What the car that is about to pass may be called."""
        phase = self._state.phase
        return plates_of(phase.car) | {phase.plate} - {""} if isinstance(phase, Holding) else set()

    async def _raise(self, told: RaiseIncident) -> None:
        self._notices.tell(told.incident.value, _now())
        plate = self._heard.plate(told.car) if told.car else self._decisions.plate
        await self._records.incident(told.incident.value, f"{mask(plate)} {told.decision_id}".strip())

    async def _rung(self) -> None:
        """A driver calls: heard at the booth and answered on the board; pressed again meanwhile it is the same call."""
        is_new = self._notices.incident != Incident.BELL
        self._notices.tell(Incident.BELL, _now())
        self._in_background(self._board.show_event("bell"))
        if is_new:
            self._publish()
            await self._records.incident(Incident.BELL, mask(self._decisions.plate))

    async def _trigger(self) -> None:
        for camera in self._told_to_look:
            with suppress(DeviceError):
                await camera.trigger()

    async def _look_at_inputs(self) -> None:
        """An arm that does not move or fall and a loop that stays taken are put on record and shown, each once."""
        alarms, wrong = self._watch.look(held=bool(self._state.hold))
        changed = self._notices.stand(self._watch.standing) | self._notices.is_over(_now())
        if (view := self._live.get(self.lane.name)) is not None:
            changed |= view.attended != self._office.is_attended(self.lane) or view.inputs != self._inputs()
        if changed:
            self._publish()
        for part, error in wrong.items():
            self._health.set(part, error)
        for alarm in alarms:
            await self._records.incident(alarm.incident.value, alarm.what)

    async def _look_at_due(self) -> None:
        """A coupon from afar or a waiver may have changed what the waiting car owes."""
        if isinstance(self._state.phase, Waiting) and await self._decisions.is_due_changed():
            await self._happen(DueChanged())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _inputs(self) -> Inputs:
        """Arm and loops as they stand."""
        phase = self._state.phase
        opened = isinstance(phase, Passing | Crossing | Clearing)
        return self._watch.drawn(self._health.wrong, opened=opened, stuck=isinstance(phase, Stuck))

    def _publish(self) -> None:
        phase = self._state.phase
        car = None if isinstance(phase, Idle) else phase.car
        reads = self._heard.of(car) if car else []
        view = self._screen.view(
            self.lane, phase, best_read(reads), self._decisions.last, wrong=self._health.wrong,
            call=self._notices.call, incident=self._notices.incident, now=self._office.now(),
            chosen=car.chosen if car else "", held=self._state.hold, attended=self._office.is_attended(self.lane),
            inputs=self._inputs(),
        )  # fmt: skip
        self._live.publish(view)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """A stop lets the car at hand be finished: what was committed is also carried out."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
