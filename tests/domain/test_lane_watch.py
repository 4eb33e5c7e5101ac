from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.lane.phases import Incident
from domain.lane.watch import Alarm, Limits, Watched, arm_drawn, look, loop_drawn

LIMITS = Limits(arm_moves_s=8, arm_up_s=90, loop_taken_s=900)
DOWN = Watched().arm(0, up=False)
UNMOVED, HELD_UP = Alarm(Incident.ARM_UNMOVED), Alarm(Incident.ARM_HELD_UP)
STUCK = Alarm(Incident.LOOP_STUCK, "before")


@pytest.mark.parametrize(
    ("made", "now", "alarms"),
    [
        (lambda: DOWN.asked(10), 17, ()),
        (lambda: DOWN.asked(10), 18, (UNMOVED,)),
        (lambda: DOWN.asked(10).arm(12, up=True), 30, ()),
        (lambda: Watched().asked(10), 500, ()),  # no input says how the arm stands
        (lambda: DOWN.arm(5, up=True).asked(10), 50, ()),  # it was up already
        (lambda: DOWN.arm(10, up=True), 99, ()),
        (lambda: DOWN.arm(10, up=True), 100, (HELD_UP,)),
        (lambda: DOWN.arm(10, up=True).loop("under", 50, occupied=True, under=True), 400, ()),
        (
            lambda: (
                DOWN.arm(10, up=True)
                .loop("under", 50, occupied=True, under=True)
                .loop("under", 60, occupied=False, under=True)
            ),
            150,
            (HELD_UP,),
        ),
        (lambda: DOWN.arm(10, up=True).hold(20, held=True), 9000, ()),
        (lambda: DOWN.arm(10, up=True).hold(20, held=True).hold(100, held=False), 189, ()),
        (lambda: DOWN.asked(10).hold(11, held=True), 60, ()),
        (lambda: Watched().loop("before", 0, occupied=True, under=False), 899, ()),
        (lambda: Watched().loop("before", 0, occupied=True, under=False), 900, (STUCK,)),
        (
            lambda: (
                Watched().loop("before", 0, occupied=True, under=False).loop("before", 5, occupied=False, under=False)
            ),
            9000,
            (),
        ),
    ],
)
def test_an_alarm_is_raised_when_its_time_has_come(
    made: Callable[[], Watched], now: float, alarms: tuple[Alarm, ...]
) -> None:
    assert look(made(), LIMITS, now)[1] == alarms


def test_each_alarm_is_told_once_until_it_is_over() -> None:
    state, first = look(DOWN.asked(0), LIMITS, 10)
    state, again = look(state, LIMITS, 20)
    state = state.arm(21, up=True).arm(30, up=False)
    state, over = look(state, LIMITS, 31)
    _, anew = look(state.asked(40), LIMITS, 50)

    assert (first, again, over, anew) == ((UNMOVED,), (), (), (UNMOVED,))


@pytest.mark.parametrize(
    ("state", "senses", "opened", "wrong", "drawn"),
    [
        (Watched(), False, False, False, "untold"),
        (Watched(), False, True, False, "told"),
        (Watched(), True, False, False, "untold"),  # its input has not spoken yet
        (Watched(arm_up=False), True, True, False, "closed"),
        (Watched(arm_up=False).asked(1.0), True, True, False, "opening"),
        (Watched(arm_up=True), True, False, False, "open"),
        (Watched(arm_up=True, held=True), True, False, False, "held"),
        (Watched(arm_up=True, held=True), True, False, True, "fault"),
    ],
)
def test_the_arm_is_drawn_as_its_input_says_and_else_as_what_it_was_told(
    state: Watched, senses: bool, opened: bool, wrong: bool, drawn: str
) -> None:
    assert arm_drawn(state, senses=senses, opened=opened, wrong=wrong) == drawn


def test_a_loop_is_drawn_only_as_far_as_something_vouches_for_it() -> None:
    on = Watched().loop("a", 1.0, occupied=True, under=False)
    off = on.loop("a", 2.0, occupied=False, under=False)
    cases = ((Watched(), False), (on, False), (off, False), (on, True))

    drawn = [loop_drawn(state, "a", wrong=lost) for state, lost in cases]

    assert drawn == ["unknown", "taken", "free", "unknown"]
    assert loop_drawn(on, "", wrong=False) == ""
