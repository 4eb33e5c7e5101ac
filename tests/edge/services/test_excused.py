"""Who left without paying, and why: written down with the stay's end, and told to the cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit
from edge.db import excused
from edge.db.excused import ExcusedRow
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.manual import waive
from edge.services.paying import Taken, due_of, take_cash
from edge.services.reopening import reopen
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

PLATE = "京A12345"
ALWAYS = (0, 1 << 60)


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def stays_for(lot: SmallLot, plate: str, minutes: float) -> object:
    enter(lot.db, lot.lot, lot.arrival("in", plate), START)
    return verdict(leave(lot.db, lot.lot, lot.arrival("out", plate), at(minutes)))


def written(lot: SmallLot, why: str = "") -> list[ExcusedRow]:
    return excused.between(lot.db.conn, *ALWAYS, why, 10, 0)


def test_a_police_car_is_written_down_with_its_kind_and_the_decision_whose_picture_shows_it(lot: SmallLot) -> None:
    assert stays_for(lot, "京A1234警", 90) == Admit("free_kind")

    (row,) = written(lot)

    assert (row.why, row.detail, row.lane, row.plate) == ("free_kind", "police", "out", "京A1234警")
    stored = lot.db.conn.execute("SELECT verdict FROM decision WHERE decision_id = ?", (row.decision_id,)).fetchone()
    assert stored[0] == "Admit"
    assert lot.types().count("stay.excused") == 1


def test_a_monthly_car_is_written_down_as_covered_by_its_list(lot: SmallLot) -> None:
    lot.put("people", "e", {"list": "entitled", "plate": PLATE, "id": "m", "grant": "staff"})

    assert stays_for(lot, PLATE, 90) == Admit("covered")
    assert [(row.why, row.detail, row.waived_fen) for row in written(lot)] == [("covered", "staff", 0)]


def test_who_leaves_within_the_free_minutes_or_pays_is_not_written_down(lot: SmallLot) -> None:
    assert stays_for(lot, PLATE, 10) == Admit("nothing_due")

    assert written(lot) == []
    assert "stay.excused" not in lot.types()


def test_a_waived_fee_is_written_down_with_who_waived_it_and_why(lot: SmallLot) -> None:
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    waive(lot.db, lot.lot, stay_id, 500, "li", "complaint", at(60))

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(61))) != Admit("free_kind")

    (row,) = written(lot, "waived")
    assert (row.by, row.detail, row.waived_fen) == ("li", "complaint", 500)
    assert excused.totals(lot.db.conn, *ALWAYS) == {"waived": (1, 500)}


def test_a_stay_written_off_because_its_exit_was_missed_names_that(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(90))

    assert [(row.why, row.detail, row.by) for row in written(lot)] == [("waived", "missed_exit", "")]


def test_the_report_goes_by_day_and_by_why(lot: SmallLot) -> None:
    stays_for(lot, "京A1234警", 90)
    row = written(lot)[0]

    assert excused.between(lot.db.conn, row.wall_ms, row.wall_ms + 1, "free_kind", 10, 0) == [row]
    assert excused.between(lot.db.conn, row.wall_ms + 1, row.wall_ms + 2, "", 10, 0) == []
    assert written(lot, "waived") == []
    assert excused.between(lot.db.conn, *ALWAYS, "", 10, 1) == []


def test_a_stay_opened_again_and_paid_is_taken_back(lot: SmallLot) -> None:
    card: dict[str, object] = {"list": "entitled", "plate": PLATE, "id": "m"}
    lot.put("people", "e", card)
    assert stays_for(lot, PLATE, 90) == Admit("covered")
    stay_id = written(lot)[0].stay_id
    lot.put("people", "e", card | {"until_ms": START.wall_ms})

    assert isinstance(reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "wrong card", at(91)), Done)
    due = due_of(lot.db.conn, lot.lot, stay_id, at(150))
    assert due > 0
    assert isinstance(take_cash(lot.db, lot.lot, "p-1", stay_id, due, "li", at(150)), Taken)
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(151))), Admit)

    assert written(lot) == []
    assert lot.types().count("stay.excused") == 2
