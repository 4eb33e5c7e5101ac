"""What a supervisor decides, done by an attendant with the supervisor's PIN typed beside: one step on every page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.db import holds, journal, stocktakes
from edge.settings import DecidedBy, EdgeSettings
from edge.workstations import Shifts, Workstation
from tests.edge.web.running import PIN, PLATE, WALL, Lot, Visitor, running, visiting

ATTENDANT, MANAGER = WALL["attendant"][0], WALL["manager"][0]
BESIDE = {"approver": MANAGER, "approver_pin": PIN}
PLACE = "东岗亭"


def with_a_till(settings: EdgeSettings) -> EdgeSettings:
    rules = replace(settings.rules, shifts=Shifts.NEEDED, waive_limits_fen={"attendant": 100})
    return replace(settings, rules=rules, workstations=(Workstation(PLACE, ("in", "out")),))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, with_a_till) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in()
        yield visitor


async def approvals(lot: Lot) -> list[tuple[str, str]]:
    acts = await lot.edge.read(journal.acts)
    return [(act.by, act.reason) for act in acts if act.act == "act.approve"]


@pytest.mark.parametrize(
    ("path", "form", "act"),
    [
        ("/booth/lane/out/hold", {"reason": "convoy"}, "barrier.hold"),
        ("/booth/extend", {"minutes": "30", "reason": "jam"}, "leave.extend"),
        ("/booth/lane/out/attend", {"says": "unattended", "until": "2099-01-01T00:00"}, ""),
    ],
)
async def test_who_may_not_alone_may_with_a_supervisor_beside(
    lot: Lot, booth: Visitor, path: str, form: dict[str, str], act: str
) -> None:
    status, page = await booth.send(path, form, path)
    assert (status in (403, 409), "班长授权" in page) == (True, True)
    status, page = await booth.send(path, {**form, **BESIDE, "approver_pin": "000000"}, path)
    assert (status, await approvals(lot)) == (409, [])

    status, page = await booth.send(path, {**form, **BESIDE}, path)

    assert await approvals(lot) == ([(MANAGER, f"{act} {ATTENDANT}")] if act else [])
    assert status == (200 if act else 409), "a week is the longest a lane is said to be unattended"


async def test_a_hold_is_let_go_with_a_supervisor_and_without_one_says_so(lot: Lot, booth: Visitor) -> None:
    await lot.edge.lanes.hold_open("out", MANAGER, "manager", "convoy")
    await lot.until(lambda: lot.view("out").held == "convoy")

    status, page = await booth.send("/booth/lane/out/release", {}, "/booth/lane/out/hold")
    assert (status, "班长授权" in page) == (409, True)
    status, _ = await booth.send("/booth/lane/out/release", BESIDE, "/booth/lane/out/hold")

    assert (status, await lot.edge.read(holds.get, "out")) == (200, None)


async def test_fire_needs_nobody_beside(lot: Lot, booth: Visitor) -> None:
    status, _ = await booth.send("/booth/lane/out/hold", {"reason": "fire"})

    assert (status, await approvals(lot)) == (200, [])


async def test_a_forgotten_shift_is_closed_with_a_supervisor_beside(lot: Lot, booth: Visitor) -> None:
    begun = await lot.edge.tills.open(PLACE, 10_000, "陈建国")
    shift = await lot.edge.tills.at(PLACE)
    assert shift is not None, begun
    at = f"/booth/shift/{shift.row.shift_id}/close"
    assert f'href="{at}"' in await booth.get("/booth/shift")
    form = {"counted": "100.00", "other": "忘记结班"}

    status, page = await booth.send(at, form, at)
    assert (status, "本页授权" in page) == (409, True)
    status, _ = await booth.send(at, {**form, **BESIDE}, at)

    ended = await lot.edge.tills.get(shift.row.shift_id)
    assert ended is not None
    assert (status, ended.row.closed_by, ended.row.is_open) == (200, ATTENDANT, False)
    assert await approvals(lot) == [(MANAGER, f"shift.close {ATTENDANT}")]


async def test_a_car_is_written_off_beyond_the_limit_with_a_supervisor_beside(lot: Lot, booth: Visitor) -> None:
    at = f"/booth/stay/{await lot.enters()}/gone"

    status, page = await booth.send(at, {"reason": "towed"}, at)
    assert (status, "减免超过您的权限" in page, "班长授权" in page) == (409, True, True)
    status, _ = await booth.send(at, {"reason": "towed", **BESIDE}, at)

    assert (status, await lot.edge.cars_inside()) == (200, [])
    assert await approvals(lot) == [(MANAGER, f"stay.gone {ATTENDANT}")]


async def test_a_walk_is_finished_beyond_the_limit_with_a_supervisor_beside(lot: Lot, booth: Visitor) -> None:
    await lot.enters()
    await booth.send("/booth/stock", {})
    take = await lot.edge.read(stocktakes.current)
    assert take is not None
    at = f"/booth/stock/{take.take_id}"

    status, page = await booth.send(f"{at}/finish", {}, at)
    assert (status, "减免超过您的权限" in page, "班长授权" in page) == (409, True, True)
    status, page = await booth.send(f"{at}/finish", {**BESIDE, "approver_pin": "000000"}, at)
    assert (status, len(await lot.edge.cars_inside())) == (409, 1)
    status, _ = await booth.send(f"{at}/finish", BESIDE, at)

    assert (status, await lot.edge.cars_inside()) == (200, [])
    assert await approvals(lot) == [(MANAGER, f"stock.finish {ATTENDANT}")]


async def test_a_car_that_waits_at_a_lane_is_not_written_off(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()

    status, page = await booth.send(f"/booth/stay/{stay}/gone", {"reason": "towed", **BESIDE})

    assert (status, "这辆车正停在车道上" in page) == (409, True)
    assert [car.stay_id for car in await lot.edge.cars_inside()] == [stay]


async def left(lot: Lot) -> str:
    """A stay that ended at the exit, free of charge."""
    stay = await lot.enters(minutes_ago=1)
    await lot.cameras["out"].see(Sight(PLATE))
    await lot.until(lambda: len(lot.board.pulses) == 2)
    return stay


async def test_an_exit_is_taken_back_with_a_supervisor_beside(lot: Lot, booth: Visitor) -> None:
    at = f"/booth/stay/{await left(lot)}/reopen"

    assert "班长授权" in await booth.get(at)
    status, page = await booth.send(at, {"reason": "turned_round"})
    assert (status, "这一步要班长授权" in page, await lot.edge.cars_inside()) == (409, True, [])
    status, _ = await booth.send(at, {"reason": "turned_round", **BESIDE, "approver_pin": "000000"})
    assert (status, await lot.edge.cars_inside()) == (409, [])
    status, _ = await booth.send(at, {"reason": "turned_round", **BESIDE})

    assert (status, len(await lot.edge.cars_inside())) == (200, 1)
    assert await approvals(lot) == [(MANAGER, f"stay.reopen {ATTENDANT}")]


async def test_a_lot_may_let_attendants_take_exits_back_alone(tmp_path: Path) -> None:
    def trusting(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, rules=replace(settings.rules, reopen_by=DecidedBy.ATTENDANT))

    async with running(tmp_path, trusting) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        at = f"/booth/stay/{await left(lot)}/reopen"

        assert "班长授权" not in await booth.get(at)
        status, _ = await booth.send(at, {"reason": "turned_round"})

        assert (status, len(await lot.edge.cars_inside()), await approvals(lot)) == (200, 1, [])
