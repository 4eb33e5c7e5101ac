"""An end taken back (E8): the stay is open, its papers usable once more, its debt reversed, the book balanced."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.stay import UnpaidCause
from edge.db import arrears as owed
from edge.db import money, stays, vouchers
from edge.db.stays import StayRow
from edge.services import arrears, bound, passages
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.manual import open_barrier
from edge.services.paying import Taken, take_cash
from edge.services.reopening import reopen
from edge.settings import LotRules, MissedExit
from tests.edge.lots import SmallLot, at, small_lot, verdict

PLATE = "京A12345"
COUPON = {"plate": PLATE, "kind": "AMOUNT", "value": 500, "merchant_id": 3, "stay_id": "", "not_after_ms": 1 << 50}


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def car_in(lot: SmallLot, minute: int = 0) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(minute)).stay_id


def stay_of(lot: SmallLot, stay_id: str) -> StayRow:
    found = stays.get(lot.db.conn, stay_id)
    assert found is not None
    return found


def test_a_coupon_is_used_again_exactly_once_and_money_paid_stays_with_the_stay(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    lot.put("coupons", "c1", COUPON)
    assert take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(70)) == Taken("p1", stay_id, 500, 0)
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(71))), Admit)
    assert vouchers.is_coupon_used(lot.db.conn, "c1")

    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "turned round", at(72)) == Done(stay_id)

    row = stay_of(lot, stay_id)
    assert (row.is_open, row.paid_fen, row.fee_fen, row.outcome) == (True, 500, 0, "")
    assert not vouchers.is_coupon_used(lot.db.conn, "c1")
    assert money.balances(lot.db.conn) == {"cash": 500, "coupon": 0, "fee": 0, "held": -500}
    assert check_books(lot.db.conn) == []
    assert lot.types()[-3:] == ["coupon.restored", "stay.reopened", "act.recorded"]

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(150))) == PayFirst(500)
    assert take_cash(lot.db, lot.lot, "p2", stay_id, 500, "li", at(151)) == Taken("p2", stay_id, 500, 0)
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(152))), Admit)
    assert (stay_of(lot, stay_id).paid_fen, stay_of(lot, stay_id).discount_fen) == (1000, 500)
    assert check_books(lot.db.conn) == []
    use = vouchers.Use("coupon", "c1", "r9", "other", 5, "", 3)
    with pytest.raises(sqlite3.IntegrityError):
        vouchers.use_coupon(lot.db.conn, "c1", use, at(153))


def test_a_coupon_the_cloud_has_struck_off_meanwhile_still_lies_on_the_stay(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    lot.put("coupons", "c1", {**COUPON, "value": 5000})
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))
    lot.put("coupons", "c1", None)

    reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "turned round", at(71))

    given = bound.coupons_for(lot.db.conn, lot.lot, stay_of(lot, stay_id), at(72))
    assert [(one.ref, one.kind) for one in given] == [("c1", "coupon")]
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(90))), Admit)
    assert vouchers.is_coupon_used(lot.db.conn, "c1")
    assert vouchers.laid_on(lot.db.conn, stay_id) == []
    assert check_books(lot.db.conn) == []


def test_the_debt_of_an_unpaid_end_is_reversed_and_may_be_made_anew(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    open_barrier(lot.db, lot.lot, "out", "li", "queue", PLATE, at(70))

    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "it never went", at(72)) == Done(stay_id)
    assert owed.open_of(lot.db.conn, PLATE) == []
    assert money.balances(lot.db.conn) == {"fee": 0, "owed": 0}
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(130))

    assert [one.left_fen for one in owed.of_stay(lot.db.conn, stay_id)] == [0, 1500]
    assert stay_of(lot, stay_id).owed_fen == 1500
    assert check_books(lot.db.conn) == []


def test_what_was_let_go_with_the_end_is_asked_for_again(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(missed_exit=MissedExit.WAIVE))
    first = car_in(lot)
    second = car_in(lot, 70)
    assert stay_of(lot, first).cause == "missed_exit"
    assert reopen(lot.db, lot.lot, first, "li", "supervisor", "misread", at(71)) == Refuse("plate_already_inside")
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(75))

    assert reopen(lot.db, lot.lot, first, "li", "supervisor", "misread", at(76)) == Done(first)

    assert stay_of(lot, second).is_open is False
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(76))) == PayFirst(1000)
    assert check_books(lot.db.conn) == []


def test_an_end_whose_debt_was_paid_in_part_stands(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    open_barrier(lot.db, lot.lot, "out", "li", "queue", PLATE, at(70))
    arrears.pay(lot.db, lot.lot, "p1", PLATE, 100, "li", at(80))

    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "it never went", at(81)) == Refuse("debt_touched")
    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", " ", at(81)) == Refuse("reason_missing")
    assert reopen(lot.db, lot.lot, "none", "li", "supervisor", "x", at(81)) == Refuse("no_such_stay")


def test_an_open_stay_and_one_that_goes_on_are_not_opened_again(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "x", at(1)) == Refuse("stay_is_open")
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(90))

    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "x", at(91)) == Refuse("stay_continued")


def test_the_last_exit_taken_back_at_once_lets_the_car_leave_within_its_time(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))

    reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "forgot something", at(32))

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(40))) == Admit("within_leave_time")
    assert check_books(lot.db.conn) == []
