"""What the booth is told about a lane: the car at hand first, then what just happened, then an alarm that stands."""

from __future__ import annotations

from domain.lane import Incident
from edge.lanes.notices import Notices


def test_what_a_vehicle_that_is_gone_did_is_shown_for_a_minute_whoever_comes_next() -> None:
    notices = Notices()
    notices.tell(Incident.TAILGATE, 100.0)
    notices.next_car()

    assert (notices.is_over(159.0), notices.incident) == (False, "tailgate")
    assert (notices.is_over(160.0), notices.incident) == (True, "")
    assert not notices.is_over(161.0)


def test_a_call_and_a_fault_are_of_the_car_at_hand_and_go_with_it() -> None:
    notices = Notices()
    notices.tell(Incident.TAILGATE, 100.0)
    notices.call = "barrier_fault"
    notices.tell(Incident.BARRIER_FAULT, 101.0)
    assert notices.incident == "barrier_fault"

    notices.next_car()

    assert (notices.call, notices.incident) == ("", "tailgate")


def test_an_alarm_is_shown_while_it_stands() -> None:
    notices = Notices()

    assert notices.stand({Incident.LOOP_STUCK, Incident.ARM_UNMOVED})
    assert not notices.stand({Incident.LOOP_STUCK, Incident.ARM_UNMOVED})
    assert notices.incident == "arm_unmoved"
    assert notices.stand(set())
    assert notices.incident == ""
