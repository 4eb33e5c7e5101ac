"""The lane's rules as one table. ``docs/lane.md`` shows it as a diagram drawn from this code.

Why it is safe: only ``_pulse`` writes OpenBarrier, it remembers the decision it wrote it for, and it is reached only
from a committed decision of the present turn or an attendant's committed act (I22).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeAlias

from domain.lane.commands import (
    CallAttendant,
    Command,
    Decide,
    HoldOpen,
    HoldOther,
    OpenBarrier,
    RaiseIncident,
    RecordPassage,
    RecordReversal,
    RecordUnpaid,
    ReleaseHold,
    ReleaseOther,
    ShowDecision,
    StartTimer,
    StopTimer,
    TakePicture,
)
from domain.lane.events import (
    AttendantChose,
    BarrierFailed,
    Decided,
    DueChanged,
    Event,
    FaultCleared,
    HoldOpenReleased,
    HoldOpenSet,
    ManualOpen,
    OtherHeld,
    PassageBegan,
    PassageEnded,
    PlateSeen,
    SecondVehicle,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
)
from domain.lane.phases import (
    Car,
    Closing,
    Crossing,
    Deciding,
    Holding,
    Idle,
    Incident,
    LaneTimer,
    Passing,
    Phase,
    Read,
    Reading,
    State,
    Stuck,
    Verdict,
    Waiting,
)
from domain.lookalike import is_near
from domain.stay import UnpaidCause

Result: TypeAlias = tuple[State, tuple[Command, ...]]

_REMEMBERED: Final = 64  # pulses and reads; copies come within seconds
_READS_A_CAR: Final = 16  # a car may wait for long before a camera that reads every second
_TIMERS: Final[dict[type, LaneTimer]] = {
    Reading: LaneTimer.WINDOW,
    Waiting: LaneTimer.WAITING,
    Holding: LaneTimer.WAITING,
    Passing: LaneTimer.PASSAGE,
    Crossing: LaneTimer.PASSAGE,
    Closing: LaneTimer.CLOSING,
}
_NEEDS_BOTH_SIDES: Final = (Holding, Passing, Crossing, Stuck)


def step(state: State, event: Event) -> Result:
    """Advance one lane. An event that means nothing here leaves the lane as it is."""
    if isinstance(event, PlateSeen):
        if not event.read.live or event.read.read_id in state.seen:
            return state, ()
        state = replace(state, seen=(*state.seen, event.read.read_id)[-_REMEMBERED:])
    match state.phase, event:
        case _, HoldOpenSet(name=name):
            return replace(state, hold=name), (HoldOpen(name),)
        case _, HoldOpenReleased() if state.hold:
            return replace(state, hold=""), (ReleaseHold(state.hold),)
        case _, ManualOpen():
            return _by_hand(state, event)
        case _, Decided(verdict=Verdict.ADMIT) if event.turn == state.abandoned:
            return replace(state, abandoned=0), (RecordReversal(event.decision_id, Car()),)
        case ((Passing() | Crossing() | Stuck()), _):
            return _opened(state, state.phase, event)
        case Idle(), VehicleArrived(by_loop=by_loop):
            return _arrive(state, Car(on_loop=by_loop))
        case Idle(), PlateSeen(read=read):
            return _arrive(state, Car((read,)))
        case Closing(), VehicleArrived(by_loop=by_loop):
            return _arrive(state, Car(on_loop=by_loop, behind=True))
        case Closing(car=gone), PlateSeen(read=read) if not _same(gone, read):
            return _arrive(state, Car((read,), behind=True))
        case Closing(), SecondVehicle():
            return _unpaid(state, Car(behind=True))
        case Closing(), TimerRang(timer=LaneTimer.CLOSING):
            return _to(state, Idle())
        case ((Idle() | Closing()), PassageEnded()):
            return _unpaid(state, Car(behind=isinstance(state.phase, Closing)))
        case ((Reading() | Deciding() | Waiting() | Holding()), _):
            return _before_opening(state, state.phase, event)
        case _:
            return state, ()


def _before_opening(state: State, phase: Reading | Deciding | Waiting | Holding, event: Event) -> Result:
    """A car stands before a barrier that is shut."""
    car = phase.car
    match phase, event:
        case _, VehicleArrived(by_loop=True):
            return replace(state, phase=replace(phase, car=replace(car, on_loop=True))), ()
        case ((Deciding() | Waiting()), PlateSeen(read=read)) if not car.on_loop and not _same(car, read):
            return _arrive(_abandon(state), Car((read,)), RecordReversal("", car))
        case _, PlateSeen(read=read):
            return replace(state, phase=replace(phase, car=_with_read(car, read))), ()
        case Reading(), TimerRang(timer=LaneTimer.WINDOW):
            return _decide(state, car)
        case ((Reading() | Deciding() | Waiting()), AttendantChose(plate=plate)):
            return _decide(state, replace(car, chosen=plate))
        case ((Deciding() | Waiting()), DueChanged()):
            return _decide(state, car)
        case Deciding(), Decided() if event.turn == phase.turn:
            return _decided(state, car, event)
        case ((Waiting() | Holding()), TimerRang(timer=LaneTimer.WAITING)):
            return state, (RaiseIncident(Incident.LONG_WAIT), CallAttendant(Incident.LONG_WAIT))
        case Holding(), OtherHeld(decision_id=granted) if granted == phase.decision_id:
            return _pulse(state, Passing(car, phase.decision_id, phase.plate), phase.decision_id)
        case Holding(), PassageEnded():
            return _passed(state, phase, RaiseIncident(Incident.FORCED, phase.decision_id))
        case _, PassageEnded():
            return _unpaid(state, car)
        case _, VehicleReversed():
            gone = RecordReversal(phase.decision_id if isinstance(phase, Holding) else "", car)
            return _to(_abandon(state), Idle(), gone)
        case _:
            return state, ()


def _opened(state: State, phase: Passing | Crossing | Stuck, event: Event) -> Result:
    """The barrier was told to open for the car."""
    car, decision_id = phase.car, phase.decision_id
    match phase, event:
        case ((Passing() | Stuck()), PassageBegan()):
            return _to(state, Crossing(car, decision_id, phase.plate, phase.following))
        case _, PassageEnded():
            return _passed(state, phase)
        case ((Passing() | Crossing()), VehicleReversed()):
            turned = RaiseIncident(Incident.REVERSED, decision_id)
            return _to(state, _next(phase), RecordReversal(decision_id, car), turned)
        case Stuck(following=following), (VehicleReversed() | FaultCleared()):
            return _to(state, Reading(following) if following else Idle(), RecordReversal(decision_id, car))
        case Stuck(incident=Incident.NO_PASSAGE), VehicleArrived(by_loop=by_loop):
            return _arrive(state, Car(on_loop=by_loop), RecordReversal(decision_id, car))
        case Stuck(incident=Incident.NO_PASSAGE), PlateSeen(read=read) if not car.on_loop and not _same(car, read):
            return _arrive(state, Car((read,)), RecordReversal(decision_id, car))
        case Passing(), VehicleArrived(by_loop=True) if not car.on_loop:
            return replace(state, phase=replace(phase, car=replace(car, on_loop=True))), ()
        case ((Passing() | Crossing()), VehicleArrived(by_loop=by_loop)) if phase.following is None:
            return replace(state, phase=replace(phase, following=Car((), by_loop, behind=True))), (TakePicture(),)
        case ((Passing() | Crossing()), PlateSeen(read=read)):
            return replace(state, phase=_follower_seen(phase, read)), ()
        case Crossing(following=following), SecondVehicle():
            tail = following or Car(behind=True)
            return replace(state, phase=replace(phase, following=None)), _unpaid_records(state, tail)
        case Passing(), BarrierFailed() if event.decision_id == state.pulsed[-1]:
            return _stuck(state, phase, Incident.BARRIER_UNKNOWN if event.unknown else Incident.BARRIER_FAULT)
        case Crossing(), BarrierFailed() if event.decision_id == state.pulsed[-1]:
            return state, (RaiseIncident(Incident.BARRIER_FAULT, decision_id),)
        case Passing(), TimerRang(timer=LaneTimer.PASSAGE):
            return _stuck(state, phase, Incident.NO_PASSAGE)
        case Crossing(), TimerRang(timer=LaneTimer.PASSAGE):
            under = Incident.UNDER_BARRIER
            return state, (RaiseIncident(under, decision_id), CallAttendant(under))
        case _:
            return state, ()


def _arrive(state: State, car: Car, *before: Command) -> Result:
    return _to(state, Reading(car), *before, TakePicture())


def _decide(state: State, car: Car) -> Result:
    turn = state.turn + 1
    return _to(replace(state, turn=turn), Deciding(car, turn), Decide(turn, car))


def _decided(state: State, car: Car, decided: Decided) -> Result:
    show = ShowDecision(decided.decision_id, decided.verdict)
    match decided.verdict:
        case Verdict.ADMIT:
            return _admit(state, car, decided.decision_id, decided.plate, show)
        case Verdict.ASK:
            return _to(state, Waiting(car, Verdict.ASK), show, CallAttendant(Verdict.ASK))
        case verdict:
            return _to(state, Waiting(car, verdict), show)


def _admit(state: State, car: Car, decision_id: str, plate: str, *also: Command) -> Result:
    if state.two_way:
        return _to(state, Holding(car, decision_id, plate), HoldOther(decision_id), *also)
    return _pulse(state, Passing(car, decision_id, plate), decision_id, *also)


def _pulse(state: State, phase: Passing | Crossing, pulse_id: str, *also: Command) -> Result:
    """The only place that opens. A decision that had its pulse gets no other, whoever asks."""
    if pulse_id in state.pulsed:
        return _stuck(state, phase, Incident.REPEATED_DECISION)
    state = replace(state, pulsed=(*state.pulsed, pulse_id)[-_REMEMBERED:])
    return _to(state, phase, OpenBarrier(pulse_id), *also)


def _by_hand(state: State, act: ManualOpen) -> Result:
    """An attendant opens. The car keeps the decision that settled it; the pulse goes by the attendant's own id."""
    if act.decision_id in state.pulsed:
        return state, ()
    match state.phase:
        case Passing() | Crossing() as phase:
            return _pulse(state, phase, act.decision_id, TakePicture())
        case Stuck(following=following) as phase:
            again = Passing(phase.car, phase.decision_id, phase.plate, following)
            return _pulse(state, again, act.decision_id, TakePicture())
        case Holding() as phase:  # asked to open at once: the attendant answers for the other side
            return _pulse(state, Passing(phase.car, phase.decision_id, phase.plate), act.decision_id, TakePicture())
        case Reading() | Deciding() | Waiting() as phase:
            car = replace(phase.car, chosen=act.plate or phase.car.chosen)
        case _:
            car = Car(chosen=act.plate)
    return _admit(state, car, act.decision_id, act.plate, TakePicture())


