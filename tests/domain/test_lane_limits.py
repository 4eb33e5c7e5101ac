"""No lane waits for ever: in every state that can be reached a timer runs, a person is called, or nobody is there."""

from __future__ import annotations

from collections import deque
from functools import cache

import pytest

from domain.lane import (
    CallAttendant,
    Command,
    Deciding,
    Idle,
    LaneTimer,
    ShowDecision,
    StartTimer,
    State,
    StopTimer,
    TimerRang,
    step,
)
from domain.lane.moves import TIMERS
from scripts.lane_diagram import labelled_events, shape

pytestmark = pytest.mark.xdist_group("walked lanes")  # the walk is made once, by whichever worker gets them
Running = frozenset[LaneTimer]


def after(running: Running, commands: tuple[Command, ...]) -> Running:
    """Which timers run once *commands* are carried out."""
    for command in commands:
        match command:
            case StopTimer(timer=timer):
                running -= {timer}
            case StartTimer(timer=timer):
                running |= {timer}
    return running


@cache
def walked() -> tuple[tuple[State, Running, bool], ...]:
    """Every state a lane can come to, which timers run there, and whether a person was called since it was entered."""
    todo: deque[tuple[State, Running, bool]] = deque([(State(two_way=True), frozenset(), False)])  # it has every phase
    known: dict[object, tuple[State, Running, bool]] = {}
    serial = 0
    while todo:
        state, running, called = todo.popleft()
        if (key := (shape(state), running, called)) in known:
            continue
        known[key] = (state, running, called)
        for _, event in labelled_events(state, serial := serial + 1):
            if isinstance(event, TimerRang) and event.timer not in running:
                continue  # a timer that does not run never rings
            rang = frozenset({event.timer} if isinstance(event, TimerRang) else ())
            next_state, commands = step(state, event)
            calls = any(isinstance(command, CallAttendant) for command in commands)
            moved = type(next_state.phase) is not type(state.phase)
            todo.append((next_state, after(running - rang, commands), calls or (called and not moved)))
    return tuple(known.values())


def test_every_state_has_a_timer_running_or_a_person_called() -> None:
    seen = set()
    for state, running, called in walked():
        seen.add(type(state.phase))
        if isinstance(state.phase, Idle | Deciding):  # nobody is there; the worker answers in the same turn
            continue
        assert TIMERS[type(state.phase)] in running or called, (state, running)

    assert seen == {Idle, Deciding, *TIMERS}


def test_what_is_remembered_is_forgotten_by_a_timer() -> None:
    for state, running, _ in walked():
        if isinstance(state.phase, Idle) and (state.early or state.gone):
            assert LaneTimer.MEMORY in running, state


def test_a_timer_that_leads_nowhere_by_itself_calls_a_person() -> None:
    for state, running, _ in walked():
        timer = TIMERS.get(type(state.phase))
        if timer in running and timer is not None:
            after_it, commands = step(state, TimerRang(timer))
            told = [command for command in commands if isinstance(command, CallAttendant | ShowDecision)]
            assert type(after_it.phase) is not type(state.phase) or told, state
