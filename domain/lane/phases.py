"""What a lane knows of itself: the car at hand, the phase it is in, what it must not forget."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Read:
    """One plate read. *plate* in normal form, "" when unread; *read_id* is the same for every copy of it."""

    read_id: str
    plate: str
    trusted: bool = True
    live: bool = True


@dataclass(frozen=True, slots=True)
class Car:
    """The vehicle at the lane. *on_loop*: a ground loop holds it, so only that loop says it went.

    *behind*: it came while the barrier was still up for another. *chosen*: the plate an attendant gave it. *early*: its
    plate was seen while another car stood there, so a fresh read takes its place. *nameless*: opened for by hand before
    a camera had its say, so the first plate seen is its own.
    """

    reads: tuple[Read, ...] = ()
    on_loop: bool = False
    behind: bool = False
    chosen: str = ""
    early: bool = False
    nameless: bool = False


class Verdict(StrEnum):
    """What a decision says to the driver."""

    ADMIT = "admit"
    PAY_FIRST = "pay_first"
    ASK = "ask"
    REFUSE = "refuse"


class LaneTimer(StrEnum):
    """The clocks a lane starts; how long each runs is the lot's setting."""

    WINDOW = "window"  # reads of one car; the worker may ring early, when every camera has spoken
    WAITING = "waiting"  # nobody paid or answered
    PASSAGE = "passage"  # the barrier was told to open, or a car is under it
    GAP = "gap"  # the loop under the barrier came free: a trailer may follow, or the car went back
    CLOSING = "closing"  # the barrier may still be up behind a car
    MEMORY = "memory"  # a plate seen before its car's turn, and that of a car just gone, still count


class Incident(StrEnum):
    """What a person should look at."""

    TAILGATE = "tailgate"
    FORCED = "forced"
    BARRIER_FAULT = "barrier_fault"
    BARRIER_UNKNOWN = "barrier_unknown"
    NO_PASSAGE = "no_passage"
    UNDER_BARRIER = "under_barrier"
    REVERSED = "reversed_after_opening"
    LONG_WAIT = "long_wait"
    REPEATED_DECISION = "repeated_decision"
    ARM_UNMOVED = "arm_unmoved"
    ARM_HELD_UP = "arm_held_up"
    LOOP_STUCK = "loop_stuck"
    UNSEEN = "unseen_vehicle"
    BELL = "bell"


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody here."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A car came; reads of it are collected."""

    car: Car


@dataclass(frozen=True, slots=True)
class Deciding:
    """A decision was asked for; only the answer with this *turn* counts."""

    car: Car
    turn: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The car may not go yet: it owes, is asked about, or is refused."""

    car: Car
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Holding:
    """Admitted; the other side of a two-way lane must stop first."""

    car: Car
    decision_id: str
    plate: str


@dataclass(frozen=True, slots=True)
class Passing:
    """The barrier was told to open once; the car is expected to go. *following* is the car behind it."""

    car: Car
    decision_id: str
    plate: str
    following: Car | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """The car is under the barrier."""

    car: Car
    decision_id: str
    plate: str
    following: Car | None = None


@dataclass(frozen=True, slots=True)
class Clearing:
    """The loop under the barrier came free; a moment more says whether that was all of the car.

    *stayed*: a vehicle stood on the loop before it all the while. Then the car went back, or edges to and fro, or
    something slipped by beside it, or the next car is so close that the loop never came free between them.
    """

    car: Car
    decision_id: str
    plate: str
    following: Car | None = None
    stayed: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """The car has gone, the barrier may still be up."""

    car: Car


@dataclass(frozen=True, slots=True)
class Stuck:
    """Told to open, and it did not end well; an attendant resolves it, no pulse is repeated by itself."""

    car: Car
    decision_id: str
    plate: str
    incident: Incident
    following: Car | None = None


Phase: TypeAlias = Idle | Reading | Deciding | Waiting | Holding | Passing | Crossing | Clearing | Closing | Stuck


class State(NamedTuple):
    """All a lane remembers. *two_way*: opening waits until the other side is held.

    *hold* names the latched hold-open, "" when there is none. *pulsed* are the last decisions that had their pulse,
    *seen* the last reads, so that copies change nothing. *abandoned* is the turn whose car went before its answer came.
    *early* are reads of a plate that is not that of the car at hand; *gone* the plates of the last car that passed.
    """

    phase: Phase = Idle()
    two_way: bool = False
    hold: str = ""
    turn: int = 0
    abandoned: int = 0
    pulsed: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    early: tuple[Read, ...] = ()
    gone: tuple[str, ...] = ()
