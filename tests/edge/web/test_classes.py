"""The class of a car on the booth's pages: what may be chosen, and what becomes of the fee at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.settings import EdgeSettings, Zone
from tests.edge.services.test_classing import CLASSES
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    path = tmp_path / "classes.toml"
    path.write_text(CLASSES, encoding="utf-8")

    def with_classes(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, zones=(Zone("main", (path,)),))

    async with running(tmp_path, with_classes) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        yield visitor


async def test_a_car_at_the_exit_owes_by_the_class_picked_at_once(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    assert lot.view("out").due_fen == 500
    assert f'/booth/stay/{stay}#class"' in await booth.get("/booth")
    page = await booth.get(f"/booth/stay/{stay}")
    assert '<option value="large">大型车</option>' in page

    status, text = await booth.send(f"/booth/stay/{stay}/class", {"class": "large"}, f"/booth/stay/{stay}")
    await lot.until(lambda: lot.view("out").due_fen == 1000)

    assert status == 200
    assert "已更改车型" in text
    act = next(act for act in await lot.edge.acts() if act.act == "class.pick")
    assert (act.by, act.reason) == ("王芳", "small → large")

    _, text = await booth.send(f"/booth/stay/{stay}/class", {"class": "tank"}, f"/booth/stay/{stay}")
    assert "价目表里没有这个车型" in text


async def test_a_missing_entry_takes_the_class_chosen_else_that_of_its_plate(lot: Lot, booth: Visitor) -> None:
    office = lot.edge.office
    entered = office.lot.local(office.now().wall_ms) - timedelta(minutes=30)
    form = {"entered": f"{entered:%Y-%m-%dT%H:%M}", "zone": "main", "reason": "missed"}
    assert "按车牌判断" in await booth.get("/booth/entry")

    await booth.send("/booth/entry", {**form, "plate": PLATE, "class": "large"})
    await booth.send("/booth/entry", {**form, "plate": "京AD12345", "class": ""})

    inside = {car.plate: await lot.edge.stay(car.stay_id) for car in await lot.edge.cars_inside("")}
    assert {plate: car.vehicle_class for plate, car in inside.items() if car} == {PLATE: "large", "京AD12345": "nev"}
