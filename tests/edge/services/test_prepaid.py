"""Paid ahead and not gone in time: each price list's own rule, at the exit and from the stored inputs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst
from edge.db import stays
from edge.services import fee_setting, paying
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.passages import seen
from edge.settings import LotRules, Zone
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

AIRPORT = Path("config/tariffs/g2-baiyun-airport.toml").read_text(encoding="utf-8")
PLATE = "京A12345"
FIRST_STAY = """
code = "first-stay"
version = 1
starts = 2026-01-01
[free]
minutes = "2h"
first_stay_of_day = true
[[window]]
name = "all"
unit = 60
price = 4
"""


def lot_with(tmp_path: Path, tariff: str, rules: LotRules | None = None) -> SmallLot:
    path = tmp_path / "tariff.toml"
    path.write_text(tariff, encoding="utf-8")
    return small_lot(tmp_path, rules=rules, zones=(Zone("main", (path,)),))


def paid_after_two_hours(lot: SmallLot) -> str:
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    paid = paying.take_cash(lot.db, lot.lot, "pay-1", stay_id, 2000, "li", at(120))
    assert isinstance(paid, paying.Taken)
    assert paid.left_fen == 0
    return stay_id


@pytest.mark.parametrize(
    ("late", "minute", "expected"),
    [
        ("new_stay", 135, Admit("within_leave_time")),
        ("new_stay", 136, PayFirst(1000)),  # 16 minutes of a first hour, no free minutes
        ("new_stay", 241, PayFirst(2500)),  # two hours and one minute anew: 10 + 10 + 5
        ("difference", 135, Admit("within_leave_time")),
        ("difference", 136, PayFirst(500)),  # the third hour of one stay
    ],
)
def test_who_paid_at_baiyun_airport_and_stays_on_pays_by_the_price_lists_rule(
    tmp_path: Path, late: str, minute: int, expected: object
) -> None:
    lot = lot_with(tmp_path, AIRPORT.replace('"new_stay"', f'"{late}"'))
    paid_after_two_hours(lot)

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minute))

    assert verdict(decided) == expected
    assert replay(lot.db.conn, decided.decision_id).same


@pytest.mark.parametrize(("late", "due"), [("new_stay", 1000), ("difference", 500)])
def test_what_was_set_by_hand_before_the_payment_is_not_asked_for_twice(tmp_path: Path, late: str, due: int) -> None:
    lot = lot_with(tmp_path, AIRPORT.replace('"new_stay"', f'"{late}"'))
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    fee_setting.set_fee(lot.db, lot.lot, "s1", stay_id, 3000, "li", "lost_ticket", at(120))
    paying.take_cash(lot.db, lot.lot, "pay-1", stay_id, 3000, "li", at(120))

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(136))

    assert verdict(decided) == PayFirst(due)
    assert replay(lot.db.conn, decided.decision_id).same


def test_the_new_stay_after_a_payment_closes_with_both_fees(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, AIRPORT)
    stay_id = paid_after_two_hours(lot)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(136))

    paying.take_cash(lot.db, lot.lot, "pay-2", stay_id, 1000, "li", at(137))
    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(138))

    row = stays.get(lot.db.conn, stay_id)
    assert verdict(decided) == Admit("within_leave_time")
    assert row is not None
    assert (row.fee_fen, row.paid_fen, row.outcome) == (3000, 3000, "PAID")
    assert check_books(lot.db.conn) == []


@pytest.mark.parametrize(("late", "due"), [("new_stay", 1000), ("difference", 500)])
def test_a_car_let_out_that_never_left_continues_by_the_same_rule(tmp_path: Path, late: str, due: int) -> None:
    lot = lot_with(tmp_path, AIRPORT.replace('"new_stay"', f'"{late}"'))
    paid_after_two_hours(lot)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(121))) == Admit("within_leave_time")

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(140))

    assert verdict(decided) == PayFirst(due)
    assert replay(lot.db.conn, decided.decision_id).same
    assert check_books(lot.db.conn) == []


def test_the_price_lists_minutes_win_over_the_lots_own(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, AIRPORT.replace("leave_within = 15", "leave_within = 5"), LotRules(leave_within_min=60))
    paid_after_two_hours(lot)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(126))) == PayFirst(1000)


def test_a_price_list_without_minutes_leaves_them_to_the_lot(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, AIRPORT.replace("leave_within = 15\n", ""), LotRules(leave_within_min=20))
    paid_after_two_hours(lot)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(140))) == Admit("within_leave_time")


def test_free_minutes_are_not_a_payment_ahead(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, AIRPORT)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    paying.settle_if_paid(lot.db.conn, lot.lot, stay_id, at(10))

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(20))) == PayFirst(1000)


def test_the_time_to_leave_starts_once(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, AIRPORT)
    stay_id = paid_after_two_hours(lot)

    paying.settle_if_paid(lot.db.conn, lot.lot, stay_id, at(134))  # a paper was laid on it, say

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(136))) == PayFirst(1000)


@pytest.mark.parametrize(
    ("again_after", "expected"),
    [(60, PayFirst(800)), (24 * 60, Admit("nothing_due"))],
)
def test_only_the_first_stay_of_a_day_is_given_its_free_hours(
    tmp_path: Path, again_after: int, expected: object
) -> None:
    lot = lot_with(tmp_path, FIRST_STAY)
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))
    seen(lot.db, lot.lot, "out", first.decision_id, PLATE, at(31))
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(again_after))

    second = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(again_after + 90))

    assert verdict(first) == Admit("nothing_due")
    assert verdict(second) == expected
    assert replay(lot.db.conn, second.decision_id).same
