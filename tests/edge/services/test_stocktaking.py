"""A stock-take closes what is not there, enters what nobody knew, and can be taken back whole (E27)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.moment import Quality
from edge.db import arrears as owed
from edge.db import journal, people, stays, stocktakes
from edge.db.database import transaction
from edge.db.stays import StayRow
from edge.services import overstaying, stocktaking
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.manual import waive
from edge.services.paying import take_cash
from edge.services.stocktaking import NOWHERE
from edge.settings import LotRules, MissedExit
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

HERE, GONE, STRANGER = "京A12345", "京B22222", "京C33333"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def car_in(lot: SmallLot, plate: str, minute: int = 0) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), at(minute)).stay_id


def of(lot: SmallLot, stay_id: str) -> StayRow:
    found = stays.get(lot.db.conn, stay_id)
    assert found is not None
    return found


def taken(lot: SmallLot, *seen: str) -> str:
    """A walk begun after an hour, these plates seen, ended."""
    begun = stocktaking.start(lot.db, lot.lot, "", "li", at(60))
    assert isinstance(begun, Done)
    for plate in seen:
        assert stocktaking.mark(lot.db, plate, "li", at(62)) == Done(plate)
    assert stocktaking.finish(lot.db, lot.lot, begun.subject, NOWHERE, "li", at(70)) == begun
    return begun.subject


def test_what_was_not_seen_is_closed_and_what_nobody_knew_is_inside(lot: SmallLot) -> None:
    here, gone = car_in(lot, HERE), car_in(lot, GONE)

    take = taken(lot, HERE, STRANGER)

    assert of(lot, here).is_open
    row = of(lot, gone)
    assert (row.outcome, row.cause, row.fee_fen, row.waived_fen, row.owed_fen) == (
        "WAIVED",
        "stock_take",
        1000,
        1000,
        0,
    )
    stranger = stays.find_open(lot.db.conn, STRANGER)
    assert stranger is not None
    assert (stranger.entered.wall_ms, stranger.entered.quality) == (at(60).wall_ms, Quality.UNKNOWN)
    assert stays.count_open(lot.db.conn) == 2
    assert stocktakes.lines(lot.db.conn, take, stocktakes.SEEN) == [here]
    assert check_books(lot.db.conn) == []


def test_the_lots_rule_may_make_it_owed(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(stock_take=MissedExit.OWE))
    car_in(lot, GONE)

    taken(lot)

    assert [(debt.cause, debt.left_fen) for debt in owed.open_of(lot.db.conn, GONE)] == [("stock_take", 1000)]


def test_cars_that_come_and_go_during_the_walk_are_left_alone(lot: SmallLot) -> None:
    leaves = car_in(lot, HERE)
    begun = stocktaking.start(lot.db, lot.lot, "", "li", at(5))
    assert isinstance(begun, Done)
    for seen in (STRANGER, HERE):
        stocktaking.mark(lot.db, seen, "li", at(6))
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", HERE), at(7))) == Admit("nothing_due")
    comes, enters = car_in(lot, GONE, 8), car_in(lot, STRANGER, 9)

    stocktaking.finish(lot.db, lot.lot, begun.subject, NOWHERE, "li", at(10))

    assert of(lot, leaves).outcome == "FREE"
    assert of(lot, comes).is_open
    assert of(lot, enters).is_open
    assert stays.count_open(lot.db.conn) == 2


def test_it_is_undone_whole_and_a_car_that_came_again_meanwhile_stays(lot: SmallLot) -> None:
    closed, again = car_in(lot, HERE), car_in(lot, GONE)
    take = taken(lot, STRANGER)
    back = car_in(lot, GONE, 80)

    assert stocktaking.undo(lot.db, lot.lot, take, "wang", " ", at(90)) == Refuse("reason_missing")
    assert stocktaking.undo(lot.db, lot.lot, take, "wang", "wrong row", at(90)) == Done(take)
    assert stocktaking.undo(lot.db, lot.lot, take, "wang", "wrong row", at(91)) == Refuse("no_stock_take")

    assert of(lot, closed).is_open
    assert (of(lot, again).is_open, of(lot, back).is_open) == (False, True)
    assert stays.find_open(lot.db.conn, STRANGER) is None
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", HERE), at(95))) == PayFirst(1000)
    assert check_books(lot.db.conn) == []


def test_one_walk_at_a_time_which_may_be_given_up(lot: SmallLot) -> None:
    stay = car_in(lot, HERE)
    begun = stocktaking.start(lot.db, lot.lot, "", "li", at(60))
    assert isinstance(begun, Done)
    assert stocktaking.start(lot.db, lot.lot, "", "li", at(61)) == Refuse("stock_take_open")
    assert stocktaking.mark(lot.db, "hello", "li", at(61)) == Refuse("not_a_plate")

    stocktaking.mark(lot.db, HERE, "li", at(61))
    stocktaking.unmark(lot.db, HERE, "li", at(61))
    take = stocktakes.current(lot.db.conn)
    assert take is not None
    assert [one.stay_id for one in stocktaking.outcome(lot.db.conn, take).missing] == [stay]
    assert stocktaking.drop(lot.db, begun.subject, "li", at(62)) == begun
    assert of(lot, stay).is_open
    assert stocktaking.mark(lot.db, HERE, "li", at(63)) == Refuse("no_stock_take")


def test_a_single_car_is_written_off_with_a_reason(lot: SmallLot) -> None:
    stay = car_in(lot, HERE)

    assert stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "", at(60)) == Refuse("reason_missing")
    assert stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "towed", at(60)) == Done(stay)
    assert stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "towed", at(60)) == Refuse("no_open_stay")
    assert of(lot, stay).cause == "stock_take"


def test_cars_inside_too_long_are_listed_with_their_last_sign(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(overstay_hours={"any": 24, "large": 2}))
    small = car_in(lot, HERE)
    large = enter(lot.db, lot.lot, replace(lot.arrival("in", GONE), vehicle_class="large"), at(60)).stay_id
    take_cash(lot.db, lot.lot, "p1", small, 500, "li", at(20))

    early = overstaying.left_over(lot.db.conn, lot.lot, at(190))
    late = overstaying.left_over(lot.db.conn, lot.lot, at(25 * 60))

    assert [(one.stay.stay_id, one.hours, one.limit_h, one.sign) for one in early] == [(large, 2, 2, "entry")]
    assert [(one.stay.stay_id, one.sign) for one in late] == [(small, "payment"), (large, "entry")]
    assert late[0].sign_wall_ms == at(20).wall_ms


LIMITS = LotRules(waive_limits_fen={"attendant": 800})


def staffed(tmp_path: Path, rules: LotRules) -> SmallLot:
    lot = small_lot(tmp_path, rules=rules)
    with transaction(lot.db) as conn:
        for name, role in (("li", "attendant"), ("chen", "supervisor")):
            people.put(conn, name, "", role, START)
    return lot


def test_nobody_lets_more_go_by_writing_a_car_off_than_by_a_waiver(tmp_path: Path) -> None:
    lot = staffed(tmp_path, LIMITS)
    stay = car_in(lot, HERE)
    assert waive(lot.db, lot.lot, stay, 400, "li", "complaint", at(50)) == Done(stay)

    alone = stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "towed", at(70))
    beside = stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "towed", at(70), approved_by="chen")

    assert (alone, beside) == (Refuse("above_waive_limit"), Done(stay))
    assert of(lot, stay).waived_fen == 1000
    acts = [(act.by, act.act) for act in journal.acts(lot.db.conn)]
    assert {("chen", "act.approve"), ("li", "stay.gone")} <= set(acts)


def test_a_walk_lets_no_car_go_beyond_the_limit_of_who_finishes_it(tmp_path: Path) -> None:
    lot = staffed(tmp_path, LIMITS)
    cheap, dear = car_in(lot, HERE, 30), car_in(lot, GONE)
    begun = stocktaking.start(lot.db, lot.lot, "", "li", at(60))
    assert isinstance(begun, Done)

    alone = stocktaking.finish(lot.db, lot.lot, begun.subject, NOWHERE, "li", at(70))
    assert (alone, of(lot, cheap).is_open, of(lot, dear).is_open) == (Refuse("above_waive_limit"), True, True)
    beside = stocktaking.finish(lot.db, lot.lot, begun.subject, NOWHERE, "li", at(70), approved_by="chen")

    assert (beside, of(lot, cheap).is_open, of(lot, dear).is_open) == (begun, False, False)


def test_what_the_car_is_to_owe_needs_nobodys_word(tmp_path: Path) -> None:
    lot = staffed(tmp_path, replace(LIMITS, stock_take=MissedExit.OWE))
    stay = car_in(lot, GONE)

    assert stocktaking.gone(lot.db, lot.lot, stay, NOWHERE, "li", "towed", at(70)) == Done(stay)


def test_a_car_that_stands_at_a_lane_is_neither_written_off_nor_missing(lot: SmallLot) -> None:
    stay = car_in(lot, HERE)
    begun = stocktaking.start(lot.db, lot.lot, "", "li", at(60))
    assert isinstance(begun, Done)

    assert stocktaking.gone(lot.db, lot.lot, stay, {stay}, "li", "towed", at(60)) == Refuse("car_at_lane")
    assert stocktaking.finish(lot.db, lot.lot, begun.subject, {stay}, "li", at(61)) == begun

    assert of(lot, stay).is_open
    assert stocktakes.lines(lot.db.conn, begun.subject, stocktakes.SEEN) == [stay]
