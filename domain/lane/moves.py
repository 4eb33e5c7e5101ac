"""What the rules of a lane have in common: whose plate a read is, who comes next, and the only place that opens."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeAlias

from domain.lane.commands import (
    CallAttendant,
    Command,
    Decide,
    HoldOther,
    OpenBarrier,
    RaiseIncident,
    RecordPassage,
    RecordUnpaid,
    ReleaseOther,
    StartTimer,
    StopTimer,
    TakePicture,
)
from domain.lane.phases import (
    Car,
    Clearing,
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
    Waiting,
)
from domain.lookalike import is_near
from domain.plate import PlateKind, classify
from domain.stay import UnpaidCause

Result: TypeAlias = tuple[State, tuple[Command, ...]]
Opened: TypeAlias = Passing | Crossing | Clearing | Stuck

REMEMBERED: Final = 64  # pulses and reads; copies come within seconds
_READS_A_CAR: Final = 16  # a car may wait for long before a camera that reads every second
TIMERS: Final[dict[type, LaneTimer]] = {
    Reading: LaneTimer.WINDOW,
    Waiting: LaneTimer.WAITING,
    Holding: LaneTimer.WAITING,
    Passing: LaneTimer.PASSAGE,
    Crossing: LaneTimer.PASSAGE,
    Clearing: LaneTimer.GAP,
    Stuck: LaneTimer.WAITING,
    Closing: LaneTimer.CLOSING,
}
_NEEDS_BOTH_SIDES: Final = (Holding, Passing, Crossing, Clearing, Stuck)


def to(state: State, phase: Phase, *commands: Command) -> Result:
    """Enter *phase*: its timer starts, the last one stops, and the other side is let go when no longer needed."""
    tail: list[Command] = []
    old, new = TIMERS.get(type(state.phase)), TIMERS.get(type(phase))
    if old is not None and old is not new:
        tail.append(StopTimer(old))
    if state.two_way and isinstance(state.phase, _NEEDS_BOTH_SIDES) and not isinstance(phase, _NEEDS_BOTH_SIDES):
        tail.append(ReleaseOther())
    if new is not None:
        tail.append(StartTimer(new))
    if isinstance(phase, Idle | Closing | Reading) and (state.early or state.gone):
        tail.append(StartTimer(LaneTimer.MEMORY))
    return state._replace(phase=phase), (*commands, *tail)


# whose plate is it


def is_own(car: Car, read: Read) -> bool:
    """Is *read* of *car*, as far as plates can tell? One without a plate may be anyone's."""
    return not read.plate or car.nameless or any(is_near(read.plate, plate) for plate in plates_of(car))


def plates_of(car: Car) -> set[str]:
    """What a car may be called."""
    return {seen.plate for seen in car.reads if seen.plate} | ({car.chosen} if car.chosen else set())


def is_trailer(read: Read) -> bool:
    """A trailer has a plate of its own, and never comes without the vehicle that pulls it."""
    return classify(read.plate) is PlateKind.TRAILER


def with_read(car: Car, read: Read) -> Car:
    """*car* with one more read of it; a fresh one takes the place of what was seen before its turn."""
    if car.early:
        kept = car.reads if is_own(car, read) else ()
        return replace(car, reads=(*kept, read)[-_READS_A_CAR:], early=False)
    return replace(car, reads=(*car.reads, read)[:_READS_A_CAR])


def put_aside(state: State, read: Read) -> State:
    """A plate that is not that of the car at hand is kept for the one behind it."""
    if not (read.plate and read.trusted):
        return state
    alike = [seen for seen in state.early if is_near(seen.plate, read.plate)]
    return state._replace(early=(*alike, read)[-_READS_A_CAR:])


# who comes next


def arrive(state: State, car: Car, *before: Command) -> Result:
    """A car comes; one that no camera has read yet may have been seen before its turn."""
    if not car.reads and state.early:
        car = replace(car, reads=state.early, early=True)
    return to(state._replace(early=()), Reading(car), *before, TakePicture())


def decide(state: State, car: Car) -> Result:
    """Ask for a decision about *car* under a new turn."""
    turn = state.turn + 1
    return to(state._replace(turn=turn), Deciding(car, turn), Decide(turn, car))


def passed(state: State, phase: Opened, *also: Command) -> Result:
    """The car of *phase* is through."""
    state = gone(state, phase.car, phase.plate)
    return next_car(state, phase, passage(phase), *also)


def passage(phase: Opened) -> Command:
    """Who was opened for by hand without a name leaves by the plate that was read of it."""
    if not phase.plate and plates_of(phase.car):
        return RecordUnpaid(UnpaidCause.MANUAL, phase.car, phase.decision_id)
    return RecordPassage(phase.decision_id, phase.plate)


def gone(state: State, car: Car, plate: str = "") -> State:
    """Remember who went. Without a loop only its plate says that a car is there, so none is passed over."""
    plates = sorted((plates_of(car) | {plate}) - {""})
    return state._replace(gone=tuple(plates) if car.on_loop else ())


def next_car(state: State, phase: Opened, *commands: Command) -> Result:
    """Turn to the car behind the one of *phase*, or wait until the barrier is shut."""
    following = phase.following
    if following is None and not phase.car.on_loop and state.early:
        following = Car(behind=True)  # no loop will announce it
    if following is None:
        return to(state, Closing(phase.car), *commands)
    if not following.reads and state.early:
        following = replace(following, reads=state.early, early=True)
    return to(state._replace(early=()), Reading(following), *commands)


def unpaid(state: State, car: Car) -> Result:
    """*car* went without a decision."""
    return to(gone(state, car), Closing(car), *unpaid_records(state, car))


def unpaid_records(state: State, car: Car) -> tuple[Command, ...]:
    """What is written of a vehicle nobody let through."""
    cause, incident = (UnpaidCause.TAILGATE, Incident.TAILGATE) if car.behind else (UnpaidCause.FORCED, Incident.FORCED)
    if state.hold:
        return (RecordUnpaid(UnpaidCause.EMERGENCY, car),)
    return RecordUnpaid(cause, car), RaiseIncident(incident, car=car)


def abandon(state: State) -> State:
    """The car goes while its decision is being worked out: whatever was admitted will have to be taken back (E8)."""
    return state._replace(abandoned=state.turn) if isinstance(state.phase, Deciding) else state


# opening


def admit(state: State, car: Car, decision_id: str, plate: str, *also: Command) -> Result:
    """Open for *car*, on a two-way lane once the other side stands still."""
    if state.two_way:
        return to(state, Holding(car, decision_id, plate), HoldOther(decision_id), *also)
    return pulse(state, Passing(car, decision_id, plate), decision_id, *also)


def pulse(state: State, phase: Passing | Crossing, pulse_id: str, *also: Command) -> Result:
    """The only place that opens. A decision that had its pulse gets no other, whoever asks."""
    if pulse_id in state.pulsed:
        return stuck(state, phase, Incident.REPEATED_DECISION)
    state = state._replace(pulsed=(*state.pulsed, pulse_id)[-REMEMBERED:])
    return to(state, phase, OpenBarrier(pulse_id), *also)


def stuck(state: State, phase: Passing | Crossing, incident: Incident) -> Result:
    """It was told to open and did not end well: a person is called."""
    after = Stuck(phase.car, phase.decision_id, phase.plate, incident, phase.following)
    return to(state, after, RaiseIncident(incident, phase.decision_id), CallAttendant(incident))
