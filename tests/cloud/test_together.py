"""Work that waits at the same moment shares a commit, and is as well kept apart as if it did not (0043)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select

from cloud.db import Database, open_engine
from cloud.lots.tables import operator

HERE = Path(__file__).parents[2]


@pytest.fixture
def shared(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    """A database that shares commits."""
    path = tmp_path / "shared.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(open_engine(f"sqlite:///{path}"))
    yield database
    database.close()


def add(connection: Connection, name: str) -> str:
    connection.execute(insert(operator).values(name=name, created_ms=1))
    return name


def fail(connection: Connection, name: str) -> str:
    add(connection, name)
    raise RuntimeError(name)


def fail_half_way(connection: Connection, name: str) -> str:
    """Leaves an attempt of its own open."""
    connection.begin_nested()
    return fail(connection, name)


def end_the_transaction(connection: Connection, name: str) -> str:
    """What SQLite does by itself where a disk is full."""
    add(connection, name)
    connection.exec_driver_sql("ROLLBACK")
    raise RuntimeError(name)


def names(database: Database) -> list[str]:
    return list(database.run_here(lambda conn: conn.execute(select(operator.c.name)).scalars().all()))


async def at_once(database: Database, *asked: tuple[object, str]) -> list[object]:
    """Ask for all of it while the database is busy."""
    go = threading.Event()
    busy = asyncio.ensure_future(database.run(lambda _: go.wait(10)))
    all_of_it = asyncio.gather(*(database.share(work, name) for work, name in asked), return_exceptions=True)  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    go.set()
    await busy
    return list(await all_of_it)


async def test_what_waits_together_is_committed_once_and_answered_after(shared: Database) -> None:
    commits: list[list[str]] = []
    known: list[str] = []
    event.listen(shared.engine, "commit", lambda _: commits.append(list(known)))

    async def one(name: str) -> None:
        known.append(await shared.share(add, name))

    go = threading.Event()
    busy = asyncio.ensure_future(shared.run(lambda _: go.wait(10)))
    waiting = asyncio.gather(*(one(f"o{number}") for number in range(30)))
    await asyncio.sleep(0.05)
    go.set()
    await asyncio.gather(busy, waiting)

    assert commits == [[], []]  # of the busy one and of all others, and nobody knew anything before
    assert names(shared) == [f"o{number}" for number in range(30)]


@pytest.mark.parametrize("bad", [fail, fail_half_way])
async def test_one_that_fails_takes_nothing_of_its_neighbours_with_it(database: Database, bad: object) -> None:
    await keeps_its_neighbours(database, bad)


async def test_one_that_ends_the_transaction_takes_nothing_of_its_neighbours_with_it(shared: Database) -> None:
    await keeps_its_neighbours(shared, end_the_transaction)


async def keeps_its_neighbours(database: Database, bad: object) -> None:
    said = await at_once(database, (add, "a"), (bad, "b"), (add, "c"), (bad, "d"), (add, "e"))

    assert [str(each) for each in said] == ["a", "b", "c", "d", "e"]
    assert [isinstance(each, RuntimeError) for each in said] == [False, True, False, True, False]
    assert sorted(names(database)) == ["a", "c", "e"]


async def test_after_a_commit_that_failed_each_is_done_again_by_itself(shared: Database) -> None:
    commits: list[int] = []

    def commit(_: Connection) -> None:
        commits.append(1)
        if len(commits) == 2:  # the first is of what keeps the database busy
            raise OSError("disk")

    event.listen(shared.engine, "commit", commit)

    said = await at_once(shared, (add, "a"), (fail, "b"), (add, "c"))

    assert [str(each) for each in said] == ["a", "b", "c"]
    assert len(commits) == 4  # busy, together, a, c
    assert names(shared) == ["a", "c"]


async def test_whoever_went_away_hinders_nobody(shared: Database) -> None:
    go = threading.Event()
    busy = asyncio.ensure_future(shared.run(lambda _: go.wait(10)))
    gone = asyncio.ensure_future(shared.share(add, "gone"))
    there = asyncio.ensure_future(shared.share(add, "there"))
    await asyncio.sleep(0.05)

    gone.cancel()
    go.set()

    assert await there == "there"
    await busy


async def test_more_than_one_transaction_takes_are_all_answered_in_order(shared: Database) -> None:
    said = await at_once(shared, *((add, f"o{number:03}") for number in range(200)))

    assert said == names(shared) == [f"o{number:03}" for number in range(200)]


CRASH = """
import asyncio, os, sys
from sqlalchemy import event, insert
from cloud.db import Database, open_engine
from cloud.lots.tables import operator

database = Database(open_engine(sys.argv[1]))
commits = []

def commit(_):
    commits.append(1)
    if len(commits) == 3:
        os._exit(9)  # every act of this group is carried out, none is committed

def add(connection, name):
    connection.execute(insert(operator).values(name=name, created_ms=1))
    return name

async def one(name):
    print(await database.share(add, name), flush=True)

async def main():
    event.listen(database.engine, "commit", commit)
    for group in range(4):
        await asyncio.gather(*(one(f"{group}-{number}") for number in range(20)))

asyncio.run(main())
"""


def test_a_crash_between_act_and_commit_answered_nobody_and_keeps_nothing_of_it(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    path = tmp_path / "crashed.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())

    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", CRASH, f"sqlite:///{path}"], capture_output=True, text=True, cwd=HERE, check=False
    )
    database = Database(open_engine(f"sqlite:///{path}"))
    kept = names(database)
    database.close()

    assert ended.returncode == 9, ended.stderr
    assert ended.stdout.split()
    assert kept == ended.stdout.split()
