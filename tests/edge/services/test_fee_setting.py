"""A fee set by hand: higher or lower, within limits, a line of its own, in the shift, the book and every replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.events import FeeOverridden, decode, open_envelope
from edge.db import journal, log, people, stays
from edge.db import shifts as shift_rows
from edge.db.database import transaction
from edge.services import fee_setting, manual, paying, reopening, settling, shifts
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done, Result
from edge.settings import LotRules
from edge.workstations import Shifts, Workstation
from tests.edge.lots import START, SmallLot, at, small_lot

CAR = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    rules = LotRules(shifts=Shifts.NEEDED, fee_limits_fen={"attendant": 2_000})
    lot = small_lot(tmp_path, rules=rules, workstations=(Workstation("east", ("out",)),))
    with transaction(lot.db) as conn:
        for name, role in (("li", "attendant"), ("chen", "supervisor")):
            people.put(conn, name, "", role, START)
    assert isinstance(shifts.open_shift(lot.db, lot.lot, "east", 10_000, "li", START), Done)
    return lot


def inside(lot: SmallLot) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", CAR), START).stay_id


def sets(lot: SmallLot, stay: str, fen: int, minutes: int, set_id: str = "s1", **more: str) -> Result:
    reason = more.pop("reason", "lost_ticket")
    return fee_setting.set_fee(lot.db, lot.lot, set_id, stay, fen, "li", reason, at(minutes), at="east", **more)


def due(lot: SmallLot, stay: str, minutes: int) -> int:
    return paying.due_of(lot.db.conn, lot.lot, stay, at(minutes))


def lines(lot: SmallLot, stay: str, minutes: int) -> list[tuple[str, int]]:
    row = stays.get(lot.db.conn, stay)
    assert row is not None
    priced = settling.standing(lot.db.conn, lot.lot, row, at(minutes)).priced
    assert priced is not None
    return [(line["rule"], line["fen"]) for line in priced.lines]


def test_a_raised_fee_is_a_line_of_its_own_and_grows_on_by_the_list(lot: SmallLot) -> None:
    stay = inside(lot)
    assert due(lot, stay, 70) == 1000

    assert sets(lot, stay, 2500, 70) == Done("s1")
    assert sets(lot, stay, 2500, 70) == Done("s1"), "a double tap"

    assert lines(lot, stay, 70)[-1] == ("set_by_hand", 1500)
    assert (due(lot, stay, 70), due(lot, stay, 130)) == (2500, 3000)
    paid = paying.take_cash(lot.db, lot.lot, "p1", stay, 2500, "li", at(71), at="east")
    assert isinstance(paid, paying.Taken)
    gone = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(72))
    assert gone.decision.verdict == Admit("within_leave_time")
    assert check_books(lot.db.conn) == []


def test_a_lowered_fee_takes_no_more_off_than_there_is_and_replays_to_the_byte(lot: SmallLot) -> None:
    stay = inside(lot)

    assert sets(lot, stay, 0, 70) == Done("s1")

    assert due(lot, stay, 70) == 0
    later = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(190))
    assert isinstance(later.decision.verdict, PayFirst)
    assert later.decision.explanation["due_fen"] == 1000, "two hours more by the list"
    assert replay(lot.db.conn, later.decision_id).same
    assert check_books(lot.db.conn) == []


def test_what_was_set_before_a_payment_stays_set_for_a_car_that_does_not_leave(lot: SmallLot) -> None:
    stay = inside(lot)
    sets(lot, stay, 400, 70)
    paying.take_cash(lot.db, lot.lot, "p1", stay, 400, "li", at(70), at="east")

    assert due(lot, stay, 130) == 500, "the third hour, the six yuan let go at first not asked for again"
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(130))


def test_beyond_the_limit_a_supervisor_approves_and_both_are_on_record(lot: SmallLot) -> None:
    stay = inside(lot)

    assert sets(lot, stay, 5000, 70) == Refuse("above_fee_limit")
    assert sets(lot, stay, 5000, 70, approved_by="chen") == Done("s1")

    told = [decode(open_envelope(body)) for body, _ in log.bodies(lot.db.conn, 1, 1, 99)]
    assert [one for one in told if isinstance(one, FeeOverridden)] == [
        FeeOverridden("s1", stay, CAR, 1000, 5000, "li", "chen", "lost_ticket")
    ]
    acts = [(act.by, act.act) for act in journal.acts(lot.db.conn)]
    assert {("chen", "fee.approve"), ("li", "fee.set")} <= set(acts)


def test_what_one_person_set_twice_counts_together(lot: SmallLot) -> None:
    stay = inside(lot)

    assert sets(lot, stay, 2500, 70) == Done("s1")
    assert sets(lot, stay, 4000, 70, "s2") == Refuse("above_fee_limit")
    assert sets(lot, stay, 1000, 70, "s2") == Done("s2"), "back to what the list says"

    assert lines(lot, stay, 70)[-1][0] != "set_by_hand"


@pytest.mark.parametrize(
    ("fen", "reason", "code"), [(1500, " ", "reason_missing"), (-1, "x", "bad_amount"), (1000, "x", "bad_amount")]
)
def test_a_fee_needs_a_reason_and_another_amount(lot: SmallLot, fen: int, reason: str, code: str) -> None:
    assert sets(lot, inside(lot), fen, 70, reason=reason) == Refuse(code)


def test_no_fee_is_set_for_a_car_that_is_free_has_paid_or_is_gone(lot: SmallLot) -> None:
    police = enter(lot.db, lot.lot, lot.arrival("in", "京A1234警"), START).stay_id
    stay = inside(lot)
    assert fee_setting.set_fee(lot.db, lot.lot, "s0", police, 500, "chen", "x", at(70)) == Refuse("fee_fixed")

    paying.take_cash(lot.db, lot.lot, "p1", stay, 1000, "li", at(70), at="east")
    assert sets(lot, stay, 1500, 71) == Refuse("fee_fixed")
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(72))
    assert sets(lot, stay, 1500, 73) == Refuse("no_open_stay")


def test_the_shift_tells_what_was_set_by_hand(lot: SmallLot) -> None:
    shift = shift_rows.open_at(lot.db.conn, "east")
    assert shift is not None
    stay = inside(lot)
    sets(lot, stay, 2500, 70)
    paying.take_cash(lot.db, lot.lot, "p1", stay, 2500, "li", at(70), at="east")
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))

    sums = shifts.totals(lot.db.conn, shift.shift_id)

    assert (sums.fee_fen, sums.by_hand_fen, sums.cash_fen) == (2500, 1500, 2500)


def test_a_stay_opened_again_keeps_what_was_set(lot: SmallLot) -> None:
    stay = inside(lot)
    sets(lot, stay, 2500, 70)
    manual.open_barrier(lot.db, lot.lot, "out", "li", "unpaid", CAR, at(70))

    assert reopening.reopen(lot.db, lot.lot, stay, "li", "supervisor", "stayed", at(71)) == Done(stay)
    assert due(lot, stay, 71) == 2500
    assert check_books(lot.db.conn) == []


def test_lots_may_set_other_limits(lot: SmallLot) -> None:
    limited = replace(lot.lot, rules=replace(lot.lot.rules, fee_limits_fen={"supervisor": 100}))
    stay = inside(lot)

    refused = fee_setting.set_fee(lot.db, limited, "s1", stay, 1200, "chen", "x", at(70))

    assert refused == Refuse("above_fee_limit")
