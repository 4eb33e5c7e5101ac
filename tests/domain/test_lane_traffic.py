"""Random traffic that a street allows: whatever cars do, each has one decision that opens, one pulse, one passage."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.lane import (
    Approach,
    DueChanged,
    ManualOpen,
    PassageBegan,
    PassageEnded,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
    Verdict,
)
from domain.lane import LaneTimer as Timer
from domain.lookalike import is_near
from tests.domain.lanes import ALane

PLATES = ("京A12345", "川Z99999", "粤B54321", "沪C77788", "苏D66066", "浙E88B01")


@dataclass(frozen=True)
class Doing:
    """What one car does. *read*: before its turn, when it stands there, again after it went, or never."""

    read: str
    owes: bool
    by_hand: bool
    way: str
    close: bool  # the next one is on the loop before it is through


CARS = st.lists(
    st.builds(
        Doing,
        read=st.sampled_from(["early", "there", "there again", "late too", "never"]),
        owes=st.booleans(),
        by_hand=st.booleans(),
        way=st.sampled_from(["through", "trailer", "edges", "noses back", "back", "beside"]),
        close=st.booleans(),
    ),
    min_size=1,
    max_size=len(PLATES),
)


class Road:
    """A lane with both loops, and the cars that queue before it."""

    def __init__(self, cars: list[Doing]) -> None:
        self.cars = cars
        self.owing = {plate for plate, car in zip(PLATES, cars, strict=False) if car.owes}
        self.lane = ALane(lambda plate: Verdict.PAY_FIRST if plate in self.owing else Verdict.ADMIT)
        self.on_loop = False  # the next car is there already

    def ring(self, timer: Timer, phase: str) -> None:
        if self.lane.phase == phase:
            self.lane.happen(TimerRang(timer))

    def drive(self) -> None:
        for number, car in enumerate(self.cars):
            self.turn(number, car)

    def turn(self, number: int, car: Doing) -> None:
        lane, plate = self.lane, PLATES[number]
        if not self.on_loop:
            self.ring(Timer.CLOSING, "Closing")
            lane.happen(VehicleArrived())
        self.on_loop = False
        if car.read in ("there", "there again", "late too"):
            lane.sees(plate)
        self.ring(Timer.WINDOW, "Reading")
        if car.read == "there again":
            lane.sees(plate)
        following = self.cars[number + 1] if number + 1 < len(self.cars) else None
        if following is not None and following.read == "early":
            lane.sees(PLATES[number + 1])
        if car.way == "back" and lane.phase == "Waiting":
            lane.happen(VehicleReversed())
            return
        self.opens(number, car)
        self.goes(number, car, follows=following is not None)
        if car.read == "late too":
            lane.sees(plate)

    def opens(self, number: int, car: Doing) -> None:
        """Whoever may not go pays, or is let through by hand; then its own pulse has been given."""
        lane, plate = self.lane, PLATES[number]
        if lane.phase == "Waiting" and not car.by_hand and plate in lane.decided.values():
            self.owing.discard(plate)
            lane.happen(DueChanged())
        if lane.phase == "Waiting":
            lane.happen(ManualOpen(f"m{number}", plate))
        assert lane.phase == "Passing"
        assert lane.pulses[-1] in (plate, f"m{number}")

    def goes(self, number: int, car: Doing, *, follows: bool) -> None:
        lane, plate = self.lane, PLATES[number]
        if car.way == "back":
            lane.happen(VehicleReversed())
            return
        lane.happen(PassageBegan())
        if car.way in ("edges", "noses back", "beside"):
            lane.happen(PassageEnded(Approach.STAYED))
            if car.way == "noses back":
                lane.happen(VehicleReversed())
                return
            if car.way == "beside":
                lane.sees(plate)
            lane.happen(PassageBegan())
        if car.way == "trailer":
            lane.happen(VehicleArrived(), PassageEnded(Approach.NEXT), PassageBegan())
        if car.close and follows and car.way != "trailer":
            self.on_loop = True
            lane.happen(VehicleArrived(), PassageEnded(Approach.NEXT))
        else:
            lane.happen(PassageEnded(Approach.FREE))
        self.ring(Timer.GAP, "Clearing")


def test_no_plate_here_may_be_a_misread_of_another() -> None:
    assert not any(is_near(one, other) for one, other in combinations(PLATES, 2))


@settings(max_examples=400, deadline=None)
@given(CARS)
def test_each_car_has_one_decision_one_pulse_and_one_passage(cars: list[Doing]) -> None:
    road = Road(cars)
    road.drive()
    lane = road.lane

    went = [plate for plate, car in zip(PLATES, cars, strict=False) if car.way not in ("back", "noses back")]
    assert sorted(lane.passages) == sorted(went)
    assert len(lane.pulses) == len(set(lane.pulses))
    assert lane.unpaid == []
    assert not {plate for plate in lane.reversed if plate} & set(went)
