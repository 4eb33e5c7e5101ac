"""Visitors the booth lets park for the day: who may add them, what they cost, what the cloud hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from edge.db import visitors as table
from edge.services import visitors
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.settings import LotRules, VisitorsBy
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

PLATE = "京A12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def add(lot: SmallLot, minutes: float = 0, plate: str = PLATE, host: str = "302 室", role: str = "manager") -> object:
    return visitors.add(lot.db, lot.lot, plate, host, "li", role, at(minutes))


def leaves(lot: SmallLot, minutes: float) -> object:
    return verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minutes)))


def test_a_visitor_parks_free_until_the_day_ends(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)

    assert isinstance(add(lot), Done)
    assert leaves(lot, 15 * 60) == Admit("covered")
    assert "visitor.added" in lot.types()


def test_before_it_was_a_visitor_and_after_midnight_a_car_pays(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    add(lot, 60)

    assert leaves(lot, 17 * 60) == PayFirst(1000)  # 08:00-09:00 and 00:00-01:00


def test_a_visit_that_is_ended_covers_no_longer_and_says_so_once(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    added = add(lot)
    assert isinstance(added, Done)

    first = visitors.end(lot.db, lot.lot, added.subject, "li", "manager", at(60))
    again = visitors.end(lot.db, lot.lot, added.subject, "li", "manager", at(61))

    assert (first, again) == (Done(added.subject), Refuse("no_such_visitor"))
    assert leaves(lot, 120) == PayFirst(500)
    assert lot.types().count("visitor.ended") == 1


@pytest.mark.parametrize(
    ("plate", "host", "code"),
    [("hello", "302", "not_a_plate"), (PLATE, " ", "host_missing"), (PLATE, "x" * 61, "host_missing")],
)
def test_what_makes_no_visitor_is_refused(lot: SmallLot, plate: str, host: str, code: str) -> None:
    assert add(lot, plate=plate, host=host) == Refuse(code)
    assert lot.types() == []


def test_the_same_car_is_written_down_once_a_day(lot: SmallLot) -> None:
    add(lot)

    assert add(lot, 30) == Refuse("visitor_known")
    assert isinstance(add(lot, 24 * 60), Done)
    assert len(table.of_plate(lot.db.conn, PLATE)) == 2


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [(VisitorsBy.NOBODY, ()), (VisitorsBy.MANAGER, ("manager",)), (VisitorsBy.ATTENDANT, ("manager", "attendant"))],
)
def test_who_may_add_visitors_is_the_lots_choice(tmp_path: Path, setting: VisitorsBy, allowed: tuple[str, ...]) -> None:
    lot = small_lot(tmp_path, rules=LotRules(visitors_by=setting))

    for role in ("attendant", "manager", "merchant:3"):
        assert (add(lot, plate="粤B98765", role=role) != Refuse("not_allowed")) is (role in allowed)
