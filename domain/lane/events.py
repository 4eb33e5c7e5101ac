"""What happens to a lane. The worker translates devices and people into these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from domain.lane.phases import LaneTimer, Read, Verdict


@dataclass(frozen=True, slots=True)
class VehicleArrived:
    """A vehicle is at the barrier: by its loop, or by a camera's own detection."""

    by_loop: bool = True


@dataclass(frozen=True, slots=True)
class PlateSeen:
    """A camera or recogniser read something."""

    read: Read


@dataclass(frozen=True, slots=True)
class TimerRang:
    """A timer started by the lane has run out."""

    timer: LaneTimer


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer to Decide *turn*, committed before it is told here."""

    turn: int
    decision_id: str
    verdict: Verdict
    plate: str


@dataclass(frozen=True, slots=True)
class DueChanged:
    """A payment, a coupon or a waiver changed what the waiting car owes."""


@dataclass(frozen=True, slots=True)
class AttendantChose:
    """An attendant said which plate this is."""

    plate: str


@dataclass(frozen=True, slots=True)
class ManualOpen:
    """An attendant opens by hand, with reason and name already committed under *decision_id* (E30)."""

    decision_id: str
    plate: str = ""


@dataclass(frozen=True, slots=True)
class BarrierFailed:
    """The pulse of *decision_id* was refused, or (*unknown*) nobody can say whether it reached the barrier."""

    decision_id: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """An attendant dealt with a stuck lane."""


@dataclass(frozen=True, slots=True)
class PassageBegan:
    """The loop under the barrier is taken."""


class Approach(StrEnum):
    """What was on the loop before the barrier when the one under it came free."""

    ASSUMED = "assumed"  # no loop under the barrier: the passage is taken for granted, or another sensor saw it
    BLIND = "blind"  # no loop before the barrier
    FREE = "free"
    NEXT = "next"  # a vehicle came onto it since the passage began
    STAYED = "stayed"  # a vehicle has been on it since before the passage began


@dataclass(frozen=True, slots=True)
class PassageEnded:
    """A vehicle went through: the loop under the barrier came free, with *before* on the one before it."""

    before: Approach = Approach.ASSUMED


@dataclass(frozen=True, slots=True)
class VehicleReversed:
    """The vehicle went back the way it came: the lane's loops are free and no passage followed."""


@dataclass(frozen=True, slots=True)
class SecondVehicle:
    """A sensor saw another vehicle close behind one that was passing."""


@dataclass(frozen=True, slots=True)
class HoldOpenSet:
    """An authorised person latched the barrier open under *name* (fire, convoy, full)."""

    name: str


@dataclass(frozen=True, slots=True)
class HoldOpenReleased:
    """An authorised person ended the hold."""


@dataclass(frozen=True, slots=True)
class OtherHeld:
    """The other side of the two-way lane is stopped for *decision_id*, until ReleaseOther."""

    decision_id: str


Event: TypeAlias = (
    VehicleArrived
    | PlateSeen
    | TimerRang
    | Decided
    | DueChanged
    | AttendantChose
    | ManualOpen
    | BarrierFailed
    | FaultCleared
    | PassageBegan
    | PassageEnded
    | VehicleReversed
    | SecondVehicle
    | HoldOpenSet
    | HoldOpenReleased
    | OtherHeld
)
