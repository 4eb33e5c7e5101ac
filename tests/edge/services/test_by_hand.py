"""What attendants do and what passes nobody: each with its name, its reason, its debt."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.events import BarrierOpened, decode, open_envelope
from domain.stay import UnpaidCause
from edge.db import journal, log, money, stays
from edge.services import manual, passages
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

PLATE = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def car_in(lot: SmallLot, plate: str = PLATE) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), START).stay_id


def test_opening_by_hand_needs_a_reason_and_leaves_a_name(lot: SmallLot) -> None:
    assert manual.open_barrier(lot.db, lot.lot, "out", "li", "  ", "", START) == Refuse("reason_missing")

    opened = manual.open_barrier(lot.db, lot.lot, "out", "li", "ambulance", "", START)

    assert isinstance(opened, Done)
    assert lot.types() == ["act.recorded", "barrier.opened"]
    assert journal.acts(lot.db.conn)[0].by == "li"


@pytest.mark.parametrize("lane", ["in", "out"])
def test_an_opening_by_hand_names_the_car_it_was_for(lot: SmallLot, lane: str) -> None:
    stay_id = car_in(lot) if lane == "out" else ""

    manual.open_barrier(lot.db, lot.lot, lane, "li", "queue", PLATE, at(70))
    manual.open_barrier(lot.db, lot.lot, lane, "li", "ambulance", "", at(80))

    told = [decode(open_envelope(body)) for body, _ in log.bodies(lot.db.conn, 1, 1, 99)]
    named = [(one.by, one.reason, one.stay_id) for one in told if isinstance(one, BarrierOpened) and one.by]
    entered = stays.find_open(lot.db.conn, PLATE)
    assert named == [("li", "queue", stay_id or (entered.stay_id if entered else "")), ("li", "ambulance", "")]
    assert named[0][2]


def test_a_car_let_out_by_hand_takes_its_debt_along(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    manual.open_barrier(lot.db, lot.lot, "out", "li", "queue", PLATE, at(70))

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert (row.outcome, row.cause, row.owed_fen) == ("UNPAID", "manual", 1000)
    assert money.balances(lot.db.conn) == {"fee": -1000, "owed": 1000}


def test_a_corrected_plate_keeps_the_old_one_and_pays_under_the_new(lot: SmallLot) -> None:
    stay_id = car_in(lot, "京A12346")

    assert manual.correct_plate(lot.db, stay_id, " 京a·12345", "li", at(5)) == Done(stay_id)

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert (row.plate, row.plate_raw) == (PLATE, "京A12346")
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))) == PayFirst(1000)


@pytest.mark.parametrize(("typed", "code"), [("hello", "not_a_plate"), ("京B12345", "plate_already_inside")])
def test_a_correction_that_cannot_be_is_refused(lot: SmallLot, typed: str, code: str) -> None:
    stay_id = car_in(lot)
    car_in(lot, "京B12345")

    assert manual.correct_plate(lot.db, stay_id, typed, "li", at(5)) == Refuse(code)


def test_a_corrected_plate_may_be_that_of_a_car_that_settled_and_was_not_seen_leaving(lot: SmallLot) -> None:
    settled = car_in(lot)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(5))
    stay_id = car_in(lot, "京A12346")

    assert manual.correct_plate(lot.db, stay_id, PLATE, "li", at(6)) == Done(stay_id)

    here, gone = stays.find_here(lot.db.conn, PLATE), stays.get(lot.db.conn, settled)
    assert here is not None
    assert gone is not None
    assert (here.stay_id, gone.passed) == (stay_id, True)


@pytest.mark.parametrize("by_hand", ["opened", "added", "seen passing"])
def test_a_car_that_comes_in_by_hand_has_left_before(lot: SmallLot, by_hand: str) -> None:
    settled = car_in(lot)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(5))

    match by_hand:
        case "opened":
            manual.open_barrier(lot.db, lot.lot, "in", "li", "queue", PLATE, at(9))
        case "added":
            manual.enter_missing(lot.db, lot.lot, PLATE, "main", at(8).wall_ms, "li", "camera off", at(9))
        case _:
            passages.unpaid(lot.db, lot.lot, "in", UnpaidCause.TAILGATE, PLATE, at(9))

    here, gone = stays.find_open(lot.db.conn, PLATE), stays.get(lot.db.conn, settled)
    assert here is not None
    assert gone is not None
    assert gone.passed


def test_look_alikes_come_likeliest_first_and_a_fragment_finds_the_rest(lot: SmallLot) -> None:
    for plate in ("京A12345", "京A12346", "粤B99999"):
        car_in(lot, plate)

    assert [one.stay.plate for one in manual.look_alikes(lot.db.conn, "京A1234S")] == ["京A12345", "京A12346"]
    assert [one.stay.plate for one in manual.look_alikes(lot.db.conn, "9999")] == ["粤B99999"]


def test_a_missing_entry_is_charged_from_the_time_a_person_names(lot: SmallLot) -> None:
    entered = at(-90).wall_ms

    added = manual.enter_missing(lot.db, lot.lot, PLATE, "main", entered, "li", "camera was off", START)

    assert isinstance(added, Done)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), START)) == PayFirst(1000)


def test_a_waiver_takes_at_most_what_is_due_and_lets_the_car_go(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    assert manual.waive(lot.db, lot.lot, stay_id, 1500, "li", "lost", at(70)) == Refuse("more_than_due")
    assert manual.waive(lot.db, lot.lot, stay_id, 1000, "li", "lost", at(70)) == Done(stay_id)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(71))) == Admit("within_leave_time")
    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert row.outcome == "WAIVED"


def test_a_tailgater_owes_and_nobody_vanishes(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    assert passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(70)) == stay_id

    assert [debt.owed_fen for debt in money.debts(lot.db.conn, PLATE)] == [1000]
    assert "debt.recorded" in lot.types()


def test_a_car_that_slipped_in_is_inside_by_the_books(lot: SmallLot) -> None:
    stay_id = passages.unpaid(lot.db, lot.lot, "in", UnpaidCause.TAILGATE, PLATE, START)

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert row.is_open


def test_a_car_that_backed_out_of_the_entry_was_never_in(lot: SmallLot) -> None:
    entered = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)

    passages.turned_back(lot.db, lot.lot, "in", entered.decision_id, PLATE, at(1))

    row = stays.get(lot.db.conn, entered.stay_id)
    assert row is not None
    assert (row.outcome, row.cause, row.fee_fen) == ("FREE", "reversed", 0)


def test_a_passed_car_is_no_candidate_for_a_misread_plate(lot: SmallLot) -> None:
    car_in(lot)
    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(5))
    assert stays.near(lot.db.conn, "京A1234S") == (PLATE,)

    passages.seen(lot.db, lot.lot, "out", left.decision_id, PLATE, at(6))

    assert stays.near(lot.db.conn, "京A1234S") == ()
