"""Every shape of traffic at a lane, as lists of events: one car, one decision, never two pulses (E24, E25, I22)."""

from __future__ import annotations

import pytest

from domain.lane import (
    Approach,
    Car,
    DueChanged,
    FaultCleared,
    ManualOpen,
    OtherHeld,
    PassageBegan,
    PassageEnded,
    Reading,
    ReleaseOther,
    SecondVehicle,
    State,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
    Verdict,
)
from domain.lane import LaneTimer as Timer
from tests.domain.lanes import ALane

A, B, C = "京A12345", "川Z99999", "粤B54321"
GAP, WINDOW, CLOSING, MEMORY = (
    TimerRang(timer) for timer in (Timer.GAP, Timer.WINDOW, Timer.CLOSING, Timer.MEMORY)
)  # fmt: skip


@pytest.fixture
def lane() -> ALane:
    return ALane()


def pays(*owing: str) -> ALane:
    """An exit where these plates have to pay."""
    return ALane(lambda plate: Verdict.PAY_FIRST if plate in owing else Verdict.ADMIT)


# a queue


def test_three_cars_close_behind_each_other_each_have_a_decision_and_a_pulse(lane: ALane) -> None:
    lane.comes(A)
    for following in (B, C):
        lane.happen(PassageBegan(), VehicleArrived())
        lane.sees(following)
        lane.happen(PassageEnded(Approach.NEXT), WINDOW)
    lane.goes()

    assert (lane.pulses, lane.passages, lane.unpaid, lane.incidents) == ([A, B, C], [A, B, C], [], [])


def test_cars_so_close_that_the_loop_never_comes_free_are_told_apart_by_their_plates(lane: ALane) -> None:
    lane.comes(A)
    for following in (B, C):
        lane.happen(PassageBegan(), PassageEnded(Approach.STAYED))
        lane.sees(following)
        lane.happen(WINDOW)
    lane.goes()

    assert (lane.pulses, lane.passages, lane.incidents) == ([A, B, C], [A, B, C], [])


def test_a_car_close_behind_that_nobody_could_read_is_asked_about(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), PassageEnded(Approach.STAYED), GAP, WINDOW)

    assert lane.passages == [A]
    assert (lane.phase, lane.pulses) == ("Waiting", [A])


def test_a_car_bumper_to_bumper_under_the_open_arm_is_a_tailgater_with_its_plate(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), VehicleArrived())
    lane.sees(B)
    lane.happen(PassageEnded(Approach.FREE))

    assert (lane.passages, lane.unpaid, lane.incidents) == ([A], [("tailgate", B)], ["tailgate"])
    assert lane.pulses == [A]


def test_a_car_that_is_on_the_loop_already_when_the_one_before_has_gone_is_the_next(lane: ALane) -> None:
    lane.comes(A)
    lane.goes()
    lane.comes(B)  # admitted and gone, and the next one is on the loop already
    lane.happen(PassageBegan(), PassageEnded(Approach.NEXT), GAP)
    lane.sees(C)
    lane.happen(WINDOW)

    assert lane.pulses == [A, B, C]


# a trailer


def test_a_car_with_a_trailer_is_one_passage_and_no_tailgater(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), VehicleArrived())  # the trailer comes onto the loop before the arm
    lane.happen(PassageEnded(Approach.NEXT), PassageBegan(), PassageEnded(Approach.FREE), GAP)

    assert (lane.pulses, lane.passages, lane.unpaid, lane.incidents) == ([A], [A], [], [])
    assert lane.phase == "Closing"


def test_a_loop_taken_for_long_by_one_vehicle_is_one_passage(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), VehicleArrived(), TimerRang(Timer.PASSAGE), PassageEnded(Approach.FREE), GAP)

    assert (lane.passages, lane.unpaid, lane.incidents) == ([A], [], ["under_barrier"])


