"""Monthly cars and their like at the lanes: covered parts cost nothing, the rest is charged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.decision import Admit, Ask, PayFirst, Refuse
from edge.db import vouchers
from edge.services import listed
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.settings import Zone
from tests.edge.lots import HOURLY, START, SmallLot, at, small_lot, verdict

PLATE, OTHER, THIRD = "京A12345", "粤B98765", "苏E00001"


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


def test_a_monthly_car_keeps_its_coupons_and_one_that_has_to_pay_the_rest_uses_one(lot: SmallLot) -> None:
    coupon = {"kind": "AMOUNT", "value": 1000, "template_id": 5, "merchant_id": 3, "stay_id": ""}
    for plate, until in ((PLATE, None), (OTHER, at(60).wall_ms)):
        entitle(lot, plate, **({} if until is None else {"until_ms": until}))
        lot.put("coupons", f"c-{plate}", {**coupon, "plate": plate})
        car_in(lot, plate)

    assert leaves(lot, PLATE, 150) == Admit("covered")
    assert leaves(lot, OTHER, 150) == Admit("nothing_due")
    assert [vouchers.is_coupon_used(lot.db.conn, f"c-{plate}") for plate in (PLATE, OTHER)] == [False, True]


def test_a_car_within_its_free_minutes_keeps_its_coupons(lot: SmallLot) -> None:
    coupon = {"kind": "FULL_WAIVER", "template_id": 5, "merchant_id": 3, "plate": PLATE, "stay_id": ""}
    lot.put("coupons", "c1", coupon)
    car_in(lot)

    assert leaves(lot, PLATE, 10) == Admit("nothing_due")
    assert not vouchers.is_coupon_used(lot.db.conn, "c1")


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


def family(lot: SmallLot, policy: str, places: int = 1) -> None:
    for plate in (PLATE, OTHER, THIRD):
        entitle(lot, plate, plates=[PLATE, OTHER, THIRD], places=places, when_full=policy)


def arrives(lot: SmallLot, plate: str, minutes: float, *, agreed: bool = False) -> object:
    arrival = lot.arrival("in", plate)
    typed_by = "li" if agreed else ""
    return verdict(enter(lot.db, lot.lot, replace(arrival, agreed=agreed, typed_by=typed_by), at(minutes)))


def leaves(lot: SmallLot, plate: str, minutes: float) -> object:
    return verdict(leave(lot.db, lot.lot, lot.arrival("out", plate), at(minutes)))


def test_a_family_whose_places_are_taken_is_refused_where_the_list_says_so(lot: SmallLot) -> None:
    family(lot, "refuse")
    car_in(lot)

    assert arrives(lot, OTHER, 10) == Refuse("places_taken")
    assert leaves(lot, PLATE, 20) == Admit("covered")
    assert arrives(lot, OTHER, 21) == Admit("entered")


def test_the_attendant_is_asked_where_the_list_says_so_and_the_car_pays_until_a_place_is_free(lot: SmallLot) -> None:
    family(lot, "ask")
    car_in(lot)

    assert arrives(lot, OTHER, 10) == Ask((OTHER,), "places_taken")
    assert arrives(lot, OTHER, 11, agreed=True) == Admit("entered")
    assert leaves(lot, PLATE, 71) == Admit("covered")
    assert leaves(lot, OTHER, 200) == PayFirst(500)


def test_a_car_temporary_for_its_whole_stay_pays_it_all_and_takes_no_place_from_the_next(lot: SmallLot) -> None:
    family(lot, "whole_stay")
    car_in(lot)
    arrives(lot, OTHER, 10)
    assert leaves(lot, PLATE, 20) == Admit("covered")
    arrives(lot, THIRD, 30)

    assert leaves(lot, OTHER, 130) == PayFirst(1000)
    assert leaves(lot, THIRD, 131) == Admit("covered")


def test_days_of_grace_still_cover(lot: SmallLot) -> None:
    entitle(lot, until_ms=at(-60).wall_ms, grace_days=1)
    car_in(lot)

    assert leaves(lot, PLATE, 1439 - 60) == Admit("covered")


def test_only_the_nights_are_covered(lot: SmallLot) -> None:
    entitle(lot, windows=[[20 * 60, 8 * 60, []]])
    car_in(lot)  # at 08:00

    assert leaves(lot, PLATE, 24 * 60) == PayFirst(12 * 500)


@pytest.mark.parametrize(
    ("terms", "answer"),
    [
        ({}, Refuse("blocked")),
        ({"until_ms": at(1).wall_ms}, Refuse("blocked")),
        ({"until_ms": at(0).wall_ms}, Admit("entered")),
        ({"from_ms": at(1).wall_ms}, Admit("entered")),
    ],
)
def test_a_plate_is_kept_out_as_long_as_the_list_says(lot: SmallLot, terms: dict[str, object], answer: object) -> None:
    lot.put("people", f"block:{PLATE}", {"list": "block", "plate": PLATE, "reason": "fights"} | terms)

    assert arrives(lot, PLATE, 0) == answer


@pytest.mark.parametrize(
    ("terms", "kind", "state", "left"),
    [
        ({"until_ms": at(16 * 60 + 2 * 1440).wall_ms}, "monthly", "good", 3),  # ends at midnight two days on
        ({"until_ms": at(16 * 60).wall_ms}, "monthly", "good", 1),
        ({"until_ms": at(-8 * 60).wall_ms, "grace_days": 2}, "monthly", "grace", 2),
        ({"until_ms": at(-8 * 60).wall_ms}, "monthly", "ended", 0),
        ({"from_ms": at(60).wall_ms, "grant": "visitor"}, "visitor", "ahead", None),
        ({}, "monthly", "good", None),
    ],
)
def test_the_booth_is_told_how_a_car_stands(
    lot: SmallLot, terms: dict[str, Any], kind: str, state: str, left: int | None
) -> None:
    entitle(lot, name="陈先生", **terms)

    said = listed.standing(lot.db.conn, lot.lot, PLATE, START)

    assert said is not None
    assert (said.kind, said.state, said.days_left, said.name) == (kind, state, left, "陈先生")


def test_police_is_free_by_kind_and_a_blocked_plate_is_blocked_first(lot: SmallLot) -> None:
    entitle(lot)
    lot.put("people", "block:x", {"list": "block", "plate": PLATE, "reason": "fights"})

    police, blocked = (listed.standing(lot.db.conn, lot.lot, plate, START) for plate in ("京A1234警", PLATE))

    assert police == listed.Standing("free_kind", detail="police")
    assert blocked == listed.Standing("block", detail="fights")
    assert listed.standing(lot.db.conn, lot.lot, OTHER, START) is None
