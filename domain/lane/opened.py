"""The barrier was told to open for a car: it goes, goes back, stays, or brings somebody along."""

from __future__ import annotations

from dataclasses import replace

from domain.lane.commands import CallAttendant, RaiseIncident, RecordReversal, TakePicture
from domain.lane.events import (
    Approach,
    BarrierFailed,
    Event,
    FaultCleared,
    PassageBegan,
    PassageEnded,
    PlateSeen,
    SecondVehicle,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
)
from domain.lane.moves import (
    Opened,
    Result,
    arrive,
    gone,
    is_own,
    next_car,
    passage,
    passed,
    plates_of,
    put_aside,
    stuck,
    to,
    unpaid_records,
    with_read,
)
from domain.lane.phases import (
    Car,
    Clearing,
    Closing,
    Crossing,
    Idle,
    Incident,
    LaneTimer,
    Passing,
    Read,
    Reading,
    State,
    Stuck,
)


def opened(state: State, phase: Opened, event: Event) -> Result:
    """Advance a lane whose barrier was told to open."""
    if isinstance(phase, Stuck):
        return _stuck(state, phase, event)
    car, decision_id = phase.car, phase.decision_id
    match phase, event:
        case _, PlateSeen(read=read):
            return _seen(state, phase, read)
        case ((Passing() | Clearing()), PassageBegan()):
            return to(state, Crossing(car, decision_id, phase.plate, phase.following))
        case ((Passing() | Crossing()), PassageEnded(before=before)) if before is not Approach.ASSUMED:
            return _under_is_free(state, phase, before)
        case _, PassageEnded():
            return passed(state, phase)
        case Clearing(), TimerRang(timer=LaneTimer.GAP):
            return passed(state, _with_next(phase))
        case Clearing(stayed=False), VehicleReversed():
            return state._replace(phase=_alone(phase)), ()
        case _, VehicleReversed():
            turned = RaiseIncident(Incident.REVERSED, decision_id)
            return next_car(state, _alone(phase), RecordReversal(decision_id, car), turned)
        case Passing(), VehicleArrived(by_loop=True) if not car.on_loop:
            return state._replace(phase=replace(phase, car=replace(car, on_loop=True))), ()
        case _, VehicleArrived(by_loop=by_loop) if phase.following is None:
            return state._replace(phase=replace(phase, following=Car((), by_loop, behind=True))), (TakePicture(),)
        case ((Crossing() | Clearing()), SecondVehicle()):
            tail = phase.following or Car(behind=True)
            return state._replace(phase=replace(phase, following=None)), unpaid_records(state, tail)
        case Passing(), BarrierFailed() if event.decision_id == state.pulsed[-1]:
            return stuck(state, phase, Incident.BARRIER_UNKNOWN if event.unknown else Incident.BARRIER_FAULT)
        case _, BarrierFailed() if event.decision_id == state.pulsed[-1]:
            return state, (RaiseIncident(Incident.BARRIER_FAULT, decision_id),)
        case Passing(), TimerRang(timer=LaneTimer.PASSAGE):
            return stuck(state, phase, Incident.NO_PASSAGE)
        case Crossing(), TimerRang(timer=LaneTimer.PASSAGE):
            under = Incident.UNDER_BARRIER
            return state, (RaiseIncident(under, decision_id), CallAttendant(under))
        case _:
            return state, ()


def _stuck(state: State, phase: Stuck, event: Event) -> Result:
    """No pulse is repeated by itself: the car passes after all, goes away, or a person sees to it."""
    car, back = phase.car, RecordReversal(phase.decision_id, phase.car)
    unmoved = phase.incident is Incident.NO_PASSAGE
    match event:
        case PassageBegan():
            return to(state, Crossing(car, phase.decision_id, phase.plate, phase.following))
        case PassageEnded():
            return passed(state, phase)
        case VehicleReversed() | FaultCleared():
            following = phase.following
            return to(state, Reading(following) if following else Idle(), back)
        case VehicleArrived(by_loop=by_loop) if unmoved:
            return arrive(state, Car(on_loop=by_loop), back)
        case PlateSeen(read=read) if unmoved and not car.on_loop and not is_own(car, read):
            return arrive(state, Car((read,)), back)
        case TimerRang(timer=LaneTimer.WAITING):
            return state, (RaiseIncident(Incident.LONG_WAIT, phase.decision_id), CallAttendant(phase.incident))
        case _:
            return state, ()


def _seen(state: State, phase: Passing | Crossing | Clearing, read: Read) -> Result:
    """A plate unlike the car's own belongs to the one behind, once that can be there."""
    car, following = phase.car, phase.following
    if car.nameless and read.plate and read.plate not in state.gone:
        return state._replace(phase=replace(phase, car=replace(with_read(car, read), nameless=False))), ()
    if is_own(car, read):
        return _still_here(state, phase, read) if isinstance(phase, Clearing) else (state, ())
    if isinstance(phase, Passing) and following is None and car.on_loop:
        return put_aside(state, read), ()  # its loop will say when it is there
    stayed = isinstance(phase, Clearing) and phase.stayed
    with_follower = replace(phase, following=with_read(following or Car(on_loop=stayed, behind=True), read))
    is_there = isinstance(phase, Clearing) and (stayed or not car.on_loop)  # else its loop will say when it is
    return passed(state, with_follower) if is_there else (state._replace(phase=with_follower), ())


def _still_here(state: State, phase: Clearing, read: Read) -> Result:
    """What came free under the barrier was not this car: it stands before it still, and its decision with it."""
    if not (phase.stayed and read.plate):
        return state, ()
    here = Passing(phase.car, phase.decision_id, phase.plate)
    return to(state, here, RaiseIncident(Incident.UNSEEN, phase.decision_id))


def _under_is_free(state: State, phase: Passing | Crossing, before: Approach) -> Result:
    """The loop under the barrier came free. What went along with the car never had a gap before it."""
    following = phase.following
    if following is not None and following.on_loop and before is Approach.FREE:
        if plates_of(following):
            return _tailgated(state, phase, following)
        following = None  # a trailer
    on_loop = before in (Approach.NEXT, Approach.STAYED)
    if following is not None:
        following = replace(following, on_loop=on_loop)
    elif before is Approach.NEXT:
        following = Car(on_loop=True, behind=True)
    if following is not None and plates_of(following) and (on_loop or before is Approach.BLIND):
        return passed(state, replace(phase, following=following))
    stayed = before is Approach.STAYED
    clearing = Clearing(phase.car, phase.decision_id, phase.plate, following, stayed)
    return to(state, clearing, *((TakePicture(),) if stayed else ()))


def _tailgated(state: State, phase: Passing | Crossing, tail: Car) -> Result:
    return to(gone(state, tail), Closing(tail), passage(phase), *unpaid_records(state, tail))


def _with_next(phase: Clearing) -> Clearing:
    """Whoever stands on the loop is the next car, seen or not."""
    return replace(phase, following=phase.following or (Car(on_loop=True, behind=True) if phase.stayed else None))


def _alone(phase: Passing | Crossing | Clearing) -> Passing | Crossing | Clearing:
    """Nobody is on the loop before the barrier any more."""
    following = phase.following
    return replace(phase, following=None if following and following.on_loop else following)
