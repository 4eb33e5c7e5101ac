"""One lane at work: devices in, decisions from the services, the state machine's commands carried out in order.

Whatever opens goes through ``domain.lane.step`` and a committed decision; a pulse is asked of the barrier once and
never again by itself (I22).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from domain.decision import Admit, Ask, PayFirst
from domain.lane import (
    AttendantChose,
    BarrierFailed,
    CallAttendant,
    Car,
    Command,
    Crossing,
    Decide,
    Decided,
    DueChanged,
    Event,
    HoldOpen,
    HoldOther,
    Idle,
    Incident,
    LaneTimer,
    OpenBarrier,
    OtherHeld,
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
    TakePicture,
    TimerRang,
    Verdict,
    Waiting,
    step,
)
from domain.plate import mask
from drivers.base import (
    Barrier,
    Camera,
    DeviceError,
    DeviceUnreachableError,
    Holdable,
    Loop,
    PlateRead,
    Triggerable,
)
from edge.db.database import DiskFullError
from edge.lanes.board import LaneBoard
from edge.lanes.codes import LaneCodes
from edge.lanes.devices import LaneDevices
from edge.lanes.live import LiveLanes
from edge.lanes.loops import LaneWatch, LoopSense
from edge.lanes.office import Office
from edge.lanes.reads import arrival_of, best_read, lane_read, plate_of
from edge.lanes.screen import Screen
from edge.lanes.timers import LaneTimers
from edge.services import lot as services
from edge.settings import Lane, LotRules
from edge.supervise import Health, keep_running

log = logging.getLogger(__name__)

REMEMBERED_READS = 64
DISK_FULL = "disk_full"  # shown in the incident's place, for nothing could be written
DISK_AGAIN_S = 1.0
HOLD_AGAIN_S = 5.0  # a board that lost its power is told again that its barrier is held open
OPENED = "opened"
OUTCOME_S = 20.0  # a two-way lane may have to stop its other side first
TURN_S = 1.0  # the worker turns at least this often, so that a watchdog can tell it from a stuck one


@dataclass(frozen=True, slots=True)
class Ring:
    """A timer of the lane rang in its *run*."""

    timer: LaneTimer
    run: int


class LaneWorker:
    """Runs one lane until cancelled. *other_side* is shared by the lanes of one barrier: who holds it may open.

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
        other_side: asyncio.Lock | None = None,
        hold: str = "",
    ) -> None:
        self.lane, self._rules, self._office, self._devices = lane, rules, office, devices
        self._live, self._screen = live, screen
        self._state = State(two_way=other_side is not None, hold=hold)
        self._prepared = False
        self._latch = asyncio.Event()  # the hold was set or let go
        self._other_side = other_side
        self._holding: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[Event | Ring] = asyncio.Queue()
        self._reads: OrderedDict[str, PlateRead] = OrderedDict()
        self._timers = LaneTimers(lambda timer, run: self._inbox.put_nowait(Ring(timer, run)))
        self._watch = LaneWatch(lane, rules)
        self._loops = LoopSense(lane, self.post, lambda: isinstance(self._state.phase, Passing))
        self._health = Health(self._publish)
        self._outcomes: dict[str, asyncio.Future[str]] = {}  # pulses somebody far away waits to hear of
        self._board = LaneBoard(lane, screen.board, devices.display, office, self._health)
        self._vehicle_class = ""
        self.codes = LaneCodes(self, office, self._board, self._health)
        self._chosen_by = ""
        self._decided: services.Decided | None = None
        self._call = self._incident = ""
        self._background: set[asyncio.Task[None]] = set()
        self._barrier_name = f"barrier {lane.barrier}"
        self._look_at = 0.0
        self.turns = 0

    @property
    def state(self) -> State:
        """Where the lane stands."""
        return self._state

    @property
    def waiting_stay(self) -> str:
        """The stay whose car waits at this lane to be settled, "" when none does."""
        waits = isinstance(self._state.phase, Waiting) and self._decided is not None
        return self._decided.stay_id if waits and self._decided else ""

    @property
    def can_hold(self) -> bool:
        """Can this lane's barrier be held open?"""
        return isinstance(self._devices.barrier, Holdable)

    @property
    def is_tested(self) -> bool:
        """Has the barrier been written off and read back, or said why not?"""
        return self._devices.barrier is None or self._prepared or self._barrier_name in self._health.wrong

    @property
    def wrong(self) -> tuple[str, ...]:
        """Its devices that do not work."""
        return tuple(sorted(self._health.wrong))

    def post(self, event: Event) -> None:
        """Let something happen at this lane."""
        self._inbox.put_nowait(event)

    def choose(self, plate: str, by: str) -> None:
        """An attendant says which plate this car has."""
        self._chosen_by = by
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
                if self._devices.barrier is not None:
                    group.create_task(self._keep(self._barrier_name, self._mind_barrier))
                group.create_task(self._board.keep_idle(lambda: isinstance(self._state.phase, Idle)))
                group.create_task(self._work(), name=f"lane {self.lane.name}")
        finally:
            self._timers.stop_all()
            self._release()

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await keep_running(f"{self.lane.name}: {name}", work, on_state=lambda wrong: self._health.set(name, wrong))

    async def _mind_barrier(self) -> None:
        """Every output off and read back, before anything is trusted to it; then a hold is kept up while it lasts."""
        barrier = self._devices.barrier
        if barrier is None:
            return
        await self._keep_hold(barrier)
        await barrier.prepare()
        self._prepared = True
        self._health.set(self._barrier_name, "")
        while isinstance(barrier, Holdable):
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD_AGAIN_S):
                    await self._latch.wait()
            self._latch.clear()
            await self._keep_hold(barrier)

    async def _keep_hold(self, barrier: Barrier) -> None:
        if isinstance(barrier, Holdable):
            await (barrier.hold() if self._state.hold else barrier.release())

    async def _follow_camera(self, camera: Camera) -> None:
        async for read in camera.reads():
            self._health.set(f"camera {read.camera}", "")
            self._live.heard(read)
            if not read.live:
                await self._office.replayed(self.lane.name, read.read_id, plate_of(read))
                continue
            self._reads[read.read_id] = read
            while len(self._reads) > REMEMBERED_READS:
                self._reads.popitem(last=False)
            self.post(PlateSeen(lane_read(read)))

    async def _follow_loops(self, loop: Loop) -> None:
        async for change in loop.changes():
            self._watch.changed(change)
            self._loops.changed(change)

    async def _work(self) -> None:
        while True:
            self.turns += 1
            try:
                async with asyncio.timeout(TURN_S):
                    item: Event | Ring | None = await self._inbox.get()
            except TimeoutError:
                item = None
            if asyncio.get_running_loop().time() >= self._look_at:
                self._look_at = asyncio.get_running_loop().time() + TURN_S
                await _to_its_end(self._look_at_due())
                await _to_its_end(self._look_at_inputs())
            if item is None:
                continue
            if isinstance(item, Ring):
                if not self._timers.is_current(item.timer, item.run):
                    continue
                item = self._rang(item.timer)
            await _to_its_end(self._happen(item))

    def _rang(self, timer: LaneTimer) -> Event:
        """Without loops, a car before a barrier that is up is taken as through when its time is over."""
        if not self._loops.senses_passage and (timer is LaneTimer.PASSAGE or self._just_goes(timer)):
            return PassageEnded()
        return TimerRang(timer)

    def _just_goes(self, timer: LaneTimer) -> bool:
        """Does the car that *timer* counts for stand before a barrier held open?"""
        return timer is LaneTimer.WAITING and bool(self._state.hold) and isinstance(self._state.phase, Waiting)

    async def _happen(self, event: Event) -> None:
        events = [event]
        while events:
            happened = events.pop(0)
            self._state, commands = step(self._state, happened)
            if isinstance(self._state.phase, Idle | Reading):
                self._decided, self._call, self._incident = None, "", ""
            for command in commands:
                answer = await self._carry_out(command)
                if answer is not None:
                    events.append(answer)
            if isinstance(happened, PlateSeen) and isinstance(self._state.phase, Reading):
                events += self._read_more(self._state.phase.car)
        self._publish()

    def _read_more(self, car: Car) -> list[Event]:
        """Decide at once when every camera has spoken, else within the merge window."""
        spoken = {self._reads[read.read_id].camera for read in car.reads if read.read_id in self._reads}
        if len(spoken) < len(self.lane.cameras):
            self._timers.hasten(LaneTimer.WINDOW, self._rules.merge_window_ms / 1000)
            return []
        self._timers.stop(LaneTimer.WINDOW)
        return [TimerRang(LaneTimer.WINDOW)]

    async def _carry_out(self, command: Command) -> Event | None:
        match command:
            case Decide(turn=turn, car=car):
                return await self._decide(turn, car)
            case OpenBarrier(decision_id=decision_id):
                return await self._open(decision_id)
            case StartTimer(timer=timer):
                self._timers.start(timer, self._seconds(timer))
            case StopTimer(timer=timer):
                self._timers.stop(timer)
            case RecordPassage(decision_id=decision_id, plate=plate):
                await self._on_record(lambda: self._office.passage(self.lane.name, decision_id, plate))
            case RecordReversal(decision_id=decision_id, car=car):
                await self._on_record(lambda: self._office.reversal(self.lane.name, decision_id, self._plate(car)))
            case RecordUnpaid(cause=cause, car=car):
                await self._on_record(lambda: self._office.unpaid(self.lane.name, cause, self._plate(car)))
            case RaiseIncident(incident=incident, decision_id=decision_id):
                await self._raise(incident, decision_id)
            case CallAttendant(reason=reason):
                self._call = reason
            case ShowDecision():
                if self._decided is not None:
                    self._in_background(self._board.show_decision(self._decided, self._vehicle_class))
            case TakePicture():
                self._in_background(self._trigger())
            case HoldOther(decision_id=decision_id):
                self._holding = asyncio.create_task(self._hold(decision_id))
            case ReleaseOther():
                self._release()
            case HoldOpen() | ReleaseHold():
                self._latch.set()
        return None

    async def _decide(self, turn: int, car: Car) -> Event:
        reads = [self._reads[read.read_id] for read in car.reads if read.read_id in self._reads]
        arrival = arrival_of(self.lane.name, car, reads, self._chosen_by)
        self._vehicle_class = arrival.vehicle_class
        try:
            decided = await self._office.decide(arrival)
        except DiskFullError:
            self._decided, self._incident = None, DISK_FULL
            return Decided(turn, "", Verdict.REFUSE, self._plate(car))
        self._decided = decided
        match decided.decision.verdict:
            case Admit() if decided.opens:
                verdict = Verdict.ADMIT
            case PayFirst():
                verdict = Verdict.PAY_FIRST
            case Ask():
                verdict = Verdict.ASK
            case _:
                verdict = Verdict.REFUSE
        return Decided(turn, decided.decision_id, verdict, decided.decision.inputs.plate)

    async def _open(self, decision_id: str) -> Event | None:
        """The one pulse of a committed decision. What went wrong is told; nothing is tried again."""
        if self._devices.barrier is None:
            return None
        self._watch.asked()
        try:
            await self._devices.barrier.open()
        except DeviceError as exc:
            log.error("%s: barrier: %s", self.lane.name, exc)
            self._health.set(self._barrier_name, str(exc))
            unknown = isinstance(exc, DeviceUnreachableError)
            self._tell(decision_id, Incident.BARRIER_UNKNOWN if unknown else Incident.BARRIER_FAULT)
            return BarrierFailed(decision_id, unknown=unknown)
        self._health.set(self._barrier_name, "")
        self._tell(decision_id, OPENED)
        return None

    async def outcome(self, decision_id: str) -> str:
        """What comes of the pulse of *decision_id*, asked for before the lane has turned to it."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._outcomes[decision_id] = future
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

    async def _raise(self, incident: Incident, decision_id: str) -> None:
        self._incident = incident.value
        plate = self._decided.decision.inputs.plate if self._decided else ""
        detail = f"{mask(plate)} {decision_id}".strip()
        await self._on_record(lambda: self._office.incident(incident.value, self.lane.name, detail))

    async def _on_record(self, write: Callable[[], Awaitable[None]]) -> None:
        """What has happened cannot be refused: with the disk full the lane waits until it is on record (I23)."""
        while True:
            try:
                await write()
            except DiskFullError as exc:
                self._health.set("disk", str(exc))
                await asyncio.sleep(DISK_AGAIN_S)
            else:
                self._health.set("disk", "")
                return

    def _plate(self, car: Car) -> str:
        """What to call a car that nobody decided on: an attendant's word, else its best trusted read."""
        reads = [self._reads[read.read_id] for read in car.reads if read.read_id in self._reads and read.trusted]
        best = best_read(reads)
        return car.chosen or (plate_of(best) if best else "")

    async def _trigger(self) -> None:
        for camera in self._devices.cameras:
            if isinstance(camera, Triggerable):
                with suppress(DeviceError):
                    await camera.trigger()

    async def _hold(self, decision_id: str) -> None:
        if self._other_side is not None:
            await self._other_side.acquire()
            self.post(OtherHeld(decision_id))

    def _release(self) -> None:
        """Give the shared barrier free, whether it was held or still waited for."""
        holding, self._holding = self._holding, None
        if holding is None or self._other_side is None:
            return
        if holding.done() and not holding.cancelled():
            self._other_side.release()
        else:
            holding.cancel()

    async def _look_at_inputs(self) -> None:
        """An arm that does not move or fall and a loop that stays taken are put on record and shown, each once."""
        alarms, wrong = self._watch.look(held=bool(self._state.hold))
        for part, error in wrong.items():
            self._health.set(part, error)
        for alarm in alarms:
            incident, what = alarm.incident.value, alarm.what
            await self._on_record(lambda i=incident, w=what: self._office.incident(i, self.lane.name, w))  # type: ignore[misc]

    async def _look_at_due(self) -> None:
        """A coupon from afar or a waiver may have changed what the waiting car owes."""
        stay_id = self.waiting_stay
        decided = self._decided
        if stay_id and decided is not None and isinstance(decided.decision.verdict, PayFirst):
            due = await self._office.due(stay_id)
            if due != decided.decision.verdict.due_fen:
                await self._happen(DueChanged())

    def _seconds(self, timer: LaneTimer) -> float:
        rules = self._rules
        match timer:
            case LaneTimer.WINDOW:
                read = isinstance(self._state.phase, Reading) and bool(self._state.phase.car.reads)
                return (rules.merge_window_ms if read else rules.read_timeout_ms) / 1000
            case LaneTimer.WAITING:
                leaves = self._just_goes(timer) and not self._loops.senses_passage
                return rules.assumed_passage_s if leaves else rules.waiting_alarm_s
            case LaneTimer.PASSAGE:
                return rules.passage_timeout_s if self._loops.senses_passage else rules.assumed_passage_s
            case LaneTimer.CLOSING:
                return rules.closing_s

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _publish(self) -> None:
        phase = self._state.phase
        car = None if isinstance(phase, Idle) else phase.car
        reads = [self._reads[read.read_id] for read in car.reads if read.read_id in self._reads] if car else []
        view = self._screen.view(
            self.lane, phase, best_read(reads), self._decided, wrong=self._health.wrong, call=self._call,
            incident=self._incident, now=self._office.now(), chosen=car.chosen if car else "", held=self._state.hold,
        )  # fmt: skip
        self._live.publish(view)

    @property
    def is_busy(self) -> bool:
        """Is a car at or under this barrier?"""
        return isinstance(self._state.phase, Passing | Crossing | Waiting | Reading)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """A stop lets the car at hand be finished: what was committed is also carried out."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
