"""Monthly cars and their like at the lanes: covered parts cost nothing, the rest is charged."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.settings import Zone
from tests.edge.lots import HOURLY, START, SmallLot, at, small_lot, verdict

PLATE, OTHER = "京A12345", "粤B98765"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def entitle(lot: SmallLot, plate: str = PLATE, **terms: object) -> None:
    lot.put("people", f"e:{plate}", {"list": "entitled", "plate": plate, "id": "m1"} | terms)


def car_in(lot: SmallLot, plate: str = PLATE) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", plate), START)


def test_a_monthly_car_leaves_without_paying(lot: SmallLot) -> None:
    entitle(lot)
    car_in(lot)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(600))) == Admit("covered")


def test_after_its_last_minute_only_the_rest_is_charged(lot: SmallLot) -> None:
    entitle(lot, until_ms=at(60).wall_ms)
    car_in(lot)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(150))) == PayFirst(1000)


def test_with_one_place_for_two_cars_the_second_pays_while_the_first_is_inside(lot: SmallLot) -> None:
    for plate in (PLATE, OTHER):
        entitle(lot, plate, plates=[PLATE, OTHER], places=1)
    car_in(lot)
    enter(lot.db, lot.lot, lot.arrival("in", OTHER), at(10))

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", OTHER), at(80))) == PayFirst(1000)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(81))) == Admit("covered")
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", OTHER), at(700))) == PayFirst(1000)


def test_a_row_that_makes_no_sense_gives_nothing_and_stops_nobody(lot: SmallLot) -> None:
    entitle(lot, windows=["always"])
    car_in(lot)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))) == PayFirst(500)


def test_a_full_lot_still_lets_a_monthly_car_in(tmp_path: Path) -> None:
    tariff = tmp_path / "hourly.toml"
    tariff.write_text(HOURLY, encoding="utf-8")
    lot = small_lot(tmp_path, zones=(Zone("main", (tariff,), places=1),))
    car_in(lot, "京C55555")
    entitle(lot)

    assert verdict(enter(lot.db, lot.lot, lot.arrival("in", OTHER), START)) == Refuse("lot_full")
    assert verdict(enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)) == Admit("entered")
