"""A barrier held open: who may, what is written, and what the cars that go meanwhile owe."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Refuse
from domain.stay import Direction, UnpaidCause
from edge.db import holds, journal, money, stays
from edge.services import holding, passages
from edge.services.entering import enter
from edge.services.lot import Done
from edge.services.staffing import ATTENDANT, MANAGER
from edge.settings import Devices, Lane
from tests.edge.lots import START, SmallLot, at, small_lot

PLATE = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lanes = (
        Lane("in", Direction.ENTRY, "outside", "main", barrier="gate"),
        Lane("out", Direction.EXIT, "main", "outside", barrier="boom"),
        Lane("side", Direction.EXIT, "main", "outside"),
    )
    devices = Devices(barriers={"gate": {"type": "simulated"}, "boom": {"type": "simulated"}})
    return small_lot(tmp_path, lanes=lanes, devices=devices)


def hold(lot: SmallLot, lane: str = "out", role: str = ATTENDANT, reason: str = "fire", owes: bool = False) -> object:
    return holding.hold_open(lot.db, lot.lot, lane, "li", role, reason, "smoke", owes, START)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"reason": ""}, "reason_missing"),
        ({"reason": "because"}, "reason_missing"),
        ({"lane": "nowhere"}, "no_such_lane"),
        ({"lane": "side"}, "no_barrier"),
        ({"reason": "convoy"}, "manager_only"),
    ],
)
def test_what_is_refused_holds_nothing(lot: SmallLot, given: dict[str, str], refused: str) -> None:
    assert hold(lot, **given) == Refuse(refused)  # type: ignore[arg-type]
    assert holds.standing(lot.db.conn, {"boom", "gate"}) == {}
    assert lot.types() == []


def test_holding_and_letting_go_each_leave_a_name_and_the_office_hears_of_it(lot: SmallLot) -> None:
    assert hold(lot) == Done("boom")
    assert list(holds.standing(lot.db.conn, {"boom", "gate"})) == ["boom"]
    assert holding.release(lot.db, lot.lot, "out", "wang", ATTENDANT, at(9)) == Done("boom")

    assert holds.standing(lot.db.conn, {"boom", "gate"}) == {}
    acts = [(act.by, act.act, act.subject, act.reason) for act in reversed(journal.acts(lot.db.conn))]
    assert acts == [("li", "barrier.hold", "out", "fire smoke"), ("wang", "barrier.release", "out", "fire")]
    assert [one.code for one in journal.incidents(lot.db.conn)] == ["held_open"]
    assert holding.release(lot.db, lot.lot, "out", "wang", ATTENDANT, at(9)) == Refuse("not_held")


def test_what_a_manager_ordered_a_manager_ends(lot: SmallLot) -> None:
    assert hold(lot, role=MANAGER, reason="convoy") == Done("boom")

    assert holding.release(lot.db, lot.lot, "out", "li", ATTENDANT, START) == Refuse("manager_only")
    assert holding.release(lot.db, lot.lot, "out", "boss", MANAGER, START) == Done("boom")


@pytest.mark.parametrize(("owes", "outcome", "owed_fen"), [(False, "WAIVED", 0), (True, "UNPAID", 1000)])
def test_a_car_that_goes_meanwhile_owes_only_where_that_was_chosen(
    lot: SmallLot, owes: bool, outcome: str, owed_fen: int
) -> None:
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    hold(lot, owes=owes)

    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.EMERGENCY, PLATE, at(70))

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert (row.outcome, row.cause, row.owed_fen) == (outcome, "emergency", owed_fen)
    assert sum(debt.owed_fen for debt in money.debts(lot.db.conn, PLATE)) == owed_fen