def _passed(state: State, phase: Holding | Passing | Crossing | Stuck, *also: Command) -> Result:
    return _to(state, _next(phase), RecordPassage(phase.decision_id, phase.plate), *also)


def _next(phase: Holding | Passing | Crossing | Stuck) -> Phase:
    following = None if isinstance(phase, Holding) else phase.following
    return Reading(following) if following else Closing(phase.car)


def _unpaid(state: State, car: Car) -> Result:
    return _to(state, Closing(car), *_unpaid_records(state, car))


def _unpaid_records(state: State, car: Car) -> tuple[Command, ...]:
    if state.hold:
        return (RecordUnpaid(UnpaidCause.EMERGENCY, car),)
    if car.behind:
        return RecordUnpaid(UnpaidCause.TAILGATE, car), RaiseIncident(Incident.TAILGATE)
    return RecordUnpaid(UnpaidCause.FORCED, car), RaiseIncident(Incident.FORCED)


def _stuck(state: State, phase: Passing | Crossing, incident: Incident) -> Result:
    stuck = Stuck(phase.car, phase.decision_id, phase.plate, incident, phase.following)
    return _to(state, stuck, RaiseIncident(incident, phase.decision_id), CallAttendant(incident))


def _follower_seen(phase: Passing | Crossing, read: Read) -> Phase:
    """A read that is not of the car itself belongs to the one behind, once that can be there."""
    if _same(phase.car, read):
        return phase
    following = phase.following
    if following is None and phase.car.on_loop and isinstance(phase, Passing):
        return phase  # its loop will say when there is another
    following = following or Car(behind=True)
    return replace(phase, following=_with_read(following, read))


