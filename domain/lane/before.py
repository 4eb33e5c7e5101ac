"""A car stands before a barrier that is shut: it is read, decided on, and waits for whatever it still needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from domain.lane.commands import CallAttendant, Command, RaiseIncident, RecordReversal, RecordUnpaid, ShowDecision
from domain.lane.events import (
    Approach,
    AttendantChose,
    Decided,
    DueChanged,
    Event,
    OtherHeld,
    PassageEnded,
    PlateSeen,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
)
from domain.lane.moves import (
    Result,
    abandon,
    admit,
    arrive,
    decide,
    gone,
    is_own,
    passed,
    plates_of,
    pulse,
    put_aside,
    to,
    unpaid,
    unpaid_records,
    with_read,
)
from domain.lane.phases import (
    Car,
    Crossing,
    Deciding,
    Holding,
    Idle,
    Incident,
    LaneTimer,
    Passing,
    Read,
    Reading,
    State,
    Verdict,
    Waiting,
)
from domain.stay import UnpaidCause

Shut: TypeAlias = Reading | Deciding | Waiting | Holding


def before_opening(state: State, phase: Shut, event: Event) -> Result:
    """Advance a lane whose car stands before the shut barrier."""
    car = phase.car
    match phase, event:
        case _, VehicleArrived(by_loop=True):
            return state._replace(phase=replace(phase, car=replace(car, on_loop=True))), ()
        case _, PlateSeen(read=read):
            return _seen(state, phase, read)
        case _, PassageEnded(before=before):
            return _went(state, phase, before)
        case _, VehicleReversed():
            back = RecordReversal(phase.decision_id if isinstance(phase, Holding) else "", car)
            return to(abandon(state), Idle(), back)
        case Reading(), TimerRang(timer=LaneTimer.WINDOW):
            return decide(state, car)
        case ((Reading() | Deciding() | Waiting()), AttendantChose(plate=plate)):
            return decide(state, replace(car, chosen=plate))
        case ((Deciding() | Waiting()), DueChanged()):
            return decide(state, car)
        case Deciding(), Decided() if event.turn == phase.turn:
            return _decided(state, car, event)
        case ((Waiting() | Holding()), TimerRang(timer=LaneTimer.WAITING)):
            return state, (RaiseIncident(Incident.LONG_WAIT), CallAttendant(Incident.LONG_WAIT))
        case Holding(), OtherHeld(decision_id=granted) if granted == phase.decision_id:
            return pulse(state, Passing(car, phase.decision_id, phase.plate), phase.decision_id)
        case _:
            return state, ()


def _seen(state: State, phase: Shut, read: Read) -> Result:
    car = phase.car
    stranger = bool(plates_of(car)) and not is_own(car, read)
    match phase:
        case Reading() if car.behind and read.plate in state.gone:
            return state, ()  # a late read of the car that just went
        case Deciding() | Waiting() if stranger and not car.on_loop:
            return arrive(abandon(state), Car((read,)), RecordReversal("", car))
        case Deciding() | Waiting() | Holding() if stranger:
            return put_aside(state, read), ()
        case _:
            return state._replace(phase=replace(phase, car=with_read(car, read))), ()


def _went(state: State, phase: Shut, before: Approach) -> Result:
    """Something went through: the car here, unless it stood on its loop all the while."""
    car = phase.car
    if before is Approach.STAYED and car.on_loop:
        return state, _beside(state, car)
    another = Car(on_loop=True, behind=True) if before is Approach.NEXT else None
    if isinstance(phase, Holding):
        crossed = Crossing(car, phase.decision_id, phase.plate, another)
        return passed(state, crossed, RaiseIncident(Incident.FORCED, phase.decision_id))
    if another is not None:
        return arrive(gone(state, car), another, *unpaid_records(state, car))
    return unpaid(state, car)


def _beside(state: State, car: Car) -> tuple[Command, ...]:
    """A motorbike slipped by the waiting car: nobody's plate, so somebody looks at the pictures."""
    if state.hold:
        return (RecordUnpaid(UnpaidCause.EMERGENCY, Car(behind=car.behind)),)
    cause, other = UnpaidCause.TAILGATE if car.behind else UnpaidCause.FORCED, Car(behind=car.behind)
    return RecordUnpaid(cause, other), RaiseIncident(Incident.UNSEEN, car=other)


def _decided(state: State, car: Car, decided: Decided) -> Result:
    show = ShowDecision(decided.decision_id, decided.verdict)
    match decided.verdict:
        case Verdict.ADMIT:
            return admit(state, car, decided.decision_id, decided.plate, show)
        case Verdict.ASK:
            return to(state, Waiting(car, Verdict.ASK), show, CallAttendant(Verdict.ASK))
        case verdict:
            return to(state, Waiting(car, verdict), show)
