"""Lanes for tests: run events, answer every Decide as the services would, keep what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.lane import (
    Approach,
    Command,
    Decide,
    Decided,
    Event,
    HoldOther,
    OpenBarrier,
    OtherHeld,
    PassageBegan,
    PassageEnded,
    PlateSeen,
    RaiseIncident,
    Read,
    RecordPassage,
    RecordReversal,
    RecordUnpaid,
    State,
    TimerRang,
    VehicleArrived,
    Verdict,
    step,
)
from domain.lane import LaneTimer as Timer


@dataclass
class ALane:
    """A lane whose decisions come at once: by *admits*, or asked about without a plate; and its other side stops."""

    admits: Callable[[str], Verdict] = lambda plate: Verdict.ADMIT
    state: State = field(default_factory=State)
    other_stops: bool = True
    asked: list[Command] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)
    reads: int = 0

    def happen(self, *events: Event) -> None:
        todo = list(events)
        while todo:
            self.state, commands = step(self.state, todo.pop(0))
            self.asked += commands
            answers = [answer for command in commands if (answer := self._answer(command)) is not None]
            todo = [*answers, *todo]

    def _answer(self, command: Command) -> Event | None:
        match command:
            case Decide(turn=turn, car=car):
                plate = car.chosen or next((read.plate for read in reversed(car.reads) if read.plate), "")
                decision_id = f"d{turn}"
                self.decided[decision_id] = plate
                return Decided(turn, decision_id, self.admits(plate) if plate else Verdict.ASK, plate)
            case HoldOther(decision_id=decision_id) if self.other_stops:
                return OtherHeld(decision_id)
        return None

    def sees(self, plate: str) -> None:
        """A camera reads *plate*."""
        self.reads += 1
        self.happen(PlateSeen(Read(f"r{self.reads}", plate)))

    def comes(self, plate: str) -> None:
        """A car drives onto the loop before the barrier, is read, and all cameras have spoken."""
        self.happen(VehicleArrived())
        self.sees(plate)
        self.happen(TimerRang(Timer.WINDOW))

    def goes(self, before: Approach = Approach.FREE) -> None:
        """The car at hand drives through; nothing comes after it for the moment."""
        self.happen(PassageBegan(), PassageEnded(before), TimerRang(Timer.GAP))

    @property
    def phase(self) -> str:
        return type(self.state.phase).__name__

    @property
    def pulses(self) -> list[str]:
        """What each pulse was for: the plate decided on, or the id of an act by hand."""
        ids = [command.decision_id for command in self.asked if isinstance(command, OpenBarrier)]
        return [self.decided.get(one, one) for one in ids]

    @property
    def passages(self) -> list[str]:
        """Plates seen through by a decision."""
        return [command.plate for command in self.asked if isinstance(command, RecordPassage)]

    @property
    def unpaid(self) -> list[tuple[str, str]]:
        """Cause and plate of whoever went without a decision."""
        return [
            (command.cause.value, next((read.plate for read in command.car.reads), ""))
            for command in self.asked
            if isinstance(command, RecordUnpaid)
        ]

    @property
    def reversed(self) -> list[str]:
        """Plates whose decision was taken back, "" where none was taken."""
        turned = [command for command in self.asked if isinstance(command, RecordReversal)]
        return [self.decided.get(command.decision_id, "") for command in turned]

    @property
    def incidents(self) -> list[str]:
        return [command.incident.value for command in self.asked if isinstance(command, RaiseIncident)]