@pytest.mark.parametrize("place", ["crossing", "clearing", "closing", "idle"])
def test_the_plate_of_a_trailer_is_never_a_second_car(lane: ALane, place: str) -> None:
    lane.comes(A)
    lane.happen(PassageBegan())
    if place != "crossing":
        lane.happen(PassageEnded(Approach.FREE))
    if place in ("closing", "idle"):
        lane.happen(GAP)
    if place == "idle":
        lane.happen(CLOSING)
    before = lane.state.phase

    lane.sees("粤B1234挂")

    assert lane.state.phase == before
    assert lane.pulses == [A]


@pytest.mark.parametrize("rang", [(), (GAP,), (GAP, CLOSING)])
def test_its_own_plate_read_from_behind_is_never_a_second_car(lane: ALane, rang: tuple[TimerRang, ...]) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), PassageEnded(Approach.FREE), *rang)
    before = lane.state.phase

    lane.sees(A)

    assert (lane.state.phase, lane.pulses) == (before, [A])


def test_after_a_while_the_same_plate_is_an_arrival_again(lane: ALane) -> None:
    lane.comes(A)
    lane.goes()
    lane.happen(CLOSING, MEMORY)

    lane.sees(A)

    assert lane.phase == "Reading"


# going back


def test_a_car_that_backs_off_the_loop_is_taken_back(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(VehicleReversed())

    assert (lane.reversed, lane.passages, lane.incidents) == ([A], [], ["reversed_after_opening"])


def test_a_car_that_put_its_nose_under_the_arm_and_backs_off_is_taken_back(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), PassageEnded(Approach.STAYED), VehicleReversed(), GAP)

    assert (lane.reversed, lane.passages) == ([A], [])
    assert lane.incidents == ["reversed_after_opening"]


def test_a_car_that_edges_to_and_fro_passes_once_by_its_one_decision(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), PassageEnded(Approach.STAYED), PassageBegan())
    lane.happen(PassageEnded(Approach.FREE), GAP)

    assert (lane.pulses, lane.passages, lane.reversed, lane.unpaid) == ([A], [A], [], [])


