"""The stock-take at the booth: ticked off on a phone, finished in one act, reported, undone by a manager."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.db import stocktakes
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting

STRANGER = "京C33333"


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        yield visitor


async def test_a_walk_from_the_first_tick_to_the_report_and_its_undoing(lot: Lot, booth: Visitor) -> None:
    gone = await lot.enters()
    status, _ = await booth.send("/booth/stock", {})
    take = await lot.edge.read(stocktakes.current)
    assert (status, take is not None) == (200, True)
    assert take is not None
    at = f"/booth/stock/{take.take_id}"

    walk = await booth.get(at)
    status_of_nonsense, refused = await booth.send(f"{at}/mark", {"plate": "hello"}, at)
    status, after = await booth.send(f"{at}/mark", {"plate": STRANGER}, at)
    finished, report = await booth.send(f"{at}/finish", {}, at)

    assert PLATE in walk
    assert (status, "账上没有的车 1 辆" in after) == (200, True)
    assert (status_of_nonsense, "这不像车牌" in refused) == (200, True)
    assert (finished, "没看到，已关闭" in report) == (200, True)
    assert {car.plate for car in await lot.edge.cars_inside()} == {STRANGER}
    assert PLATE not in await booth.get(f"{at}/csv")
    assert await booth.status(f"{at}/undo", "POST", data={"csrf_token": "x"}) == 403
    async with visiting(lot, "booth") as manager:
        assert await manager.sign_in("manager") == 200
        assert PLATE in await manager.get(f"{at}/csv")
        undone, _ = await manager.send(f"{at}/undo", {"reason": "wrong_row"}, at)
    assert undone == 200
    assert [car.stay_id for car in await lot.edge.cars_inside()] == [gone]
