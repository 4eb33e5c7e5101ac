"""What the inputs of a lane say is wrong: an arm that does not move or does not fall, a loop that stays taken.

Pure: times are seconds on any clock that only runs forward. Each alarm is told once until what it says is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.lane.phases import Incident


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each thing may last, in seconds."""

    arm_moves_s: float
    arm_up_s: float
    loop_taken_s: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """*incident* at *what*: a loop's name, or "" for the arm."""

    incident: Incident
    what: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """*arm_up* is None while no input has said; *taken* maps loops to since when a vehicle is on them.

    *heard* are the loops that have said anything yet.
    """

    arm_up: bool | None = None
    arm_free_since: float = 0.0  # up, with nothing under it and nobody holding it
    asked_at: float | None = None
    under: bool = False
    held: bool = False
    taken: Mapping[str, float] = field(default_factory=dict)
    told: frozenset[Alarm] = frozenset()
    heard: frozenset[str] = frozenset()

    def asked(self, now: float) -> Watched:
        """The barrier was told to open."""
        return replace(self, asked_at=now) if self.arm_up is False else self

    def arm(self, now: float, *, up: bool) -> Watched:
        """The arm's own input changed."""
        return replace(self, arm_up=up, arm_free_since=now, asked_at=None if up else self.asked_at)

    def loop(self, name: str, now: float, *, occupied: bool, under: bool) -> Watched:
        """A loop changed; *under* is it the one under the arm?"""
        taken = {other: since for other, since in self.taken.items() if other != name}
        if occupied:
            taken[name] = now
        changed = replace(self, taken=taken, heard=self.heard | {name})
        return replace(changed, under=occupied, arm_free_since=now) if under else changed

    def hold(self, now: float, *, held: bool) -> Watched:
        """The barrier is held open, or let go."""
        return self if held == self.held else replace(self, held=held, arm_free_since=now, asked_at=None)


def look(state: Watched, limits: Limits, now: float) -> tuple[Watched, tuple[Alarm, ...]]:
    """What has become an alarm by *now*, and the state that has told it."""
    wrong = frozenset(_wrong(state, limits, now))
    news = sorted(wrong - state.told, key=lambda alarm: (alarm.incident.value, alarm.what))
    return replace(state, told=wrong), tuple(news)


def _wrong(state: Watched, limits: Limits, now: float) -> list[Alarm]:
    found = [
        Alarm(Incident.LOOP_STUCK, name)
        for name, since in state.taken.items()
        if now - since >= limits.loop_taken_s and not state.held
    ]
    if state.asked_at is not None and not state.arm_up and now - state.asked_at >= limits.arm_moves_s:
        found.append(Alarm(Incident.ARM_UNMOVED))
    free = state.arm_up and not state.under and not state.held
    if free and now - state.arm_free_since >= limits.arm_up_s:
        found.append(Alarm(Incident.ARM_HELD_UP))
    return found


def arm_drawn(state: Watched, *, senses: bool, opened: bool, wrong: bool) -> str:
    """The arm as a screen draws it: fault, held, open, opening or closed.

    Where no input *senses* it, only what it was told is known: ``told`` after the pulse of the car that is *opened*
    to, else ``untold``.
    """
    if wrong:
        return "fault"
    if state.held:
        return "held"
    if not senses or state.arm_up is None:
        return "told" if opened else "untold"
    if state.arm_up:
        return "open"
    return "opening" if state.asked_at is not None else "closed"


def loop_drawn(state: Watched, name: str, *, wrong: bool) -> str:
    """A loop as a screen draws it: taken, free, ``unknown`` while nothing vouches for it, "" where there is none."""
    if not name:
        return ""
    if wrong or name not in state.heard:
        return "unknown"
    return "taken" if name in state.taken else "free"
