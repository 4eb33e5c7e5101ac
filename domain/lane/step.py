"""The lane's rules as one table. ``docs/lane.md`` shows it as a diagram drawn from this code.

Why it is safe: only ``moves.pulse`` writes OpenBarrier, it remembers the decision it wrote it for, and it is reached
only from a committed decision of the present turn or an attendant's committed act (I22).
"""

from __future__ import annotations

from dataclasses import replace

from domain.lane.before import before_opening
from domain.lane.commands import HoldOpen, RecordReversal, ReleaseHold, TakePicture
from domain.lane.events import (
    Approach,
    Decided,
    Event,
    HoldOpenReleased,
    HoldOpenSet,
    ManualOpen,
    PassageEnded,
    PlateSeen,
    SecondVehicle,
    TimerRang,
    VehicleArrived,
)
from domain.lane.moves import (
    REMEMBERED,
    Result,
    admit,
    arrive,
    gone,
    is_own,
    is_trailer,
    passed,
    plates_of,
    pulse,
    to,
    unpaid,
    unpaid_records,
)
from domain.lane.opened import opened
from domain.lane.phases import (
    Car,
    Clearing,
    Closing,
    Crossing,
    Deciding,
    Holding,
    Idle,
    LaneTimer,
    Passing,
    Reading,
    State,
    Stuck,
    Verdict,
    Waiting,
)


def step(state: State, event: Event) -> Result:
    """Advance one lane. An event that means nothing here leaves the lane as it is."""
    if isinstance(event, PlateSeen):
        if not event.read.live or event.read.read_id in state.seen or is_trailer(event.read):
            return state, ()
        state = state._replace(seen=(*state.seen, event.read.read_id)[-REMEMBERED:])
    match state.phase, event:
        case _, HoldOpenSet(name=name):
            return state._replace(hold=name), (HoldOpen(name),)
        case _, HoldOpenReleased() if state.hold:
            return state._replace(hold=""), (ReleaseHold(state.hold),)
        case _, ManualOpen():
            return _by_hand(state, event)
        case _, TimerRang(timer=LaneTimer.MEMORY):
            return state._replace(early=(), gone=()), ()
        case _, Decided(verdict=Verdict.ADMIT) if event.turn == state.abandoned:
            return state._replace(abandoned=0), (RecordReversal(event.decision_id, Car()),)
        case ((Passing() | Crossing() | Clearing() | Stuck()) as phase, _):
            return opened(state, phase, event)
        case ((Reading() | Deciding() | Waiting() | Holding()) as phase, _):
            return before_opening(state, phase, event)
        case ((Idle() | Closing()) as phase, _):
            return _nobody_waits(state, phase, event)


def _nobody_waits(state: State, phase: Idle | Closing, event: Event) -> Result:
    """No car is at the barrier; after one it may still be up."""
    behind = isinstance(phase, Closing)
    match phase, event:
        case _, VehicleArrived(by_loop=by_loop):
            return arrive(state, Car(on_loop=by_loop, behind=behind))
        case _, PlateSeen(read=read) if read.plate in state.gone:
            return state, ()
        case Idle(), PlateSeen(read=read):
            return arrive(state, Car((read,)))
        case Closing(car=last), PlateSeen(read=read) if not is_own(last, read):
            return arrive(state, Car((read,), behind=True))
        case Closing(), SecondVehicle():
            return unpaid(state, Car(behind=True))
        case _, PassageEnded(before=Approach.NEXT):
            went = Car(behind=behind)
            return arrive(gone(state, went), Car(on_loop=True, behind=True), *unpaid_records(state, went))
        case _, PassageEnded():
            return unpaid(state, Car(behind=behind))
        case Closing(), TimerRang(timer=LaneTimer.CLOSING):
            return to(state, Idle())
        case _:
            return state, ()


def _by_hand(state: State, act: ManualOpen) -> Result:
    """An attendant opens. The car keeps the decision that settled it; the pulse goes by the attendant's own id."""
    if act.decision_id in state.pulsed:
        return state, ()
    match state.phase:
        case Passing() | Crossing() as phase:
            return pulse(state, phase, act.decision_id, TakePicture())
        case (Stuck() | Clearing(stayed=True)) as phase:
            again = Passing(phase.car, phase.decision_id, phase.plate, phase.following)
            return pulse(state, again, act.decision_id, TakePicture())
        case Clearing() as phase:  # that car is through; this is for whoever comes next
            state, commands = passed(state, phase)
            after, more = _by_hand(state, act)
            return after, (*commands, *more)
        case Holding() as phase:  # asked to open at once: the attendant answers for the other side
            return pulse(state, Passing(phase.car, phase.decision_id, phase.plate), act.decision_id, TakePicture())
        case Reading(car=car):
            car = _named(car, act.plate)
        case Deciding(car=car) | Waiting(car=car):
            car = replace(car, chosen=act.plate or car.chosen)
        case _:
            car = _named(Car(), act.plate)
    return admit(state, car, act.decision_id, act.plate, TakePicture())


def _named(car: Car, plate: str) -> Car:
    """A car opened for by hand before a camera had its say: by the name given, else by the first plate seen."""
    car = replace(car, chosen=plate or car.chosen)
    return replace(car, nameless=not plates_of(car))
