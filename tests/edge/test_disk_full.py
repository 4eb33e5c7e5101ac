"""A disk that is really full: no money event is lost, none happens unrecorded, and the booth is told (I23)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from domain.decision import Refuse
from drivers.camera.simulated import Sight
from edge.db import stays
from edge.db.database import DiskFullError
from edge.disk import DiskGuard, Level
from edge.services import paying
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.lot import Done
from edge.services.paying import Taken
from tests.edge.lots import START, at, small_lot
from tests.edge.test_daemon import PLATE, running

SIZE_MIB = 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; skipped, by name, where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a full disk: this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607


def fill(folder: Path) -> Path:
    """Leave not one page."""
    stuffing = folder / "stuffing"
    with stuffing.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
            except OSError:
                continue
    return stuffing


def test_cash_that_finds_no_room_was_not_taken_and_can_be_taken_again(small_disk: Path) -> None:
    lot = small_lot(small_disk)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    stuffing = fill(small_disk)

    with pytest.raises(DiskFullError):
        paying.take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30))

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert row.paid_fen == 0
    assert "payment.taken" not in lot.types()
    stuffing.unlink()
    assert isinstance(paying.take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(30)), Taken)
    assert lot.types().count("payment.taken") == 1
    assert check_books(lot.db.conn) == []
    lot.db.conn.close()


def test_the_disks_level_is_that_of_the_real_file_system(small_disk: Path) -> None:
    guard = DiskGuard(small_disk, ballast=1 << 20)
    assert guard.look() is Level.FINE

    fill(small_disk)

    assert guard.look() is Level.FULL
    assert not (small_disk / "ballast").exists()


async def test_with_no_room_nothing_opens_and_the_booth_is_told_until_there_is_room(small_disk: Path) -> None:
    async with running(small_disk) as lot, aiohttp.ClientSession() as session:
        edge = lot.opened.edge
        stuffing = fill(small_disk)

        await lot.cameras["in"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("in")) is not None and view.incident == "disk_full")
        assert await edge.lanes.open_by_hand("out", "li", "ambulance") == Refuse("not_recorded")
        assert lot.board.pulses == []
        async with session.get(f"http://127.0.0.1:{lot.opened.ports['booth']}/healthz") as answer:
            assert '"disk": "full"' in await answer.text()

        stuffing.unlink()
        assert await edge.lanes.choose_plate("in", PLATE, "li") == Done("in")
        await lot.until(lambda: len(lot.board.pulses) == 1)
        assert [stay.plate for stay in await edge.cars_inside()] == [PLATE]


async def test_the_ballast_makes_room_for_what_must_be_written(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.daemon.DiskGuard", partial(DiskGuard, ballast=1 << 20))
    async with running(small_disk) as lot:
        assert (small_disk / "data" / "ballast").exists()
        lot.opened.edge.office.disk.level = Level.FINE
        fill(small_disk)

        await lot.passes("in", PLATE, 1)

        assert not (small_disk / "data" / "ballast").exists()
        assert lot.opened.edge.office.disk.level is Level.FULL
