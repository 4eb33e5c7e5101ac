"""A car that is locked in does not leave, paid or not, until who may lets it go; its decisions replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, Refuse
from edge.db import journal, people, plate_locks
from edge.db.database import transaction
from edge.services import manual, paying, plate_locking
from edge.services.checking import replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from tests.edge.lots import START, SmallLot, at, small_lot

CAR = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path)
    with transaction(lot.db) as conn:
        for name, role in (("li", "attendant"), ("wang", "attendant"), ("chen", "supervisor")):
            people.put(conn, name, "", role, START)
    return lot


def locked(lot: SmallLot) -> str:
    stay = enter(lot.db, lot.lot, lot.arrival("in", CAR), START).stay_id
    assert plate_locking.lock(lot.db, stay, "li", "owner", at(5)) == Done(stay)
    return stay


def test_a_locked_car_stays_in_though_it_has_paid_and_the_decision_replays(lot: SmallLot) -> None:
    stay = locked(lot)
    paying.take_cash(lot.db, lot.lot, "p1", stay, 1000, "li", at(70))

    kept = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))

    assert kept.decision.verdict == Refuse("plate_locked")
    assert replay(lot.db.conn, kept.decision_id).same
    assert plate_locking.unlock(lot.db, stay, "li", at(72)) == Done(stay)
    assert leave(lot.db, lot.lot, lot.arrival("out", CAR), at(72)).decision.verdict == Admit("within_leave_time")


def test_who_locked_it_or_a_supervisor_lets_it_go(lot: SmallLot) -> None:
    stay = locked(lot)

    assert plate_locking.unlock(lot.db, stay, "wang", at(6)) == Refuse("supervisor_only")
    assert plate_locking.unlock(lot.db, stay, "wang", at(6), approved_by="chen") == Done(stay)
    assert plate_locking.unlock(lot.db, stay, "chen", at(6)) == Refuse("not_locked")

    acts = [(act.by, act.act) for act in journal.acts(lot.db.conn)]
    assert {("li", "plate.lock"), ("chen", "act.approve"), ("wang", "plate.unlock")} <= set(acts)


def test_a_lock_goes_with_the_car_when_its_plate_is_mended(lot: SmallLot) -> None:
    stay = locked(lot)

    manual.correct_plate(lot.db, stay, "京A12346", "li", at(6))

    assert plate_locks.get(lot.db.conn, CAR) is None
    assert plate_locks.get(lot.db.conn, "京A12346") is not None


def test_a_lock_needs_a_reason_and_a_car_inside(lot: SmallLot) -> None:
    stay = enter(lot.db, lot.lot, lot.arrival("in", CAR), START).stay_id

    assert plate_locking.lock(lot.db, stay, "li", " ", at(5)) == Refuse("reason_missing")
    assert plate_locking.lock(lot.db, "nobody", "li", "owner", at(5)) == Refuse("no_open_stay")
