"""How full a zone is: by the books, put right by hand, per class, and for whom it is not full."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, Refuse
from edge.db import journal
from edge.services import filling
from edge.services.entering import enter
from edge.services.lot import Decided, Done, Result
from tests.edge.lots import SmallLot, at, verdict
from tests.edge.nested import PLATE, go, nested_lot

FULL, IN, ON = Refuse("lot_full"), Admit("entered"), Admit("moved")


def come_in(lot: SmallLot, plate: str = PLATE, vehicle_class: str = "small") -> Decided:
    return enter(lot.db, lot.lot, replace(lot.arrival("in", plate), vehicle_class=vehicle_class), at(0))


def count(lot: SmallLot, counted: int, *, zone: str = "yard", vehicle_class: str = "", **changes: str) -> Result:
    said = {"by": "li", "role": "manager", "reason": "round"} | changes
    return filling.count(lot.db, lot.lot, zone, vehicle_class, counted, **said, now=at(1))


def inside(lot: SmallLot) -> dict[tuple[str, str], tuple[int, int | None]]:
    return {(one.zone, one.vehicle_class): (one.inside, one.free) for one in filling.of_lot(lot.db.conn, lot.lot)}


def test_a_car_counts_where_it_is(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 5}, places=2)
    come_in(lot)
    assert inside(lot) == {("yard", ""): (1, 4), ("garage", ""): (0, 2)}

    go(lot, "down", 5)

    assert inside(lot) == {("yard", ""): (0, 5), ("garage", ""): (1, 1)}


def test_a_full_garage_keeps_temporary_cars_out_and_lets_everybody_leave(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 1}, places=1)
    come_in(lot)
    go(lot, "down", 5)
    come_in(lot, "京A54321")

    assert verdict(go(lot, "down", 6, "京A54321")) == FULL
    assert verdict(go(lot, "up", 7)) == ON  # into a full yard: nobody is kept in


def test_a_monthly_car_finds_a_place_where_temporary_ones_do_not(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 1}, places=1)
    lot.put("people", "m", {"list": "entitled", "plate": "京A54321", "zones": ["garage"]})
    come_in(lot)
    go(lot, "down", 5)
    come_in(lot, "京A11111")

    assert verdict(come_in(lot, "京A22222")) == FULL
    assert verdict(come_in(lot, "京A54321")) == IN  # on its way to the garage
    assert verdict(go(lot, "down", 6, "京A54321")) == ON


def test_kept_places_are_full_for_temporary_cars_only(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 2, "kept_places": 1})
    lot.put("people", "m", {"list": "entitled", "plate": "京A54321"})
    come_in(lot)

    assert verdict(come_in(lot, "京A22222")) == FULL
    assert verdict(come_in(lot, "京A54321")) == IN


def test_a_class_with_places_of_its_own_fills_these_alone(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 1, "class_places": {"large": 1}})

    verdicts = [
        verdict(come_in(lot, plate, vehicle_class))
        for plate, vehicle_class in (
            ("京A11111", "large"), ("京A22222", "large"), ("京A33333", "small"), ("京A44444", "small"),
        )
    ]  # fmt: skip

    assert verdicts == [IN, FULL, IN, FULL]


def test_counted_by_hand_that_counts_and_later_cars_are_added(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 5})
    come_in(lot)

    assert count(lot, 4) == Done("yard")
    assert inside(lot)["yard", ""] == (4, 1)
    come_in(lot, "京A54321")

    assert inside(lot)["yard", ""] == (5, 0)
    assert verdict(come_in(lot, "京A11111")) == FULL


def test_a_count_below_the_books_never_makes_less_than_nobody(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, yard={"places": 5})
    come_in(lot)
    count(lot, 0)
    go(lot, "down", 5)

    assert inside(lot)["yard", ""] == (0, 5)


def test_a_count_is_kept_with_its_name_and_told(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path)
    come_in(lot)

    count(lot, 3)

    (body,) = lot.db.conn.execute("SELECT body FROM outbox WHERE type = 'zone.counted'").fetchone()
    assert json.loads(body)["d"] == {
        "zone": "yard", "vehicle_class": "", "books": 1, "counted": 3, "by": "li", "reason": "round",
    }  # fmt: skip
    assert [(act.by, act.act, act.subject) for act in journal.acts(lot.db.conn)] == [("li", "zone.count", "yard")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "attendant"}, "supervisor_only"),
        ({"reason": " "}, "reason_missing"),
        ({"zone": "roof"}, "no_such_zone"),
        ({"vehicle_class": "large"}, "no_such_zone"),
    ],
)
def test_what_cannot_be_counted_is_refused(tmp_path: Path, changes: dict[str, str], code: str) -> None:
    assert count(nested_lot(tmp_path), 3, **changes) == Refuse(code)


@pytest.mark.parametrize("counted", [-1, 100_001])
def test_a_number_no_zone_holds_is_refused(tmp_path: Path, counted: int) -> None:
    assert count(nested_lot(tmp_path), counted) == Refuse("bad_cars")
