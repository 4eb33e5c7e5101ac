"""Shifts: the drawer belongs to a workstation, every figure to the book, and two names stand under a hand-over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Refuse
from domain.events import ShiftClosed, decode, open_envelope
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from domain.shift import ShiftTotals
from edge.db import log, money, people, stays
from edge.db import shifts as rows
from edge.db.database import transaction
from edge.services import arrears, manual, paying, reopening, shifts
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done, Result
from edge.services.shifts import Count
from edge.settings import LotRules
from edge.workstations import Shifts, Workstation
from tests.edge.lots import START, SmallLot, at, small_lot

CAR, OTHER = "京A12345", "京B67890"
PLACES = (Workstation("east", ("out",)), Workstation("west", ("in",)))


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path, rules=LotRules(shifts=Shifts.NEEDED), workstations=PLACES)
    with transaction(lot.db) as conn:
        for name, role in (("li", "attendant"), ("wang", "attendant"), ("chen", "supervisor")):
            people.put(conn, name, "", role, START)
    return lot


def opened(lot: SmallLot, by: str = "li", float_fen: int = 10_000, workstation: str = "east") -> str:
    return done(shifts.open_shift(lot.db, lot.lot, workstation, float_fen, by, START))


def done(result: Result) -> str:
    assert isinstance(result, Done), result
    return result.subject


def inside(lot: SmallLot, plate: str = CAR, now: Moment = START) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), now).stay_id


def pays(lot: SmallLot, stay_id: str, fen: int, minutes: int, by: str = "li", workstation: str = "east") -> object:
    return paying.take_cash(lot.db, lot.lot, f"pay-{stay_id}", stay_id, fen, by, at(minutes), at=workstation)


def test_cash_without_a_shift_is_refused_and_nothing_is_booked(lot: SmallLot) -> None:
    stay = inside(lot)

    assert pays(lot, stay, 500, 30) == Refuse("shift_needed")
    assert pays(lot, stay, 500, 30, workstation="") == Refuse("workstation_needed")
    opened(lot)
    assert pays(lot, stay, 500, 30, by="wang") == Refuse("shift_of_other")
    assert lot.db["payment"].count == 0

    assert isinstance(pays(lot, stay, 500, 30), paying.Taken)


def test_a_lot_without_shifts_takes_cash_as_before(lot: SmallLot) -> None:
    off = replace(lot.lot, rules=LotRules())
    stay = inside(lot)

    assert isinstance(paying.take_cash(lot.db, off, "p", stay, 500, "li", at(30)), paying.Taken)


def test_the_figures_are_those_of_the_postings_and_the_count_empties_the_drawer(lot: SmallLot) -> None:
    shift, stay, other = opened(lot), inside(lot), inside(lot, OTHER)
    pays(lot, stay, 1000, 70)
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))
    manual.open_barrier(lot.db, lot.lot, "out", "li", "broken", OTHER, at(75))  # leaves owing 10 yuan
    arrears.pay(lot.db, lot.lot, "debt-payment", OTHER, 400, "li", at(80), at="east")
    manual.open_barrier(lot.db, lot.lot, "in", "li", "test", "", at(81))  # another workstation's lane

    assert done(shifts.drop_cash(lot.db, lot.lot, shift, "d1", 5000, "li", at(90))) == shift
    shifts.drop_cash(lot.db, lot.lot, shift, "d1", 5000, "li", at(90))  # a double tap
    assert shifts.drop_cash(lot.db, lot.lot, shift, "d2", 99_000, "li", at(90)) == Refuse("more_than_in_drawer")

    wanted = ShiftTotals(
        cars=2, payments=1, fee_fen=2000, owed_fen=1000, debts_fen=400, cash_fen=1400, float_fen=10_000, drop_fen=5000,
        openings=1,
    )  # fmt: skip
    assert shifts.totals(lot.db.conn, shift) == wanted
    done(shifts.close_shift(lot.db, lot.lot, shift, Count(6300), "li", at(100)))

    assert shifts.totals(lot.db.conn, shift) == wanted, "the count is no takings"
    row = rows.get(lot.db.conn, shift)
    assert row is not None
    assert (row.expected_fen, row.counted_fen) == (6400, 6300)
    assert check_books(lot.db.conn) == []
    assert other


def test_what_was_paid_by_other_means_counts_where_the_car_leaves(lot: SmallLot) -> None:
    shift, stay = opened(lot), inside(lot)
    with transaction(lot.db) as conn:
        money.insert_payment(conn, money.PaymentRow("ph", stay, "phone", 1000, "phone", at(60).wall_ms))
        stays.add_paid(conn, stay, 1000)
        money.post(conn, "pay:ph", move("held", "phone", 1000, Commodity.FEN, Funds.PAID), stay, at(60))
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(70))

    sums = shifts.totals(lot.db.conn, shift)

    assert (sums.cars, sums.fee_fen, sums.electronic_fen, sums.cash_fen) == (1, 1000, 1000, 0)


def test_an_exit_taken_back_leaves_the_shift(lot: SmallLot) -> None:
    shift, stay = opened(lot), inside(lot)
    pays(lot, stay, 1000, 70)
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))

    reopening.reopen(lot.db, lot.lot, stay, "li", "supervisor", "turned round", at(72))

    sums = shifts.totals(lot.db.conn, shift)
    assert (sums.cars, sums.fee_fen, sums.cash_fen) == (0, 0, 1000)


def test_a_hand_over_has_both_names_and_goes_on_at_once(lot: SmallLot) -> None:
    first = opened(lot)

    count = Count(10_000, takes_over="wang", kept_fen=4000)
    second = done(shifts.close_shift(lot.db, lot.lot, first, count, "li", at(60)))

    row = rows.open_at(lot.db.conn, "east")
    assert row is not None
    assert (row.shift_id, row.opened_by, row.number) == (second, "wang", 2)
    assert shifts.totals(lot.db.conn, second).expected_fen == 4000
    event = closed_event(lot)
    assert (event.closed_by, event.takes_over, event.counted_fen) == ("li", "wang", 10_000)


def closed_event(lot: SmallLot) -> ShiftClosed:
    bodies = [row[0] for row in lot.db.conn.execute("SELECT body FROM outbox WHERE type = 'shift.closed'")]
    event = decode(open_envelope(bodies[-1]))
    assert isinstance(event, ShiftClosed)
    return event


def test_the_report_names_the_head_of_the_log_it_was_made_on(lot: SmallLot) -> None:
    shift = opened(lot)
    done(shifts.close_shift(lot.db, lot.lot, shift, Count(10_000), "li", at(60)))

    event = closed_event(lot)

    epoch = log.newest(lot.db.conn).epoch
    found = log.hash_at(lot.db.conn, epoch, event.log_seq)
    assert found is not None
    assert found.hex() == event.log_head


def test_a_forgotten_shift_is_closed_by_a_supervisor_with_a_reason(lot: SmallLot) -> None:
    shift = opened(lot)

    assert shifts.close_shift(lot.db, lot.lot, shift, Count(1), "wang", at(60)) == Refuse("not_your_shift")
    assert shifts.close_shift(lot.db, lot.lot, shift, Count(1), "chen", at(60)) == Refuse("reason_missing")
    done(shifts.close_shift(lot.db, lot.lot, shift, Count(1, "went home"), "chen", at(60)))

    assert shifts.close_shift(lot.db, lot.lot, shift, Count(1), "li", at(61)) == Refuse("shift_is_closed")


def test_every_workstation_has_a_shift_of_its_own(lot: SmallLot) -> None:
    opened(lot)

    assert shifts.open_shift(lot.db, lot.lot, "east", 0, "wang", START) == Refuse("shift_is_open")
    opened(lot, "wang", 0, "west")

    assert [row.workstation for row in rows.newest(lot.db.conn, 9) if row.is_open] == ["west", "east"]
