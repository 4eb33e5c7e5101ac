"""A coupon that the cloud tied to a car is taken off one stay and put back: not used, and still the driver's."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, Refuse
from edge.services import paying, redeeming
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from tests.edge.lots import START, SmallLot, at, small_lot

CAR = "京A12345"
COUPON = {"kind": "AMOUNT", "value": 400, "plate": CAR, "merchant_id": 3, "not_after_ms": 1 << 60}


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path)
    lot.put("coupons", "c1", COUPON)
    return lot


def inside(lot: SmallLot) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", CAR), START).stay_id


def due(lot: SmallLot, stay: str) -> int:
    return paying.due_of(lot.db.conn, lot.lot, stay, at(70))


def test_a_coupon_taken_off_does_not_count_and_counts_again_once_put_back(lot: SmallLot) -> None:
    stay = inside(lot)
    assert due(lot, stay) == 600

    assert redeeming.set_aside(lot.db, lot.lot, stay, "c1", "li", at(70)) == Done(stay)
    assert due(lot, stay) == 1000
    assert redeeming.set_aside(lot.db, lot.lot, stay, "c1", "li", at(70)) == Refuse("not_on_a_stay")

    assert redeeming.put_back(lot.db, lot.lot, stay, "c1", "li", at(70)) == Done(stay)
    assert due(lot, stay) == 600


def test_a_car_that_left_without_its_coupon_has_it_for_the_next_visit(lot: SmallLot) -> None:
    stay = inside(lot)
    redeeming.set_aside(lot.db, lot.lot, stay, "c1", "li", at(70))
    paying.take_cash(lot.db, lot.lot, "p1", stay, 1000, "li", at(70))
    left = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))
    assert left.decision.verdict == Admit("within_leave_time")
    assert replay(lot.db.conn, left.decision_id).same
    lot.db.execute("UPDATE stay SET passed = 1")

    again = enter(lot.db, lot.lot, lot.arrival("in", CAR), at(200)).stay_id

    assert paying.due_of(lot.db.conn, lot.lot, again, at(270)) == 600
    assert check_books(lot.db.conn) == []


def test_only_what_counts_for_an_open_stay_is_taken_off(lot: SmallLot) -> None:
    stay = inside(lot)

    assert redeeming.set_aside(lot.db, lot.lot, stay, "c2", "li", at(70)) == Refuse("not_on_a_stay")
    assert redeeming.put_back(lot.db, lot.lot, stay, "c1", "li", at(70)) == Refuse("not_on_a_stay")
    assert redeeming.set_aside(lot.db, lot.lot, "nobody", "c1", "li", at(70)) == Refuse("no_open_stay")
