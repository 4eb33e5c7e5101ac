"""Copies on a second medium: of one moment while the lot writes, rotated, and no harm when the medium is not there."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from domain.events import ActRecorded
from domain.moment import Moment
from edge import copies as copies_module
from edge.backup import restore
from edge.copies import Copies, State
from edge.copying import LOG, standing_of
from edge.db import log
from edge.db.database import Database, hold_checkpoints, open_database, transaction
from edge.services.checking import check_chain
from edge.settings import Copies as Wanted
from edge.settings import EdgeSettings
from plumbing import backup
from plumbing.onethread import OneThread
from tests.edge.lots import START, at, settings

PAGE = "x" * 3_000


@dataclass
class Lot:
    """A database on its thread, its copies, and the incidents they raised."""

    settings: EdgeSettings
    thread: OneThread
    db: Database
    minutes: list[int] = field(default_factory=lambda: [0])
    incidents: list[str] = field(default_factory=list)

    def now(self) -> Moment:
        self.minutes[0] += 1
        return at(self.minutes[0])

    async def incident(self, code: str, lane: str, detail: str) -> None:
        self.incidents.append(code)

    def copies(self, **changes: object) -> Copies:
        wanted = replace(self.settings.copies, **changes)  # type: ignore[arg-type]
        return Copies(replace(self.settings, copies=wanted), self.thread, self.db, self.now, self.incident)

    async def happens(self, what: str = "note") -> None:
        """One more event in the log."""
        await self.thread.run(_write, self.db, what)


def _write(db: Database, what: str) -> None:
    with transaction(db) as conn:
        log.append(conn, ActRecorded("wang", "test", what, PAGE), START)


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    (tmp_path / "stick").mkdir()
    chosen = settings(tmp_path, copies=Wanted(tmp_path / "stick", keep=3, same_disk=True))
    async with OneThread("db") as thread:
        db = await thread.run(open_database, chosen.database)
        yield Lot(chosen, thread, db)
        await thread.run(db.close)


def made(lot: Lot) -> list[Path]:
    assert lot.settings.copies.folder is not None
    return backup.copies(lot.settings.copies.folder, "e1")


async def test_a_copy_made_while_the_lot_writes_is_of_one_moment_and_goes_back(lot: Lot) -> None:
    for _ in range(300):
        await lot.happens("before")
    copying = asyncio.create_task(lot.copies().keep_up(lot.settings.copies.folder))  # type: ignore[arg-type]
    while not copying.done():
        await lot.happens("meanwhile")
        await asyncio.sleep(0)

    (path,) = made(lot)
    with closing(sqlite3.connect(path)) as conn:
        conn.row_factory = sqlite3.Row
        assert check_chain(conn) == []
        assert standing_of(conn)[LOG] == backup.read(path).standing[LOG]
        assert standing_of(conn)[LOG][1] >= 300
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, path.with_suffix(".json").name]
    await lot.thread.run(lot.db.close)
    lot.settings.database.write_bytes(b"torn" * 2_000)
    assert restore(lot.settings, path.parent, 0)[0].standing == backup.read(path).standing
    await lot.thread.run(open_database, lot.settings.database)


async def test_the_file_stands_still_while_it_is_copied(lot: Lot) -> None:
    await lot.happens()
    await lot.thread.run(hold_checkpoints, lot.db.conn, held=True)
    before = lot.settings.database.read_bytes()

    for _ in range(2_500):
        await lot.happens()

    assert lot.settings.database.read_bytes() == before
    await lot.thread.run(hold_checkpoints, lot.db.conn, held=False)
    await lot.happens()
    assert lot.settings.database.read_bytes() != before


async def test_no_copy_comes_of_files_nobody_kept_still(lot: Lot, tmp_path: Path) -> None:
    await lot.happens()

    with pytest.raises(backup.BackupError):
        backup.take(lot.settings.database, tmp_path / "stick", "e1", standing_of, lambda: False, 0)

    assert list((tmp_path / "stick").iterdir()) == []


async def test_nothing_new_makes_no_new_copy_and_old_ones_go(lot: Lot, tmp_path: Path) -> None:
    copies = lot.copies()
    await lot.happens()
    await copies.keep_up(tmp_path / "stick")
    (first,) = made(lot)

    await copies.keep_up(tmp_path / "stick")
    assert made(lot) == [first]
    as_of = copies.standing.as_of_ms
    for _ in range(3):
        await lot.happens()
        await copies.keep_up(tmp_path / "stick")

    assert (len(made(lot)), first in made(lot)) == (3, False)
    assert as_of is not None
    assert copies.standing.as_of_ms is not None
    assert copies.standing.as_of_ms > as_of


async def test_a_medium_that_is_gone_is_told_once_and_taken_up_again(lot: Lot, tmp_path: Path) -> None:
    copies = lot.copies()
    shutil.rmtree(tmp_path / "stick")
    await lot.happens()

    await copies.keep_up(tmp_path / "stick")
    await copies.keep_up(tmp_path / "stick")
    assert (copies.standing.state, lot.incidents) == (State.MISSING, ["copies_missing"])
    (tmp_path / "stick").mkdir()
    await copies.keep_up(tmp_path / "stick")

    assert (copies.standing.state, len(made(lot))) == (State.FINE, 1)
    await lot.happens("and the lot goes on")


async def test_an_empty_mount_point_is_no_second_medium(lot: Lot, tmp_path: Path) -> None:
    copies = lot.copies(same_disk=False)

    await copies.keep_up(tmp_path / "stick")

    assert (copies.standing.state, made(lot)) == (State.MISSING, [])


async def test_on_a_full_medium_old_copies_give_way_and_the_last_one_stays(
    lot: Lot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = lot.copies()
    for _ in range(3):
        await lot.happens()
        await copies.keep_up(tmp_path / "stick")
    last = made(lot)[-1]
    monkeypatch.setattr(copies_module, "SPARE_BYTES", 1 << 60)
    await lot.happens()

    await copies.keep_up(tmp_path / "stick")

    assert (copies.standing.state, made(lot), lot.incidents) == (State.FULL, [last], ["copies_full"])


async def test_a_medium_that_cannot_be_written_is_told_and_harms_nothing(lot: Lot, tmp_path: Path) -> None:
    copies = lot.copies()
    await lot.happens()
    (tmp_path / "stick" / "file").touch()

    with pytest.raises(backup.BackupError):
        await copies.make(tmp_path / "stick" / "file")
    await lot.happens("and the lot goes on")

    assert (await lot.thread.run(standing_of, lot.db.conn))[LOG][1] == 2


async def test_the_newest_copy_that_is_whole_is_the_one_that_goes_back(lot: Lot, tmp_path: Path) -> None:
    copies = lot.copies()
    for _ in range(2):
        await lot.happens()
        await copies.keep_up(tmp_path / "stick")
    older, newer = made(lot)
    newer.write_bytes(newer.read_bytes()[:-4_096])

    assert backup.newest(tmp_path / "stick", "e1") == older