def test_a_car_that_rolls_off_its_loop_and_on_again_is_not_its_own_follower(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(VehicleArrived(), PassageBegan(), PassageEnded(Approach.FREE), GAP)

    assert (lane.passages, lane.unpaid, lane.phase) == ([A], [], "Closing")


def test_who_went_back_with_a_car_behind_it_on_the_loop_leaves_no_ghost(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(VehicleArrived(), VehicleReversed(), CLOSING)

    assert (lane.reversed, lane.phase) == ([A], "Idle")


# a motorbike


def test_a_motorbike_between_two_cars_is_an_incident_and_costs_neither_its_turn(lane: ALane) -> None:
    lane.comes(A)
    lane.goes()
    lane.comes(B)  # its barrier is open; the motorbike slips by beside it
    lane.happen(PassageBegan(), PassageEnded(Approach.STAYED))
    lane.sees(B)  # it stands there still

    assert (lane.passages, lane.incidents) == ([A], ["unseen_vehicle"])

    lane.goes()

    assert (lane.pulses, lane.passages, lane.unpaid) == ([A, B], [A, B], [])


def test_a_motorbike_beside_a_car_that_owes_is_not_that_car_leaving() -> None:
    lane = pays(A)
    lane.comes(A)

    lane.happen(PassageBegan(), PassageEnded(Approach.STAYED))

    assert (lane.phase, lane.unpaid, lane.incidents) == ("Waiting", [("forced", "")], ["unseen_vehicle"])


def test_a_motorbike_behind_a_car_is_a_tailgater_without_a_plate(lane: ALane) -> None:
    lane.comes(A)
    lane.goes()
    lane.happen(PassageBegan(), PassageEnded(Approach.FREE))

    assert (lane.unpaid, lane.incidents, lane.pulses) == ([("tailgate", "")], ["tailgate"], [A])


def test_a_blip_of_the_loop_before_the_arm_is_no_car(lane: ALane) -> None:
    lane.happen(VehicleArrived(), VehicleReversed())

    assert (lane.phase, lane.pulses, lane.passages) == ("Idle", [], [])


# the next car's plate is seen early


def test_a_car_that_owes_is_not_let_out_by_the_plate_behind_it() -> None:
    lane = pays(A)
    lane.comes(A)

    lane.sees(B)

    assert (lane.phase, lane.pulses) == ("Waiting", [])


def test_paying_decides_on_the_car_that_paid_and_not_on_the_one_behind() -> None:
    owing = [A]
    lane = ALane(lambda plate: Verdict.PAY_FIRST if plate in owing else Verdict.ADMIT)
    lane.comes(A)
    lane.sees(B)

    owing.clear()
    lane.happen(DueChanged())

    assert lane.pulses == [A]


@pytest.mark.parametrize("when", ["waiting", "passing", "crossing"])
def test_a_plate_seen_early_is_decided_on_when_its_turn_comes_without_a_second_read(when: str) -> None:
    lane = pays(A) if when == "waiting" else ALane()
    lane.comes(A)
    if when == "waiting":
        lane.sees(B)
        lane.happen(ManualOpen("m1", A))
    elif when == "passing":
        lane.sees(B)
    lane.happen(PassageBegan())
    if when == "crossing":
        lane.sees(B)
    lane.happen(PassageEnded(Approach.FREE), GAP)
    assert B not in lane.pulses or when == "crossing"

    lane.happen(VehicleArrived(), WINDOW)

    assert lane.pulses == ["m1" if when == "waiting" else A, B]
    lane.goes()
    assert lane.passages == [A, B]


def test_a_plate_seen_early_is_that_of_the_unread_car_on_the_loop_when_the_one_before_has_gone(lane: ALane) -> None:
    lane.comes(A)
    lane.sees(B)
    lane.happen(PassageBegan(), VehicleArrived(), PassageEnded(Approach.NEXT), GAP, WINDOW)

    assert lane.pulses == [A, B]


def test_a_fresh_read_takes_the_place_of_a_plate_seen_early(lane: ALane) -> None:
    lane.comes(A)
    lane.sees(B)
    lane.goes()

    lane.comes(C)  # the car behind had turned off

    assert lane.pulses == [A, C]


def test_a_plate_seen_early_is_forgotten_after_a_while(lane: ALane) -> None:
    lane.comes(A)
    lane.sees(B)
    lane.goes()
    lane.happen(CLOSING, MEMORY)

    lane.happen(VehicleArrived(), WINDOW)

    assert lane.pulses == [A]
    assert lane.phase == "Waiting"


def test_a_late_read_of_the_car_that_went_is_not_given_to_the_next(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), VehicleArrived(), PassageEnded(Approach.NEXT), GAP)

    lane.sees(A)
    assert lane.state.phase == Reading(Car(on_loop=True, behind=True))
    lane.sees(B)
    lane.happen(WINDOW)

    assert lane.pulses == [A, B]


# cameras


def test_two_cameras_that_agree_are_one_decision(lane: ALane) -> None:
    lane.happen(VehicleArrived())
    lane.sees(A)
    lane.sees(A)
    lane.happen(WINDOW)

    assert lane.pulses == [A]


def test_an_auxiliary_camera_that_reads_another_plate_or_late_opens_nothing_more(lane: ALane) -> None:
    lane.happen(VehicleArrived())
    lane.sees("京A1234S")
    lane.sees(A)
    lane.happen(WINDOW)
    lane.sees("京A12346")
    lane.goes()
    lane.sees("京A12346")

    assert (lane.pulses, lane.phase) == ([A], "Closing")


def test_a_lane_whose_cameras_are_all_dead_asks_for_a_person(lane: ALane) -> None:
    lane.happen(VehicleArrived(), WINDOW)

    assert (lane.phase, lane.pulses) == ("Waiting", [])


# opening by hand


def phase_of(lane: ALane, name: str) -> None:
    """Bring *lane* into a phase with car A."""
    match name:
        case "Idle":
            return
        case "Reading":
            lane.happen(VehicleArrived())
        case "Waiting":
            lane.admits = lambda plate: Verdict.PAY_FIRST
            lane.comes(A)
        case _:
            lane.comes(A)
    if name in ("Crossing", "Clearing", "Closing"):
        lane.happen(PassageBegan())
    if name in ("Clearing", "Closing"):
        lane.happen(PassageEnded(Approach.STAYED if name == "Clearing" else Approach.FREE))
    if name == "Closing":
        lane.happen(GAP)
    if name == "Stuck":
        lane.happen(TimerRang(Timer.PASSAGE))
    assert lane.phase == name


@pytest.mark.parametrize("phase", ["Idle", "Reading", "Waiting", "Passing", "Crossing", "Clearing", "Closing", "Stuck"])
def test_opening_by_hand_is_one_pulse_of_its_own_and_one_passage_in_every_phase(lane: ALane, phase: str) -> None:
    phase_of(lane, phase)
    pulsed, passed = list(lane.pulses), list(lane.passages)

    lane.happen(ManualOpen("m1", B if phase in ("Idle", "Closing") else A), ManualOpen("m1"))
    lane.goes()

    assert lane.pulses == [*pulsed, "m1"]
    assert lane.passages == [*passed, B if phase in ("Idle", "Closing") else A]
    assert (lane.unpaid, lane.reversed) == ([], [])


@pytest.mark.parametrize("phase", ["Idle", "Reading"])
def test_who_is_let_through_by_hand_before_being_read_goes_by_the_first_plate_seen(lane: ALane, phase: str) -> None:
    phase_of(lane, phase)
    lane.happen(ManualOpen("m1"))
    lane.sees(B)
    lane.goes()

    assert (lane.pulses, lane.unpaid, lane.passages) == (["m1"], [("manual", B)], [])


def test_who_is_let_through_by_hand_because_no_camera_could_read_it_is_not_given_the_plate_behind(
    lane: ALane,
) -> None:
    lane.happen(VehicleArrived(), WINDOW, ManualOpen("m1"))
    lane.sees(B)
    lane.goes()
    lane.happen(VehicleArrived(), WINDOW)

    assert (lane.passages, lane.unpaid) == ([""], [])
    assert lane.pulses == ["m1", B]


def test_nobody_who_was_let_through_by_hand_is_pulsed_for_when_the_decision_comes_after_all(lane: ALane) -> None:
    lane.admits = lambda plate: Verdict.PAY_FIRST
    lane.comes(A)
    lane.happen(ManualOpen("m1", A))
    lane.admits = lambda plate: Verdict.ADMIT
    lane.happen(DueChanged())

    assert lane.pulses == ["m1"]


# two-way


def test_a_car_at_each_side_of_one_arm_passes_in_turn() -> None:
    here, there = (ALane(state=State(two_way=True), other_stops=False) for _ in range(2))
    here.comes(A)
    there.comes(B)
    assert (here.phase, there.phase) == ("Holding", "Holding")

    here.happen(OtherHeld("d1"))
    there.happen(TimerRang(Timer.WAITING))
    assert (here.pulses, there.pulses, there.incidents) == ([A], [], ["long_wait"])
    here.goes()
    assert ReleaseOther() in here.asked

    there.happen(OtherHeld("d1"))
    there.goes()

    assert (there.pulses, there.passages, here.pulses, here.passages) == ([B], [B], [A], [A])


def test_clearing_after_a_person_looked_leaves_the_lane_free(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(TimerRang(Timer.PASSAGE), FaultCleared())

    assert (lane.phase, lane.reversed, lane.incidents) == ("Idle", [A], ["no_passage"])


def test_a_sensor_that_sees_two_cars_while_the_arm_clears_makes_a_tailgater(lane: ALane) -> None:
    lane.comes(A)
    lane.happen(PassageBegan(), PassageEnded(Approach.FREE), SecondVehicle(), GAP)

    assert (lane.unpaid, lane.passages) == ([("tailgate", "")], [A])
