"""One car through the lot: what is decided, what is written before the barrier moves, and what cannot happen twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, Ask, PayFirst, Refuse, inputs_from, replayed
from domain.moment import Moment, Quality
from edge.db import decisions, journal, money, stays
from edge.pricelists import stored_prices
from edge.services import passages
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.paying import Taken, take_cash
from edge.services.recovering import recover
from edge.settings import LotRules, MissedExit
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

PLATE = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def car_in(lot: SmallLot, plate: str = PLATE, when: Moment = START) -> str:
    entered = enter(lot.db, lot.lot, lot.arrival("in", plate), when)
    passages.seen(lot.db, lot.lot, "in", entered.decision_id, plate, when)
    return entered.stay_id


def test_a_car_comes_in_with_its_stay_and_pulse_committed_together(lot: SmallLot) -> None:
    entered = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)

    assert (verdict(entered), entered.opens) == (Admit("entered"), True)
    assert lot.types() == ["stay.opened", "barrier.opened"]
    assert decisions.was_pulsed(lot.db.conn, entered.decision_id)


@pytest.mark.parametrize(("minutes", "due"), [(15, 0), (16, 500), (60, 500), (61, 1000), (61.9, 1000)])
def test_a_stay_costs_by_its_whole_minutes(lot: SmallLot, minutes: float, due: int) -> None:
    car_in(lot)

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minutes))

    assert verdict(left) == (PayFirst(due) if due else Admit("nothing_due"))
    assert left.opens == (due == 0)


def test_a_car_pays_cash_and_leaves_with_books_that_balance(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))) == PayFirst(1000)

    taken = take_cash(lot.db, lot.lot, "p1", stay_id, 1000, "li", at(71))
    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(72))

    assert isinstance(taken, Taken)
    assert taken.left_fen == 0
    assert left.opens
    assert lot.types()[-2:] == ["stay.closed", "barrier.opened"]
    assert money.balances(lot.db.conn) == {"cash": 1000, "fee": -1000, "held": 0}


def test_a_double_tap_takes_money_once(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    again = take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    more = take_cash(lot.db, lot.lot, "p2", stay_id, 500, "li", at(30))

    assert isinstance(again, Taken)
    assert more == Refuse("more_than_due")
    assert money.balances(lot.db.conn)["cash"] == 500


def test_the_fee_is_frozen_while_the_driver_looks_for_money(lot: SmallLot) -> None:
    car_in(lot)

    fees = [verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minute))) for minute in (59, 69, 69.5)]

    assert fees == [PayFirst(500), PayFirst(500), PayFirst(1000)]


def test_paid_ahead_a_car_has_a_quarter_of_an_hour_then_owes_the_difference(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(50))

    late = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(66))
    assert verdict(late) == PayFirst(500)

    other = car_in(lot, "京B12345", at(100))
    take_cash(lot.db, lot.lot, "p2", other, 500, "li", at(150))
    in_time = leave(lot.db, lot.lot, lot.arrival("out", "京B12345"), at(165))
    assert verdict(in_time) == Admit("within_leave_time")


def test_a_misread_plate_is_matched_and_the_stay_closed_is_the_real_one(lot: SmallLot) -> None:
    stay_id = car_in(lot)

    left = leave(lot.db, lot.lot, lot.arrival("out", "京A1234S"), at(10))

    assert verdict(left) == Admit("nothing_due")
    assert left.stay_id == stay_id
    assert left.decision.explanation["matched"]["how"] == "fuzzy"


def test_a_plain_video_read_never_opens_by_itself(lot: SmallLot) -> None:
    car_in(lot)

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE, trusted=False), at(10))
    typed = replace(lot.arrival("out", PLATE, trusted=False), typed_by="li")

    assert verdict(left) == Ask((PLATE,), "unconfirmed")
    assert leave(lot.db, lot.lot, typed, at(10)).opens


def test_a_resent_record_never_opens_again(lot: SmallLot) -> None:
    arrival = lot.arrival("in", PLATE)
    enter(lot.db, lot.lot, arrival, START)

    again = enter(lot.db, lot.lot, arrival, at(1))

    assert verdict(again) == Refuse("repeated_record")
    assert lot.types().count("barrier.opened") == 1


def test_a_power_cut_between_commit_and_pulse_lets_the_car_out_by_a_new_decision(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))
    lot.db.conn.close()  # the pulse was never given
    restarted = Moment("boot-b", 5_000, at(40).wall_ms)

    lot = small_lot(tmp_path, started=restarted)
    recover(lot.db, "0.1", restarted)
    second = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(14, restarted))

    assert first.opens
    assert verdict(second) == Admit("within_leave_time")
    assert second.opens
    assert second.decision_id != first.decision_id
    assert lot.types().count("stay.closed") == 1


def test_later_than_the_leave_time_only_the_difference_is_owed_and_every_stay_closes_once(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))

    late = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(130))
    assert verdict(late) == PayFirst(1000)
    take_cash(lot.db, lot.lot, "p2", late.stay_id, 1000, "li", at(131))
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(132))

    assert gone.opens
    assert money.balances(lot.db.conn) == {"cash": 1500, "fee": -1500, "held": 0}
    assert lot.types().count("stay.closed") == 2


@pytest.mark.parametrize("step_ms", [-7_200_000, 7_200_000, 40 * 86_400_000])
def test_setting_the_wall_clock_during_a_stay_changes_no_fee(lot: SmallLot, step_ms: int) -> None:
    car_in(lot)
    now = at(70)

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), replace(now, wall_ms=now.wall_ms + step_ms))

    assert verdict(left) == PayFirst(1000)


def test_across_a_reboot_the_fee_is_never_above_the_true_one(lot: SmallLot) -> None:
    car_in(lot, when=replace(START, uncertainty_ms=120_000))
    after = Moment("boot-b", 10, at(61).wall_ms, Quality.RTC, 120_000)

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), after)

    assert verdict(left) == PayFirst(500)


def test_a_second_entry_ends_the_first_stay_as_the_lot_says(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(missed_exit=MissedExit.OWE))
    first = car_in(lot)

    car_in(lot, when=at(300))

    old = stays.get(lot.db.conn, first)
    assert old is not None
    assert (old.outcome, old.cause, old.owed_fen) == ("UNPAID", "device", 2500)
    assert [debt.owed_fen for debt in money.debts(lot.db.conn, PLATE)] == [2500]
    assert [one.code for one in journal.incidents(lot.db.conn)] == ["second_entry"]


def test_by_default_a_missed_exit_costs_nobody_anything(lot: SmallLot) -> None:
    first = car_in(lot)

    car_in(lot, when=at(300))

    old = stays.get(lot.db.conn, first)
    assert old is not None
    assert (old.outcome, old.waived_fen, old.owed_fen) == ("WAIVED", 2500, 0)
    assert money.debts(lot.db.conn) == []


def test_a_car_asked_about_again_before_it_crossed_is_one_arrival(lot: SmallLot) -> None:
    first = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    second = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(1))

    assert second.stay_id == first.stay_id
    assert lot.types().count("stay.opened") == 1


def test_a_car_that_just_came_in_does_not_open_for_the_one_behind(lot: SmallLot) -> None:
    car_in(lot)

    again = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(1))

    assert verdict(again) == Refuse("already_inside")


def test_a_blocked_plate_stays_out(lot: SmallLot) -> None:
    lot.put("people", "b1", {"list": "block", "plate": PLATE, "reason": "stolen"})

    assert verdict(enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)) == Refuse("blocked")


def test_a_stored_decision_replays_from_the_database_alone(lot: SmallLot) -> None:
    car_in(lot)
    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))

    stored = decisions.get(lot.db.conn, left.decision_id)
    assert stored is not None
    inputs = inputs_from("exit", json.loads(stored.body)["inputs"])

    assert replayed(stored.body, stored_prices(lot.db.conn, inputs)) == stored.body  # type: ignore[arg-type]


def test_a_refused_write_leaves_nothing_behind(lot: SmallLot) -> None:
    car_in(lot)
    before = lot.types()
    broken = replace(lot.lot, new_id=lambda now: "same-id")
    leave(lot.db, broken, lot.arrival("out", PLATE), at(5))

    with pytest.raises(Exception, match="UNIQUE"):
        leave(lot.db, broken, lot.arrival("out", PLATE), at(6))

    assert lot.types()[: len(before)] == before
    assert lot.types().count("barrier.opened") == 2


def test_a_car_let_in_twice_for_one_arrival_leaves_no_ghost_when_it_turns_back(lot: SmallLot) -> None:
    first = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    second = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(1))

    passages.turned_back(lot.db, lot.lot, "in", second.decision_id, PLATE, at(1.5))

    row = stays.get(lot.db.conn, first.stay_id)
    assert row is not None
    assert (row.is_open, row.cause) == (False, "reversed")


def test_a_car_let_in_twice_for_one_arrival_is_inside_once_it_crossed(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    second = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(0.5))
    passages.seen(lot.db, lot.lot, "in", second.decision_id, PLATE, at(0.6))

    behind = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(1))

    assert verdict(behind) == Refuse("already_inside")
