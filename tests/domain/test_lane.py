"""The lane, path by path, and a random walk that looks for a second pulse (I22)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.lane import (
    Approach,
    AttendantChose,
    BarrierFailed,
    CallAttendant,
    Car,
    Clearing,
    Closing,
    Command,
    Crossing,
    Decide,
    Decided,
    Deciding,
    DueChanged,
    Event,
    FaultCleared,
    Holding,
    HoldOpen,
    HoldOpenReleased,
    HoldOpenSet,
    HoldOther,
    Idle,
    Incident,
    LaneTimer,
    ManualOpen,
    OpenBarrier,
    OtherHeld,
    PassageBegan,
    PassageEnded,
    Passing,
    PlateSeen,
    RaiseIncident,
    Read,
    Reading,
    RecordPassage,
    RecordReversal,
    RecordUnpaid,
    ReleaseHold,
    ReleaseOther,
    SecondVehicle,
    ShowDecision,
    StartTimer,
    State,
    StopTimer,
    Stuck,
    TakePicture,
    TimerRang,
    VehicleArrived,
    VehicleReversed,
    Verdict,
    Waiting,
    step,
)
from domain.stay import UnpaidCause
from scripts.lane_diagram import PAGE, page

OURS = Read("r1", "京A12345")
AGAIN = Read("r2", "京A1234S")  # the auxiliary camera's idea of the same car
OTHER = Read("r9", "川Z99999")
WINDOW, WAITING, PASSAGE, GAP, CLOSING, MEMORY = (TimerRang(timer) for timer in LaneTimer)
ADMITTED = Decided(1, "d1", Verdict.ADMIT, "京A12345")
ARRIVED: tuple[Event, ...] = (VehicleArrived(), PlateSeen(OURS), WINDOW)
OPENED: tuple[Event, ...] = (*ARRIVED, ADMITTED)
BY_PLATE: tuple[Event, ...] = (PlateSeen(OURS), WINDOW)  # a lane without a loop before the barrier


def run(*events: Event, state: State | None = None) -> tuple[State, list[Command]]:
    """The state after *events* and everything asked for on the way, timers left out."""
    state, asked = state or State(), list[Command]()
    for event in events:
        state, commands = step(state, event)
        asked += [command for command in commands if not isinstance(command, StartTimer | StopTimer)]
    return state, asked


def after(*events: Event, then: Event, state: State | None = None) -> tuple[State, list[Command]]:
    """The same, with only what the last event asked for."""
    return run(then, state=run(*events, state=state)[0])


def waiting(verdict: Verdict) -> tuple[Event, ...]:
    return (*ARRIVED, Decided(1, "d1", verdict, "京A12345"))


def test_a_car_is_read_decided_let_through_and_gone() -> None:
    state, asked = run(*OPENED, PassageBegan(), PassageEnded(), CLOSING)

    assert asked == [
        TakePicture(),
        Decide(1, Car((OURS,), on_loop=True)),
        OpenBarrier("d1"),
        ShowDecision("d1", Verdict.ADMIT),
        RecordPassage("d1", "京A12345"),
    ]
    assert state.phase == Idle()


def test_every_phase_runs_its_timer_and_stops_it_on_leaving() -> None:
    state, seen = State(), []
    for event in (*OPENED, PassageBegan(), PassageEnded(), CLOSING):
        state, commands = step(state, event)
        seen += [command for command in commands if isinstance(command, StartTimer | StopTimer)]

    assert seen == [
        StartTimer(LaneTimer.WINDOW),
        StopTimer(LaneTimer.WINDOW),
        StartTimer(LaneTimer.PASSAGE),
        StartTimer(LaneTimer.PASSAGE),
        StopTimer(LaneTimer.PASSAGE),
        StartTimer(LaneTimer.CLOSING),
        StartTimer(LaneTimer.MEMORY),
        StopTimer(LaneTimer.CLOSING),
        StartTimer(LaneTimer.MEMORY),
    ]


def test_the_camera_may_speak_before_the_loop() -> None:
    state, _ = run(PlateSeen(OURS), VehicleArrived())

    assert state.phase == Reading(Car((OURS,), on_loop=True))


def test_reads_of_two_cameras_are_one_arrival() -> None:
    _, asked = run(VehicleArrived(), PlateSeen(OURS), PlateSeen(AGAIN), WINDOW)

    assert asked == [TakePicture(), Decide(1, Car((OURS, AGAIN), on_loop=True))]


def test_a_car_nobody_could_read_is_decided_without_a_plate() -> None:
    assert run(VehicleArrived(), WINDOW)[1] == [TakePicture(), Decide(1, Car(on_loop=True))]


@pytest.mark.parametrize("late", [OURS, AGAIN, Read("r3", ""), Read("r4", "京A12345")])
@pytest.mark.parametrize(
    "before",
    [
        ARRIVED,
        BY_PLATE,
        OPENED,
        (*BY_PLATE, ADMITTED),
        waiting(Verdict.PAY_FIRST),
        (*OPENED, PassageBegan()),
        (*OPENED, PassageBegan(), PassageEnded()),
    ],
)
def test_late_and_repeated_reads_of_one_car_ask_for_nothing(before: tuple[Event, ...], late: Read) -> None:
    kept, _ = run(*before)

    state, asked = run(PlateSeen(late), state=kept)

    assert asked == []
    assert type(state.phase) is type(kept.phase)


@pytest.mark.parametrize("read", [Read("r5", "京A12345", live=False)])
def test_a_replayed_record_never_starts_anything(read: Read) -> None:
    assert run(PlateSeen(read)) == (State(), [])


def test_a_copy_of_a_read_that_was_served_starts_nothing() -> None:
    state, asked = after(*OPENED, PassageEnded(), CLOSING, then=PlateSeen(OURS))

    assert (state.phase, asked) == (Idle(), [])


@pytest.mark.parametrize("verdict", [Verdict.PAY_FIRST, Verdict.REFUSE])
def test_who_owes_or_is_refused_is_told_and_waits(verdict: Verdict) -> None:
    state, asked = after(*ARRIVED, then=Decided(1, "d1", verdict, "京A12345"))

    assert asked == [ShowDecision("d1", verdict)]
    assert state.phase == Waiting(Car((OURS,), on_loop=True), verdict)


def test_an_uncertain_read_calls_the_attendant() -> None:
    _, asked = after(*ARRIVED, then=Decided(1, "d1", Verdict.ASK, ""))

    assert asked == [ShowDecision("d1", Verdict.ASK), CallAttendant("ask")]


def test_the_attendant_says_which_plate_it_is_and_it_is_decided_anew() -> None:
    state, asked = after(*waiting(Verdict.ASK), then=AttendantChose("京A12346"))

    assert asked == [Decide(2, Car((OURS,), on_loop=True, chosen="京A12346"))]
    assert isinstance(state.phase, Deciding)


def test_the_attendant_need_not_wait_for_the_window() -> None:
    assert after(VehicleArrived(), then=AttendantChose("京A12346"))[1] == [
        Decide(1, Car(on_loop=True, chosen="京A12346"))
    ]


def test_a_payment_leads_to_a_new_decision_that_opens() -> None:
    state, asked = run(*waiting(Verdict.PAY_FIRST), DueChanged(), Decided(2, "d2", Verdict.ADMIT, "京A12345"))

    assert [command for command in asked if isinstance(command, OpenBarrier)] == [OpenBarrier("d2")]
    assert isinstance(state.phase, Passing)


def test_a_payment_that_crosses_the_decision_is_not_forgotten() -> None:
    state, asked = run(*ARRIVED, DueChanged(), Decided(1, "d1", Verdict.PAY_FIRST, "京A12345"))

    assert asked[-1] == Decide(2, Car((OURS,), on_loop=True))
    assert isinstance(state.phase, Deciding)


def test_nobody_answering_is_reported_and_the_car_still_waits() -> None:
    state, asked = after(*waiting(Verdict.PAY_FIRST), then=WAITING)

    assert asked == [RaiseIncident(Incident.LONG_WAIT), CallAttendant("long_wait")]
    assert isinstance(state.phase, Waiting)


def test_a_decision_for_the_car_before_does_not_open_for_this_one() -> None:
    gone: tuple[Event, ...] = (*ARRIVED, VehicleReversed(), VehicleArrived(), PlateSeen(OTHER), WINDOW)

    state, asked = after(*gone, then=ADMITTED)

    assert asked == [RecordReversal("d1", Car())]  # so that the entry can be taken back
    assert isinstance(state.phase, Deciding)
    assert run(ADMITTED, state=state)[1] == []


@pytest.mark.parametrize("answer", [Decided(1, "d1", Verdict.PAY_FIRST, ""), Decided(7, "d7", Verdict.ADMIT, "")])
def test_an_answer_nobody_waits_for_changes_nothing(answer: Decided) -> None:
    assert after(*ARRIVED, VehicleReversed(), then=answer)[1] == []


def test_an_earlier_answer_about_the_same_car_gives_way_to_the_later_one() -> None:
    assert after(*ARRIVED, AttendantChose("京A12346"), then=ADMITTED)[1] == []


def test_a_car_that_waits_for_long_keeps_a_bounded_number_of_reads() -> None:
    state, _ = run(*ARRIVED, *(PlateSeen(Read(f"more{number}", "京A12345")) for number in range(99)))

    assert isinstance(state.phase, Deciding)
    assert len(state.phase.car.reads) == 16


def test_the_same_decision_twice_opens_once() -> None:
    state, asked = run(*OPENED, ADMITTED)

    assert asked.count(OpenBarrier("d1")) == 1
    assert isinstance(state.phase, Passing)


def test_an_id_that_had_its_pulse_gets_none_for_a_later_car() -> None:
    state, asked = run(*OPENED, PassageEnded(), PlateSeen(OTHER), WINDOW, Decided(2, "d1", Verdict.ADMIT, "川Z99999"))

    assert asked.count(OpenBarrier("d1")) == 1
    assert asked[-2:] == [RaiseIncident(Incident.REPEATED_DECISION, "d1"), CallAttendant("repeated_decision")]
    assert isinstance(state.phase, Stuck)


@pytest.mark.parametrize("before", [(VehicleArrived(), PlateSeen(OURS)), ARRIVED, waiting(Verdict.PAY_FIRST)])
def test_a_car_that_goes_back_before_opening_is_recorded(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=VehicleReversed())

    assert (state.phase, asked) == (Idle(), [RecordReversal("", Car((OURS,), on_loop=True))])


@pytest.mark.parametrize("before", [OPENED, (*OPENED, PassageBegan())])
def test_a_settled_car_that_goes_back_keeps_its_decision_on_record(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=VehicleReversed())

    assert asked == [
        RecordReversal("d1", Car((OURS,), on_loop=True)),
        RaiseIncident(Incident.REVERSED, "d1"),
    ]
    assert isinstance(state.phase, Closing)


@pytest.mark.parametrize("before", [BY_PLATE, (*BY_PLATE, Decided(1, "d1", Verdict.PAY_FIRST, "京A12345"))])
def test_without_a_loop_another_plate_means_that_the_car_went(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=PlateSeen(OTHER))

    assert asked == [RecordReversal("", Car((OURS,))), TakePicture()]
    assert state.phase == Reading(Car((OTHER,)))


def test_on_a_loop_another_plate_is_kept_for_the_next_car() -> None:
    state, asked = after(*waiting(Verdict.PAY_FIRST), then=PlateSeen(OTHER))

    assert asked == []
    assert state.phase == Waiting(Car((OURS,), on_loop=True), Verdict.PAY_FIRST)
    assert state.early == (OTHER,)


def test_the_next_car_is_read_while_the_first_is_crossing() -> None:
    state, asked = run(*OPENED, PassageBegan(), VehicleArrived(), PlateSeen(OTHER), PassageEnded())

    assert asked[-2:] == [TakePicture(), RecordPassage("d1", "京A12345")]
    assert state.phase == Reading(Car((OTHER,), on_loop=True, behind=True))


def test_without_a_loop_the_next_car_is_known_by_its_plate() -> None:
    state, _ = run(*BY_PLATE, ADMITTED, PlateSeen(OTHER), PassageEnded())

    assert state.phase == Reading(Car((OTHER,), behind=True))


def test_the_loop_speaking_after_the_pulse_means_the_same_car() -> None:
    state, asked = after(*BY_PLATE, ADMITTED, then=VehicleArrived())

    assert asked == []
    assert state.phase == Passing(Car((OURS,), on_loop=True), "d1", "京A12345")


@pytest.mark.parametrize(
    ("before", "car"),
    [
        ((VehicleArrived(), PlateSeen(OTHER)), Car((OTHER,), on_loop=True, behind=True)),
        ((PlateSeen(OTHER), WINDOW), Car((OTHER,), behind=True)),
        ((), Car(behind=True)),
    ],
)
def test_a_tailgater_has_its_own_record(before: tuple[Event, ...], car: Car) -> None:
    state, asked = after(*OPENED, PassageBegan(), PassageEnded(), *before, then=PassageEnded())

    assert asked == [RecordUnpaid(UnpaidCause.TAILGATE, car), RaiseIncident(Incident.TAILGATE)]
    assert isinstance(state.phase, Closing)


@pytest.mark.parametrize("before", [(), (PassageEnded(),)])
def test_a_sensor_that_sees_two_cars_makes_the_same_record(before: tuple[Event, ...]) -> None:
    _, asked = after(*OPENED, PassageBegan(), *before, then=SecondVehicle())

    assert asked == [RecordUnpaid(UnpaidCause.TAILGATE, Car(behind=True)), RaiseIncident(Incident.TAILGATE)]


def test_a_second_vehicle_that_was_read_is_recorded_with_its_plate_and_not_read_again() -> None:
    state, asked = run(*OPENED, PassageBegan(), VehicleArrived(), PlateSeen(OTHER), SecondVehicle(), PassageEnded())

    tail = Car((OTHER,), on_loop=True, behind=True)
    assert asked[-3:] == [
        RecordUnpaid(UnpaidCause.TAILGATE, tail),
        RaiseIncident(Incident.TAILGATE),
        RecordPassage("d1", "京A12345"),
    ]
    assert isinstance(state.phase, Closing)


@pytest.mark.parametrize("before", [ARRIVED[:2], ARRIVED, waiting(Verdict.PAY_FIRST), waiting(Verdict.REFUSE)])
def test_breaking_through_is_recorded_with_its_reads(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=PassageEnded())

    assert asked == [
        RecordUnpaid(UnpaidCause.FORCED, Car((OURS,), on_loop=True)),
        RaiseIncident(Incident.FORCED),
    ]
    assert isinstance(state.phase, Closing)


def test_someone_passing_an_idle_lane_is_recorded_too() -> None:
    assert run(PassageEnded())[1] == [RecordUnpaid(UnpaidCause.FORCED, Car()), RaiseIncident(Incident.FORCED)]


@pytest.mark.parametrize(("unknown", "incident"), [(False, Incident.BARRIER_FAULT), (True, Incident.BARRIER_UNKNOWN)])
def test_a_barrier_fault_waits_for_a_person_and_is_not_pulsed_again(unknown: bool, incident: Incident) -> None:
    faulty, asked = after(*OPENED, then=BarrierFailed("d1", unknown))
    later, nothing = run(ADMITTED, DueChanged(), PASSAGE, PlateSeen(AGAIN), VehicleArrived(), state=faulty)

    assert asked == [RaiseIncident(incident, "d1"), CallAttendant(incident)]
    assert nothing == []
    assert isinstance(later.phase, Stuck)


def test_the_attendant_opens_a_stuck_lane_and_the_car_keeps_its_decision() -> None:
    _, asked = run(*OPENED, BarrierFailed("d1"), ManualOpen("m1"), PassageBegan(), PassageEnded())

    assert asked[-3:] == [OpenBarrier("m1"), TakePicture(), RecordPassage("d1", "京A12345")]


def test_a_failure_of_the_first_pulse_heard_after_the_second_changes_nothing() -> None:
    state, asked = after(*OPENED, ManualOpen("m1"), then=BarrierFailed("d1"))

    assert asked == []
    assert isinstance(state.phase, Passing)


@pytest.mark.parametrize("event", [FaultCleared(), VehicleReversed()])
def test_a_stuck_lane_is_freed_when_the_car_is_gone(event: Event) -> None:
    state, asked = after(*OPENED, BarrierFailed("d1"), then=event)

    assert (state.phase, asked) == (Idle(), [RecordReversal("d1", Car((OURS,), on_loop=True))])


def test_a_stuck_lane_whose_car_passes_after_all_records_the_passage() -> None:
    _, asked = run(*OPENED, BarrierFailed("d1", unknown=True), PassageBegan(), PassageEnded())

    assert asked[-1] == RecordPassage("d1", "京A12345")


def test_a_car_that_stays_put_is_reported() -> None:
    state, asked = after(*OPENED, then=PASSAGE)

    assert asked == [RaiseIncident(Incident.NO_PASSAGE, "d1"), CallAttendant("no_passage")]
    assert isinstance(state.phase, Stuck)


@pytest.mark.parametrize(
    ("before", "event", "car"),
    [
        (OPENED, VehicleArrived(), Car(on_loop=True)),
        ((*BY_PLATE, ADMITTED), PlateSeen(OTHER), Car((OTHER,))),
    ],
)
def test_the_next_arrival_ends_a_passage_that_nobody_saw(before: tuple[Event, ...], event: Event, car: Car) -> None:
    state, asked = after(*before, PASSAGE, then=event)

    assert state.phase == Reading(car)
    assert [type(command) for command in asked] == [RecordReversal, TakePicture]


def test_a_follower_is_not_forgotten_while_the_lane_is_stuck() -> None:
    state, _ = run(*OPENED, VehicleArrived(), BarrierFailed("d1"), FaultCleared())

    assert state.phase == Reading(Car(on_loop=True, behind=True))


def test_a_car_standing_under_the_barrier_is_reported() -> None:
    state, asked = after(*OPENED, PassageBegan(), then=PASSAGE)

    assert asked == [RaiseIncident(Incident.UNDER_BARRIER, "d1"), CallAttendant("under_barrier")]
    assert isinstance(state.phase, Crossing)


def test_a_fault_heard_while_the_car_is_crossing_is_only_reported() -> None:
    state, asked = after(*OPENED, PassageBegan(), then=BarrierFailed("d1"))

    assert asked == [RaiseIncident(Incident.BARRIER_FAULT, "d1")]
    assert isinstance(state.phase, Crossing)


@pytest.mark.parametrize("before", [(), ARRIVED[:2], ARRIVED, waiting(Verdict.ASK), waiting(Verdict.REFUSE)])
def test_an_attendant_opens_by_hand_with_a_picture(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=ManualOpen("m1", "京A12345"))

    assert asked == [OpenBarrier("m1"), TakePicture()]
    assert isinstance(state.phase, Passing)
    assert (state.phase.decision_id, state.phase.plate) == ("m1", "京A12345")


@pytest.mark.parametrize("before", [OPENED, (*OPENED, PassageBegan())])
def test_opening_again_by_hand_is_a_pulse_of_its_own(before: tuple[Event, ...]) -> None:
    state, asked = after(*before, then=ManualOpen("m1"))

    assert asked == [OpenBarrier("m1"), TakePicture()]
    assert isinstance(state.phase, Passing | Crossing)
    assert state.phase.decision_id == "d1"


def test_a_double_tap_opens_once() -> None:
    assert run(ManualOpen("m1"), ManualOpen("m1"))[1].count(OpenBarrier("m1")) == 1


def test_a_decision_that_comes_after_the_hand_opened_is_ignored() -> None:
    _, asked = run(*ARRIVED, ManualOpen("m1"), ADMITTED)

    assert OpenBarrier("d1") not in asked


def test_a_hold_is_named_latched_and_let_go() -> None:
    held, asked = run(HoldOpenSet("fire"))
    freed, then = run(HoldOpenReleased(), state=held)

    assert (held.hold, asked) == ("fire", [HoldOpen("fire")])
    assert (freed, then) == (State(), [ReleaseHold("fire")])
    assert run(HoldOpenReleased()) == (State(), [])


@pytest.mark.parametrize("before", [(), ARRIVED, waiting(Verdict.PAY_FIRST)])
def test_cars_that_go_while_held_open_are_counted_as_emergency(before: tuple[Event, ...]) -> None:
    _, asked = after(HoldOpenSet("fire"), *before, then=PassageEnded())

    assert [type(command) for command in asked] == [RecordUnpaid]
    assert isinstance(asked[0], RecordUnpaid)
    assert asked[0].cause is UnpaidCause.EMERGENCY


def test_a_two_way_lane_opens_only_when_the_other_side_is_held() -> None:
    two_way = State(two_way=True)

    held, first = after(*ARRIVED, then=ADMITTED, state=two_way)
    opened, second = run(OtherHeld("d1"), OtherHeld("d1"), state=held)
    _, third = run(PassageBegan(), PassageEnded(), state=opened)

    assert first == [HoldOther("d1"), ShowDecision("d1", Verdict.ADMIT)]
    assert isinstance(held.phase, Holding)
    assert run(OtherHeld("d0"), state=held) == (held, [])
    assert second == [OpenBarrier("d1")]
    assert third == [RecordPassage("d1", "京A12345"), ReleaseOther()]


def test_a_car_that_goes_back_lets_the_other_side_go() -> None:
    state, asked = after(*OPENED, then=VehicleReversed(), state=State(two_way=True))

    assert asked == [RecordReversal("d1", Car((OURS,), on_loop=True)), ReleaseOther()]
    assert state.phase == Idle()


def test_a_car_that_does_not_wait_for_the_other_side_has_passed_and_is_reported() -> None:
    _, asked = after(*OPENED, then=PassageEnded(), state=State(two_way=True))

    assert asked == [RecordPassage("d1", "京A12345"), RaiseIncident(Incident.FORCED, "d1"), ReleaseOther()]


def test_another_side_that_never_stops_is_reported() -> None:
    assert after(*OPENED, then=WAITING, state=State(two_way=True))[1] == [
        RaiseIncident(Incident.LONG_WAIT),
        CallAttendant("long_wait"),
    ]


def test_the_hand_waits_for_the_other_side_once_and_opens_when_pressed_again() -> None:
    held, first = run(ManualOpen("m1"), state=State(two_way=True))
    _, second = run(ManualOpen("m2"), OtherHeld("m1"), state=held)

    assert first == [HoldOther("m1"), TakePicture()]
    assert second == [OpenBarrier("m2"), TakePicture()]


def test_a_stuck_two_way_lane_keeps_the_other_side_until_it_is_free() -> None:
    stuck, _ = run(*OPENED, OtherHeld("d1"), BarrierFailed("d1"), state=State(two_way=True))

    assert ReleaseOther() in run(FaultCleared(), state=stuck)[1]


@pytest.mark.parametrize(
    "event",
    [
        DueChanged(),
        AttendantChose("京A12345"),
        BarrierFailed("d1"),
        FaultCleared(),
        PassageBegan(),
        VehicleReversed(),
        SecondVehicle(),
        OtherHeld("d1"),
        ADMITTED,
        WINDOW,
        WAITING,
        PASSAGE,
        CLOSING,
    ],
)
def test_what_means_nothing_to_an_idle_lane_leaves_it_as_it_is(event: Event) -> None:
    assert step(State(), event) == (State(), ())


IDS = st.sampled_from([f"d{number}" for number in range(12)])
PLATES = st.sampled_from(["", "京A12345", "京A1234S", "川Z99999"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(VehicleArrived, st.booleans()),
    st.builds(
        PlateSeen, st.builds(Read, st.integers(0, 40).map(str), PLATES, trusted=st.just(True), live=st.booleans())
    ),
    st.builds(TimerRang, st.sampled_from(LaneTimer)),
    st.builds(Decided, st.integers(1, 6), IDS, st.sampled_from(Verdict), PLATES),
    st.builds(ManualOpen, IDS, PLATES),
    st.builds(BarrierFailed, IDS, st.booleans()),
    st.builds(OtherHeld, IDS),
    st.builds(AttendantChose, PLATES),
    st.sampled_from([DueChanged(), FaultCleared(), PassageBegan(), PassageEnded(), VehicleReversed()]),
    st.builds(PassageEnded, st.sampled_from(Approach)),
    st.sampled_from([SecondVehicle(), HoldOpenSet("fire"), HoldOpenReleased()]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=60), st.booleans())
def test_on_any_walk_no_decision_opens_twice_and_none_opens_unasked(events: list[Event], two_way: bool) -> None:
    state, opened, committed, turn_open = State(two_way=two_way), [], set(), 0
    for event in events:
        if isinstance(event, ManualOpen):
            committed.add(event.decision_id)
        if isinstance(event, Decided) and event.verdict is Verdict.ADMIT and event.turn == turn_open:
            committed.add(event.decision_id)
        state, commands = step(state, event)
        pulses = [command.decision_id for command in commands if isinstance(command, OpenBarrier)]
        assert len(pulses) <= 1
        assert set(pulses) <= committed
        opened += pulses
        turn_open = max([turn_open, *(command.turn for command in commands if isinstance(command, Decide))])
    assert len(opened) == len(set(opened))


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_on_any_walk_a_two_way_lane_releases_what_it_held(events: list[Event]) -> None:
    state, held = State(two_way=True), False
    for event in events:
        state, commands = step(state, event)
        for command in commands:
            held = isinstance(command, HoldOther) or (held and not isinstance(command, ReleaseOther))
        assert held == isinstance(state.phase, Holding | Passing | Crossing | Clearing | Stuck)


def test_the_page_shows_the_code_as_it_is() -> None:
    text = Path(PAGE).read_text(encoding="utf-8")

    assert page(text) == text, "docs/lane.md is stale: run python -m scripts.lane_diagram"
