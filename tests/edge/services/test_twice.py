"""The same plate in twice or out twice (E27): shown, asked about, undone where it was a misread."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Ask, PayFirst, Refuse
from domain.stay import Direction
from edge.db import journal, stays
from edge.db.stays import StayRow
from edge.services import arrears, passages
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.reopening import second_entry, undo_second_entry
from edge.settings import Lane, LotRules, MissedExit
from tests.edge.lots import SmallLot, at, settings, small_lot, verdict

PLATE, OTHER = "京A12345", "京A12346"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def car_in(lot: SmallLot, minute: int = 0, plate: str = PLATE) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), at(minute)).stay_id


def of(lot: SmallLot, stay_id: str) -> StayRow:
    found = stays.get(lot.db.conn, stay_id)
    assert found is not None
    return found


def left(lot: SmallLot, minute: int) -> None:
    """It leaves free of charge and is seen to."""
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minute))
    passages.seen(lot.db, lot.lot, "out", gone.decision_id, PLATE, at(minute))


def codes(lot: SmallLot) -> list[str]:
    return [one.code for one in journal.incidents(lot.db.conn)]


def test_the_stay_a_second_entry_ended_names_it(lot: SmallLot) -> None:
    first, second = car_in(lot), car_in(lot, 70)

    ended = of(lot, first)

    assert (ended.cause, ended.decision_out) == ("missed_exit", of(lot, second).decision_in)
    found = second_entry(lot.db.conn, ended)
    assert found is not None
    assert found.stay_id == second
    assert stays.ended_by_entry(lot.db.conn, PLATE, of(lot, second).decision_in) == ended


def test_a_misread_is_undone_and_both_cars_are_inside_under_their_plates(lot: SmallLot) -> None:
    first, second = car_in(lot), car_in(lot, 70)

    assert undo_second_entry(lot.db, lot.lot, first, OTHER, "li", "supervisor", " ", at(80)) == Refuse("reason_missing")
    assert undo_second_entry(lot.db, lot.lot, first, "hello", "li", "supervisor", "misread", at(80)) == Refuse(
        "not_a_plate"
    )
    assert undo_second_entry(lot.db, lot.lot, first, OTHER, "li", "supervisor", "misread", at(80)) == Done(first)

    assert {of(lot, stay).plate: of(lot, stay).is_open for stay in (first, second)} == {PLATE: True, OTHER: True}
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(90))) == PayFirst(1000)
    assert check_books(lot.db.conn) == []


def test_a_read_without_a_car_is_undone_and_leaves_no_stay(lot: SmallLot) -> None:
    first, second = car_in(lot), car_in(lot, 70)

    assert undo_second_entry(lot.db, lot.lot, first, "", "li", "supervisor", "no car", at(80)) == Done(first)

    assert (of(lot, second).outcome, of(lot, second).cause) == ("FREE", "misread")
    assert stays.count_open(lot.db.conn) == 1


def test_nothing_changes_when_the_first_stay_cannot_be_opened_again(lot: SmallLot) -> None:
    first, second = car_in(lot), car_in(lot, 70)
    car_in(lot, 71, OTHER)

    assert undo_second_entry(lot.db, lot.lot, first, OTHER, "li", "supervisor", "misread", at(80)) == Refuse(
        "plate_already_inside"
    )
    assert undo_second_entry(lot.db, lot.lot, second, OTHER, "li", "supervisor", "misread", at(80)) == Refuse(
        "no_second_entry"
    )

    assert (of(lot, first).is_open, of(lot, second).plate) == (False, PLATE)


def test_the_second_car_keeps_its_plate_when_somebody_has_paid_for_the_first(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(missed_exit=MissedExit.OWE))
    first, second = car_in(lot), car_in(lot, 70)
    arrears.pay(lot.db, lot.lot, "p1", PLATE, 100, "li", at(75))

    assert undo_second_entry(lot.db, lot.lot, first, OTHER, "li", "supervisor", "misread", at(80)) == Refuse(
        "debt_touched"
    )

    assert (of(lot, first).is_open, of(lot, second).plate) == (False, PLATE)
    assert check_books(lot.db.conn) == []


def test_a_car_that_has_left_is_asked_about_and_charged_nothing(lot: SmallLot) -> None:
    car_in(lot)
    left(lot, 5)

    again = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(60))

    assert verdict(again) == Ask((), "left_already")
    assert codes(lot) == []
    assert replay(lot.db.conn, again.decision_id).same
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(25 * 60 + 10))) == Ask((), "no_open_stay")


@pytest.mark.parametrize(("minutes", "suspected"), [(1, False), (3, True), (6, False)])
def test_a_car_cannot_come_in_unseen_and_stand_at_the_exit_within_minutes(
    lot: SmallLot, minutes: int, suspected: bool
) -> None:
    car_in(lot)
    left(lot, 5)

    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(5 + minutes))

    assert codes(lot) == (["clone_suspected"] if suspected else [])


def test_a_plate_that_crossed_one_entry_and_stands_at_another_is_suspected(tmp_path: Path) -> None:
    lanes = (*settings(tmp_path).lanes, Lane("in-2", Direction.ENTRY, "outside", "main"))
    lot = small_lot(tmp_path, lanes=lanes)
    entered = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(0))
    passages.seen(lot.db, lot.lot, "in", entered.decision_id, PLATE, at(0))

    same = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(1))
    before = codes(lot)
    other = enter(lot.db, lot.lot, lot.arrival("in-2", PLATE), at(1))

    assert verdict(same) == verdict(other) == Refuse("already_inside")
    assert (before, codes(lot)) == ([], ["clone_suspected"])
