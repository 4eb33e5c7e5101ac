"""A supervisor says who attends a lane for a while; the timetable holds again afterwards, also over a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.attendance import Override
from domain.decision import Refuse
from domain.moment import Moment
from edge.db import attendance, journal
from edge.lanes.attendance import Attendance, Attended
from edge.services.attending import LONGEST_MS, attend
from edge.services.lot import Lot
from edge.settings import Lane
from tests.edge.lots import MINUTE_MS, START, SmallLot, at, small_lot

HOUR = 60  # the lot's clock stands at Saturday 08:00 when it starts


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def nightly(lot: Lot) -> Lane:
    return replace(lot.lanes["out"], unattended=("22:00-07:00",))


def wall(minutes: int) -> int:
    return at(minutes).wall_ms


def test_the_timetable_holds_until_somebody_says_otherwise_and_again_after(lot: SmallLot) -> None:
    lane, hours = nightly(lot.lot), Attendance(lot.lot, {})
    assert hours.of(lane, START) == Attended(True, wall(14 * HOUR))
    assert hours.of(lane, at(15 * HOUR)) == Attended(False, wall(23 * HOUR))

    said = attend(lot.db, lot.lot, "out", False, wall(2 * HOUR), "王主管", "manager", START)
    assert isinstance(said, Override)
    hours.said("out", said)

    assert hours.of(lane, at(60)) == Attended(False, wall(2 * HOUR), "王主管")
    assert hours.of(lane, at(120)) == Attended(True, wall(14 * HOUR))
    assert [(act.by, act.act, act.reason) for act in journal.acts(lot.db.conn)] == [
        ("王主管", "lane.attend", "unattended until 2026-11-21 10:00")
    ]


def test_a_restart_knows_what_was_said_and_the_timetable_can_be_brought_back(lot: SmallLot) -> None:
    attend(lot.db, lot.lot, "out", False, wall(60), "王主管", "manager", START)
    again = Attendance(lot.lot, attendance.standing(lot.db.conn))
    assert not again.is_attended(nightly(lot.lot), at(30))

    attend(lot.db, lot.lot, "out", False, wall(30), "王主管", "manager", at(30))

    assert Attendance(lot.lot, attendance.standing(lot.db.conn)).is_attended(nightly(lot.lot), at(31))


@pytest.mark.parametrize(
    ("lane", "role", "until", "code"),
    [
        ("nowhere", "manager", START.wall_ms + MINUTE_MS, "no_such_lane"),
        ("out", "attendant", START.wall_ms + MINUTE_MS, "supervisor_only"),
        ("out", "manager", START.wall_ms + LONGEST_MS + 1, "time_too_far"),
    ],
)
def test_only_a_supervisor_says_so_and_not_for_ever(lot: SmallLot, lane: str, role: str, until: int, code: str) -> None:
    now: Moment = START

    assert attend(lot.db, lot.lot, lane, False, until, "li", role, now) == Refuse(code)
    assert attendance.standing(lot.db.conn) == {}
