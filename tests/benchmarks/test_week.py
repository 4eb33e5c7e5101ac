"""A few hundred cars of the scripted week; and mistakes put in on purpose, each of which it must see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from benchmarks.week.checks import Check, check_week
from benchmarks.week.devices import StreetBarrier
from benchmarks.week.house import House
from benchmarks.week.plan import plan_week
from benchmarks.week.report import WORDS, write_report
from benchmarks.week.virtual_time import virtual_loop
from benchmarks.week.week import Week
from edge.db import money
from edge.services import passages
from edge.sync.agent import OutdatedDatabaseError

pytestmark = pytest.mark.simulator


def played(folder: Path, *, cars: int, days: float = 0.15) -> tuple[Week, dict[str, Check]]:
    """Some hours with as many cars, all that goes wrong in a week drawn together into them."""
    with virtual_loop() as loop:
        week = Week(plan_week(3, days, round(cars / days)), folder, loop, lambda _: None)
        loop.run_until_complete(week.play())
        return week, {check.name: check for check in check_week(week)}


def test_every_car_is_accounted_for_and_the_report_says_so(tmp_path: Path) -> None:
    week, checks = played(tmp_path, cars=300, days=0.25)
    write_report(week, list(checks.values()), tmp_path / "week.html")

    assert [check for check in checks.values() if not check.held] == []
    assert week.house.kills >= 8
    assert checks["cars_came"].expected == 300
    assert set(checks) == set(WORDS["zh"]["checks"]) == set(WORDS["en"]["checks"])
    page = (tmp_path / "week.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 8
    assert all(WORDS["zh"]["checks"][name] in page for name in checks)


@contextmanager
def a_ledger_row_skipped() -> Iterator[None]:
    """Cash is put on the stay and not into the book."""
    with patch.object(money, "post", lambda conn, entry, *rest: None):
        yield


@contextmanager
def a_pulse_given_twice() -> Iterator[None]:
    """A barrier is told twice."""
    original = StreetBarrier.open

    async def twice(self: StreetBarrier) -> None:
        await original(self)
        await original(self)

    with patch.object(StreetBarrier, "open", twice):
        yield


@contextmanager
def a_passage_forgotten() -> Iterator[None]:
    """Each car that comes through is forgotten."""
    with patch.object(passages, "seen", lambda *_: None):
        yield


@pytest.mark.parametrize(
    ("fault", "seen_by"),
    [
        (a_ledger_row_skipped, "payments_are_ledger"),
        (a_pulse_given_twice, "no_double_pulse"),
        (a_passage_forgotten, "crossings_recorded"),
    ],
)
def test_a_mistake_put_in_on_purpose_is_seen(fault: Any, seen_by: str, tmp_path: Path) -> None:
    with fault():
        _, checks = played(tmp_path, cars=60)

    assert not checks[seen_by].held


def test_a_disk_that_loses_commits_is_refused_by_the_cloud(tmp_path: Path) -> None:
    original = House._copy

    def without_log(source: Path, target: Path) -> None:
        original(source, target)
        (target / "lot.db-wal").unlink(missing_ok=True)

    with (
        patch.object(House, "_copy", staticmethod(without_log)),
        pytest.raises(ExceptionGroup) as told,
    ):
        played(tmp_path, cars=60)

    assert told.group_contains(OutdatedDatabaseError)
