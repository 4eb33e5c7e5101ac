"""The class of a car on the booth's pages: what may be chosen, and what becomes of the fee at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.settings import EdgeSettings, Zone
from tests.edge.services.test_classing import CLASSES
from tests.edge.web.running import PIN, PLATE, WALL, Lot, Visitor, running, visiting
from tests.edge.web.test_approving import approvals


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


async def test_a_class_cheaper_than_the_plates_own_asks_for_a_supervisor_on_a_page_of_its_own(
    lot: Lot, booth: Visitor
) -> None:
    stay, manager = await lot.enters(), WALL["manager"][0]
    at = f"/booth/stay/{stay}"

    status, page = await booth.send(f"{at}/class", {"class": "nev"}, at)
    assert (status, "请班长在本页授权" in page, "班长授权" in page) == (409, True, True)
    assert '<option value="nev" selected>' in page
    wrong, _ = await booth.send(f"{at}/class", {"class": "nev", "approver": manager, "approver_pin": "000000"}, at)
    right, page = await booth.send(f"{at}/class", {"class": "nev", "approver": manager, "approver_pin": PIN}, at)

    car = await lot.edge.stay(stay)
    assert car is not None
    assert (wrong, right, "已更改车型" in page, car.vehicle_class) == (409, 200, True, "nev")
    assert (manager, f"class.pick {WALL['attendant'][0]}") in await approvals(lot)


async def test_a_missing_entry_of_a_cheaper_class_asks_for_one_too(lot: Lot, booth: Visitor) -> None:
    office = lot.edge.office
    entered = office.lot.local(office.now().wall_ms) - timedelta(minutes=30)
    form = {"entered": f"{entered:%Y-%m-%dT%H:%M}", "zone": "main", "reason": "missed", "plate": PLATE, "class": "nev"}
    beside = {"approver": WALL["manager"][0], "approver_pin": PIN}

    status, page = await booth.send("/booth/entry", form)
    assert (status, "班长授权" in page) == (409, True)
    await booth.send("/booth/entry", {**form, **beside})

    assert [car.plate for car in await lot.edge.cars_inside("")] == [PLATE]
    assert (WALL["manager"][0], f"entry.add {WALL['attendant'][0]}") in await approvals(lot)