def _abandon(state: State) -> State:
    """The car goes while its decision is being worked out: whatever was admitted will have to be taken back (E8)."""
    return replace(state, abandoned=state.turn) if isinstance(state.phase, Deciding) else state


def _with_read(car: Car, read: Read) -> Car:
    return replace(car, reads=(*car.reads, read)[:_READS_A_CAR])


def _same(car: Car, read: Read) -> bool:
    """Whether *read* is of *car*, as far as plates can tell; an unread plate may be anyone's."""
    known = {seen.plate for seen in car.reads if seen.plate} | ({car.chosen} if car.chosen else set())
    return not known or not read.plate or any(is_near(read.plate, plate) for plate in known)


def _to(state: State, phase: Phase, *commands: Command) -> Result:
    """Enter *phase*: its timer starts, the last one stops, and the other side is let go when no longer needed."""
    tail: list[Command] = []
    old, new = _TIMERS.get(type(state.phase)), _TIMERS.get(type(phase))
    if old is not None and old is not new:
        tail.append(StopTimer(old))
    if state.two_way and isinstance(state.phase, _NEEDS_BOTH_SIDES) and not isinstance(phase, _NEEDS_BOTH_SIDES):
        tail.append(ReleaseOther())
    if new is not None:
        tail.append(StartTimer(new))
    return replace(state, phase=phase), (*commands, *tail)
