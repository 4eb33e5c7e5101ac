"""SIGKILL of edge, cloud and broker in turn, in the middle of traffic: nothing lost, doubled or repeated."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from cloud.db import open_engine
from cloud.merchants.ledger import merchant_books
from edge.provisioning import with_database
from edge.services.checking import check_books
from tests.kill.plant import Plant, running_plant

pytestmark = pytest.mark.kill


async def test_daemons_and_broker_killed_in_turn_lose_double_and_repeat_nothing(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    cycles = pytestconfig.getoption("--kill-cycles")
    rng = random.Random(cycles)
    async with running_plant(tmp_path) as plant:
        work = [asyncio.create_task(plant.drive()), asyncio.create_task(plant.sell())]
        await plant.until_selling()
        for cycle in range(cycles):
            await plant.until_moving()
            await asyncio.sleep(rng.uniform(0.0, 0.6))
            await kill_one(plant, cycle % 3)
        await plant.until_moving()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await plant.until_told()
    check_plant(plant)


async def kill_one(plant: Plant, turn: int) -> None:
    """One of the three dies and is started again."""
    if turn == 0:
        plant.edge.kill()
        plant.edge.start()
    elif turn == 1:
        plant.cloud.kill()
        plant.cloud.start()
    else:
        plant.broker_kills += 1
        plant.broker.kill()
        await plant.broker.start()


def check_plant(plant: Plant) -> None:
    """Both databases, the board and the printer tell one story."""
    with contextlib.closing(sqlite3.connect(plant.settings.database)) as lot:
        written = lot.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
        issued = [row[0] for row in lot.execute("SELECT counter FROM voucher ORDER BY counter")]
        reserved = lot.execute("SELECT count(*) FROM pulse").fetchone()[0]
    with contextlib.closing(sqlite3.connect(plant.folder / "cloud" / "cloud.sqlite")) as cloud:
        applied = cloud.execute("SELECT seq, body FROM inbox ORDER BY seq").fetchall()
        parked = cloud.execute("SELECT seq, parked_why FROM inbox WHERE parked_why IS NOT NULL").fetchall()
        known = [row[0] for row in cloud.execute("SELECT counter FROM voucher ORDER BY counter")]
        opened = cloud.execute("SELECT count(*) FROM barrier_opening").fetchone()[0]
    assert applied == written
    assert parked == []
    assert known == issued == list(range(1, len(known) + 1))
    assert opened == reserved
    assert 0 <= reserved - len(plant.board.pulses) <= plant.edge.kills  # a kill between commit and pulse, never more
    printed = Counter(plant.printed())
    assert not [counter for counter, times in printed.items() if times > 1]
    assert printed.keys() <= set(issued)
    assert len(printed) > 0
    assert with_database(plant.settings, lambda db: check_books(db.conn)) == []
    engine = open_engine(f"sqlite:///{plant.folder / 'cloud' / 'cloud.sqlite'}")
    with engine.begin() as conn:
        assert all(books.is_right for books in merchant_books(conn))
    engine.dispose()
