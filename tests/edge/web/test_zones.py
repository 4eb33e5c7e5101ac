"""The booth's page of zones: everybody sees how full they are, a manager puts a count right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.settings import EdgeSettings, Zone
from tests.edge.web.running import PLATE, Lot, running, visiting

COUNT = {"pool": "main/", "counted": "4", "reason": "round"}


def with_garage(settings: EdgeSettings) -> EdgeSettings:
    (main,) = settings.zones
    garage = Zone("garage", main.tariffs, places=3, inside="main")
    return replace(settings, zones=(replace(main, places=5, class_places={"large": 2}), garage))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, with_garage) as lot:
        await lot.enters()
        yield lot


async def test_everybody_sees_every_pool_and_only_a_manager_may_put_it_right(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in()

        page = await visitor.get("/booth/zones")
        assert "main · 大型车" in page
        assert "garage" in page
        assert "班长授权" in page
        token = await visitor.page_token("/booth/zones")
        assert await visitor.status("/booth/zones", "POST", data={**COUNT, "csrf_token": token}) == 409
        pools, counts = await lot.edge.zones()
        assert (pools[0].inside, counts) == (1, [])


async def test_a_manager_counts_and_the_page_says_so(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in("manager")

        _, page = await visitor.send("/booth/zones", COUNT)

        assert "main 按清点的 4 辆计。" in page
        pools, (count,) = await lot.edge.zones()
        assert [(pool.zone, pool.vehicle_class, pool.inside, pool.free) for pool in pools] == [
            ("main", "", 4, 1), ("main", "large", 0, 2), ("garage", "", 0, 3),
        ]  # fmt: skip
        assert (count.by, count.reason) == ("王主管", "巡场清点")


async def test_a_number_that_is_none_is_refused_in_words(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in("manager")

        status, page = await visitor.send("/booth/zones", COUNT | {"counted": "many"})

        assert (status, "车辆数不对" in page) == (409, True)


async def test_the_list_of_cars_shows_the_zone_and_can_be_narrowed_to_one(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in()

        assert PLATE in await visitor.get("/booth/cars?zone=main")
        assert "· main" in await visitor.get("/booth/cars")
        assert PLATE not in await visitor.get("/booth/cars?zone=garage")
