"""As which class a car is charged: by its plate, however it came in, until a person picks another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.stay import UnpaidCause
from edge.db import journal, stays
from edge.services import classing, manual, passages, paying, staffing
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done, Lot
from edge.settings import DecidedBy, Zone
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

CLASSES = """
code = "classes"
version = 1
starts = 2026-01-01
classes = ["small", "large", "nev"]
free = 15

[[window]]
name = "all"
unit = 60
price = { small = 5, large = 10, nev = 3 }
"""
PLATE, NEW_ENERGY = "京A12345", "京AD12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    path = tmp_path / "classes.toml"
    path.write_text(CLASSES, encoding="utf-8")
    return small_lot(tmp_path, zones=(Zone("main", (path,)),))


def car_in(lot: SmallLot, plate: str = PLATE, **changes: object) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate, **changes), START).stay_id


def class_now(lot: SmallLot, stay_id: str) -> str:
    stay = stays.get(lot.db.conn, stay_id)
    assert stay is not None
    return stay.vehicle_class


@pytest.mark.parametrize(("plate", "expected"), [(PLATE, "small"), (NEW_ENERGY, "nev")])
@pytest.mark.parametrize("by_hand", ["opened", "added", "seen passing"])
def test_a_car_that_comes_in_by_hand_has_the_class_of_its_plate(
    lot: SmallLot, by_hand: str, plate: str, expected: str
) -> None:
    match by_hand:
        case "opened":
            manual.open_barrier(lot.db, lot.lot, "in", "li", "queue", plate, at(9))
        case "added":
            manual.enter_missing(lot.db, lot.lot, plate, "main", at(8).wall_ms, "li", "camera off", at(9))
        case _:
            passages.unpaid(lot.db, lot.lot, "in", UnpaidCause.TAILGATE, plate, at(9))

    here = stays.find_open(lot.db.conn, plate)
    assert here is not None
    assert here.vehicle_class == expected


def test_a_missing_entry_may_name_its_class_if_a_price_list_knows_it(lot: SmallLot) -> None:
    args = (lot.db, lot.lot, PLATE, "main", at(-90).wall_ms, "li", "camera off", START)

    assert manual.enter_missing(*args, vehicle_class="tank") == Refuse("no_such_class")
    added = manual.enter_missing(*args, vehicle_class="large")

    assert isinstance(added, Done)
    assert class_now(lot, added.subject) == "large"


@pytest.mark.parametrize(
    ("colour", "picked", "expected"),
    [("blue", "", "nev"), ("yellow", "", "nev"), ("blue", "large", "large")],
    ids=["derived", "derived from its colour", "picked by a person"],
)
def test_a_corrected_plate_takes_its_class_along_unless_a_person_picked_it(
    lot: SmallLot, colour: str, picked: str, expected: str
) -> None:
    arrival = lot.arrival("in", PLATE, colour=colour)
    before = "large" if colour == "yellow" else "small"
    with_class = type(arrival)(arrival.lane, PLATE, PLATE, arrival.seen, vehicle_class=before)
    stay_id = enter(lot.db, lot.lot, with_class, START).stay_id
    if picked:
        classing.pick(lot.db, lot.lot, stay_id, picked, "li", at(1))

    assert manual.correct_plate(lot.db, stay_id, NEW_ENERGY, "li", at(5)) == Done(stay_id)

    assert class_now(lot, stay_id) == expected
    assert lot.types().count("stay.classed") == 1


def test_the_fee_follows_the_class_picked_and_its_decisions_are_worked_out_the_same_again(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))

    assert classing.known(lot.lot, at(70)) == ("small", "large", "nev")
    assert classing.pick(lot.db, lot.lot, stay_id, "large", "li", at(70)) == Done(stay_id)
    second = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))

    assert (verdict(first), verdict(second)) == (PayFirst(1000), PayFirst(2000))
    assert all(replay(lot.db.conn, one.decision_id).same for one in (first, second))
    act = next(one for one in journal.acts(lot.db.conn) if one.act == "class.pick")
    assert (act.by, act.subject, act.reason) == ("li", stay_id, "small → large")


def test_a_car_that_has_paid_owes_the_difference_to_a_dearer_class_and_gets_no_second_time_to_leave(
    lot: SmallLot,
) -> None:
    stay_id = car_in(lot)
    paying.take_cash(lot.db, lot.lot, "pay-00001", stay_id, 1000, "li", at(70))
    paid = stays.get(lot.db.conn, stay_id)

    classing.pick(lot.db, lot.lot, stay_id, "nev", "li", at(72))
    cheaper = stays.get(lot.db.conn, stay_id)
    assert paid is not None
    assert cheaper is not None
    assert (cheaper.settled, cheaper.vehicle_class) == (paid.settled, "nev")

    classing.pick(lot.db, lot.lot, stay_id, "large", "li", at(73))
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(74))) == PayFirst(1000)

    paying.take_cash(lot.db, lot.lot, "pay-00002", stay_id, 1000, "li", at(75))
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(76))), Admit)
    assert check_books(lot.db.conn) == []


def test_what_no_price_list_knows_and_who_has_left_cannot_be_picked_for(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    assert classing.pick(lot.db, lot.lot, stay_id, "tank", "li", at(1)) == Refuse("no_such_class")
    assert classing.pick(lot.db, lot.lot, stay_id, "small", "li", at(1)) == Done(stay_id)  # as it is: nothing to say
    assert "stay.classed" not in lot.types()

    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(5))
    assert classing.pick(lot.db, lot.lot, stay_id, "large", "li", at(6)) == Refuse("no_open_stay")


def hired(lot: SmallLot, name: str, role: str) -> str:
    assert isinstance(staffing.employ(lot.db, name, role, "hash", "boss", START), Done)
    return name


def told(lot: SmallLot, who: DecidedBy) -> Lot:
    return replace(lot.lot, rules=replace(lot.lot.rules, cheaper_class_by=who))


@pytest.mark.parametrize("picked", ["nev", "large"])
def test_an_attendant_charges_nobody_less_than_the_plates_own_class(lot: SmallLot, picked: str) -> None:
    stay_id, wang = car_in(lot), hired(lot, "wang", staffing.ATTENDANT)

    said = classing.pick(lot.db, lot.lot, stay_id, picked, wang, at(10))

    assert said == (Refuse("class_cheaper") if picked == "nev" else Done(stay_id))
    assert class_now(lot, stay_id) == ("small" if picked == "nev" else "large")


def test_back_to_the_plates_own_class_needs_nobody(lot: SmallLot) -> None:
    stay_id, wang = car_in(lot), hired(lot, "wang", staffing.ATTENDANT)
    assert classing.pick(lot.db, lot.lot, stay_id, "large", wang, at(10)) == Done(stay_id)

    assert classing.pick(lot.db, lot.lot, stay_id, "small", wang, at(11)) == Done(stay_id)


def test_a_supervisor_beside_is_on_record_with_who_picked(lot: SmallLot) -> None:
    stay_id, wang, li = car_in(lot), hired(lot, "wang", staffing.ATTENDANT), hired(lot, "li", staffing.SUPERVISOR)

    assert classing.pick(lot.db, lot.lot, stay_id, "nev", wang, at(10), approved_by=wang) == Refuse("class_cheaper")
    assert classing.pick(lot.db, lot.lot, stay_id, "nev", wang, at(10), approved_by=li) == Done(stay_id)

    acts = [(act.act, act.by) for act in journal.acts(lot.db.conn) if act.subject == stay_id]
    assert {("class.pick", wang), ("act.approve", li)} <= set(acts)


def test_a_supervisor_alone_and_where_the_lot_says_so_an_attendant_may(lot: SmallLot) -> None:
    wang, li = hired(lot, "wang", staffing.ATTENDANT), hired(lot, "li", staffing.SUPERVISOR)
    one, other = car_in(lot), car_in(lot, "京B12345")

    assert classing.pick(lot.db, lot.lot, one, "nev", li, at(10)) == Done(one)
    assert classing.pick(lot.db, told(lot, DecidedBy.ATTENDANT), other, "nev", wang, at(10)) == Done(other)


def test_a_missing_entry_is_written_with_a_cheaper_class_by_the_same_people(lot: SmallLot) -> None:
    wang, li = hired(lot, "wang", staffing.ATTENDANT), hired(lot, "li", staffing.SUPERVISOR)
    args = (lot.db, lot.lot, PLATE, "main", at(-90).wall_ms, wang, "camera off", START)

    assert manual.enter_missing(*args, vehicle_class="nev") == Refuse("class_cheaper")
    added = manual.enter_missing(*args, vehicle_class="nev", approved_by=li)

    assert isinstance(added, Done)
    assert class_now(lot, added.subject) == "nev"


CAPPED = (
    CLASSES.replace("price = { small = 5, large = 10, nev = 3 }", "price = 5")
    + """
[[cap]]
per = "day"
amount = { small = 40, large = 60, nev = 40 }
"""
)


@pytest.mark.parametrize(("picked", "cheaper"), [("small", True), ("nev", True), ("large", False)])
def test_a_class_is_cheaper_where_a_long_stay_costs_less(tmp_path: Path, picked: str, cheaper: bool) -> None:
    path = tmp_path / "capped.toml"
    path.write_text(CAPPED, encoding="utf-8")
    lot = small_lot(tmp_path, zones=(Zone("main", (path,)),))

    assert classing.is_cheaper(lot.lot, picked, "large", START.wall_ms) is cheaper
