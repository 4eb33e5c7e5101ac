"""Pictures never delay a decision, and a full disk costs pictures and vouchers, never money."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.events import open_envelope
from edge.db import decisions
from edge.db.database import transaction
from edge.disk import DiskGuard, Level
from edge.jobs import forget
from edge.pictures import MOST_WAITING, Pictures
from edge.services import audit, manual, timing
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.shedding import weigh
from plumbing.onethread import OneThread
from tests.edge.lots import START, at, small_lot

NOON = 1_795_233_600_000
DAY_MS = 86_400_000


class Disk:
    """A disk whose free space a test sets."""

    def __init__(self, free: int = 50) -> None:
        self.free = free

    def __call__(self, _folder: Path) -> int:
        return self.free


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (100, Level.FINE),
        (10, Level.FINE),
        (9, Level.LOW),
        (4, Level.TIGHT),
        (2, Level.TIGHT),
        (1, Level.FULL),
        (0, Level.FULL),
    ],
)
def test_levels(tmp_path: Path, free: int, level: Level) -> None:
    assert DiskGuard(tmp_path, Disk(free), 4096).look() is level


def test_the_ballast_is_let_go_on_a_full_disk_and_laid_again_when_there_is_room(tmp_path: Path) -> None:
    disk = Disk()
    guard = DiskGuard(tmp_path, disk, 4096)
    guard.look()
    assert (tmp_path / "ballast").stat().st_size == 4096

    disk.free = 1
    guard.look()
    assert not (tmp_path / "ballast").exists()

    disk.free = 5  # not yet room enough
    guard.look()
    assert not (tmp_path / "ballast").exists()

    disk.free = 20
    guard.look()
    assert (tmp_path / "ballast").exists()


async def test_a_picture_can_be_seen_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with OneThread("pictures") as thread:
        pictures = Pictures(tmp_path, thread, DiskGuard(tmp_path, Disk(), 4096))
        pictures.keep("d1", "frame", b"jpeg", NOON)
        assert await pictures.get("d1", "frame", NOON) == b"jpeg"

    async with OneThread("pictures") as thread:
        again = Pictures(tmp_path, thread, DiskGuard(tmp_path, Disk(), 4096))
        assert await again.get("d1", "frame", NOON) == b"jpeg"
        assert await again.get("d1", "crop", NOON) is None


async def test_a_nearly_full_disk_and_a_slow_one_cost_pictures_only(tmp_path: Path) -> None:
    disk = Disk(9)
    guard = DiskGuard(tmp_path, disk, 4096)
    guard.look()
    async with OneThread("pictures") as thread:
        pictures = Pictures(tmp_path, thread, guard)
        pictures.keep("d1", "frame", b"jpeg", NOON)
        assert await pictures.get("d1", "frame", NOON) is None

        disk.free = 50
        guard.look()

        def keep_too_many() -> None:
            for number in range(MOST_WAITING + 9):
                pictures.keep(f"s{number}", "frame", b"x", NOON)

        await thread.run(keep_too_many)
        assert await pictures.get(f"s{MOST_WAITING - 1}", "frame", NOON) == b"x"
        assert await pictures.get(f"s{MOST_WAITING + 1}", "frame", NOON) is None


async def test_a_disk_that_refuses_costs_a_picture_and_a_line_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("not a folder")
    async with OneThread("pictures") as thread:
        pictures = Pictures(tmp_path / "pictures", thread, DiskGuard(tmp_path, Disk(), 4096))
        pictures.keep("d1", "frame", b"jpeg", NOON)
        await thread.run(lambda: None)

        assert await pictures.get("d1", "frame", NOON) is None


async def test_pictures_past_their_time_go_and_those_somebody_may_ask_for_stay(tmp_path: Path) -> None:
    async with OneThread("pictures") as thread:
        pictures = Pictures(tmp_path, thread, DiskGuard(tmp_path, Disk(), 4096))
        pictures.keep("old", "frame", b"1", NOON - 2 * DAY_MS)
        pictures.keep("new", "frame", b"2", NOON)
        pictures.keep("asked", "frame", b"3", NOON - 2 * DAY_MS)
        await pictures.tidy(NOON, 1_000, frozenset({"asked"}))

        assert await pictures.get("asked", "frame", NOON - 2 * DAY_MS) == b"3"
        assert await pictures.get("old", "frame", NOON - 2 * DAY_MS) is None
        assert await pictures.get("new", "frame", NOON) == b"2"


async def test_beyond_their_room_the_oldest_go_first(tmp_path: Path) -> None:
    async with OneThread("pictures") as thread:
        pictures = Pictures(tmp_path, thread, DiskGuard(tmp_path, Disk(), 4096))
        for day in range(4):
            pictures.keep(f"d{day}", "frame", b"x" * 100, NOON + day * DAY_MS)

        assert await pictures.tidy(0, 250, frozenset({"d0"})) == 2

        left = [day for day in range(4) if await pictures.get(f"d{day}", "frame", NOON + day * DAY_MS)]
        assert left == [0, 3]


def test_pictures_of_cars_inside_and_of_debts_may_be_asked_for(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    inside = enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START).decision_id
    owing = enter(lot.db, lot.lot, lot.arrival("in", "粤B98765"), START).decision_id
    manual.open_barrier(lot.db, lot.lot, "out", "li", "stuck", "粤B98765", at(60))
    free = enter(lot.db, lot.lot, lot.arrival("in", "沪C11223"), START).decision_id
    leave(lot.db, lot.lot, lot.arrival("out", "沪C11223"), at(5))
    lot.db.execute("UPDATE stay SET passed = 1 WHERE state = 'closed'")

    asked = decisions.still_asked(lot.db.conn)
    assert (inside in asked, owing in asked, free in asked) == (True, True, False)

    with transaction(lot.db) as conn:
        for decision in (inside, owing, free):
            decisions.note_picture(conn, decision, "frame", START)
    forget(lot.db, 30, at(31 * 24 * 60))
    assert [decisions.picture_time(lot.db.conn, one, "frame") is None for one in (inside, owing, free)] == [
        False,
        False,
        True,
    ]


def test_telemetry_gives_way_first_and_the_log_says_how_much(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    assert not weigh(lot.db, Level.LOW, START)
    assert weigh(lot.db, Level.TIGHT, START)

    timing.note_step(lot.db, 5_000, START)
    timing.note_step(lot.db, 9_000, START)
    audit.record_act(lot.db, "li", "noted", "s", "r", START)
    assert lot.types() == ["act.recorded"]

    assert not weigh(lot.db, Level.FINE, START)
    timing.note_step(lot.db, 5_000, START)
    assert lot.types() == ["act.recorded", "telemetry.shed", "clock.stepped"]
    (body,) = lot.db.conn.execute("SELECT body FROM outbox WHERE type = 'telemetry.shed'").fetchone()
    assert open_envelope(body).payload == {"dropped": 2}
