"""What a lane asks for. The worker carries these out, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from domain.lane.phases import Car, Incident, LaneTimer, Verdict
from domain.stay import UnpaidCause


@dataclass(frozen=True, slots=True)
class TakePicture:
    """Ask the cameras to look now."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Work out and commit a decision for this car; answer with Decided and the same *turn*."""

    turn: int
    car: Car


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """One pulse. Never asked for twice under one *decision_id*."""

    decision_id: str


@dataclass(frozen=True, slots=True)
class ShowDecision:
    """Tell the driver."""

    decision_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RecordPassage:
    """The car of *decision_id* is through."""

    decision_id: str
    plate: str


@dataclass(frozen=True, slots=True)
class RecordUnpaid:
    """A vehicle went through without a decision of its own; *decision_id* is that of whoever opened by hand."""

    cause: UnpaidCause
    car: Car
    decision_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordReversal:
    """A car left without passing; *decision_id* is "" if none admitted it. What is settled stays so.

    If the admitting decision came after the car had gone, the command is said again with its id and an empty car.
    """

    decision_id: str
    car: Car


@dataclass(frozen=True, slots=True)
class RaiseIncident:
    """Put *incident* on record; *car* is whom it is about, where that is not the car at hand."""

    incident: Incident
    decision_id: str = ""
    car: Car | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CallAttendant:
    """A person is needed at this lane; *reason* is a verdict or an incident."""

    reason: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start *timer*, from the beginning if it runs already."""

    timer: LaneTimer


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Forget *timer*."""

    timer: LaneTimer


@dataclass(frozen=True, slots=True)
class HoldOther:
    """Stop the other side of this two-way lane; answer with OtherHeld and the same id when it is."""

    decision_id: str


@dataclass(frozen=True, slots=True)
class ReleaseOther:
    """The other side may go on; a request not yet answered is withdrawn."""


@dataclass(frozen=True, slots=True)
class HoldOpen:
    """Latch the barrier open; not a pulse."""

    name: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Let go of the latch."""

    name: str


Command: TypeAlias = (
    TakePicture
    | Decide
    | OpenBarrier
    | ShowDecision
    | RecordPassage
    | RecordUnpaid
    | RecordReversal
    | RaiseIncident
    | CallAttendant
    | StartTimer
    | StopTimer
    | HoldOther
    | ReleaseOther
    | HoldOpen
    | ReleaseHold
)
