"""Debts at the booth: found with their pictures, paid in parts, waived, disputed, collected at the lane."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.db import arrears
from edge.settings import Arrears, EdgeSettings
from tests.edge.web.running import PIN, PLATE, WALL, Lot, Visitor, running, visiting

FRAME = b"\xff\xd8 what the camera saw \xff\xd9"


def rule(arrears_rule: Arrears, **more: object):  # type: ignore[no-untyped-def]
    def change(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, rules=replace(settings.rules, arrears=arrears_rule, **more))  # type: ignore[arg-type]

    return change


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, rule(Arrears.COLLECT, waive_limits_fen={"attendant": 300})) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        yield visitor


async def runs_off(lot: Lot) -> str:
    """A car that leaves by hand, owing 5.00, with pictures of both its passages; returns its debt."""
    await lot.cameras["in"].see(Sight(PLATE, image=FRAME))
    await lot.until(lambda: len(lot.board.pulses) == 1, 10)
    lot.later(30)
    await lot.cameras["out"].see(Sight(PLATE, image=FRAME))
    await lot.until(lambda: lot.view("out").verdict == "PayFirst", 10)
    await lot.edge.lanes.open_by_hand("out", "王芳", "unpaid")
    await lot.until(lambda: lot.view("out").phase == "Idle", 10)
    (debt,) = await lot.edge.read(arrears.of_plate, PLATE)
    return debt.debt_id


async def test_a_debt_is_found_with_its_pictures_and_paid_in_parts(lot: Lot, booth: Visitor) -> None:
    debt = await runs_off(lot)

    listed = await booth.get("/booth/arrears?q=123")
    page = await booth.get(f"/booth/debt/{debt}")
    status, after = await booth.send(f"/booth/debt/{debt}/cash", {"amount": "3.00"})

    assert f'href="/booth/debt/{debt}"' in listed
    assert "¥5.00" in listed
    assert page.count("/frame") == 2
    assert "人工放行未缴" in page
    assert status == 200
    assert "已收欠费 ¥3.00" in after
    (left,) = await lot.edge.read(arrears.of_plate, PLATE)
    assert left.left_fen == 200


async def test_an_attendant_waives_within_the_limit_and_disputes_with_a_reason_and_a_supervisor(
    lot: Lot, booth: Visitor
) -> None:
    debt = await runs_off(lot)

    status, refused = await booth.send(f"/booth/debt/{debt}/waive", {"amount": "3.01", "reason": "device"})
    assert (status, "减免超过您的权限" in refused) == (409, True)
    assert (await booth.send(f"/booth/debt/{debt}/waive", {"amount": "3.00", "reason": "device"}))[0] == 200
    dispute, beside = f"/booth/debt/{debt}/dispute", {"approver": WALL["manager"][0], "approver_pin": PIN}
    assert "班长授权" in await booth.get(dispute)
    status, refused = await booth.send(dispute, {"reason": "other_car"})
    assert (status, "班长授权" in refused) == (409, True)
    assert (await booth.send(dispute, {"reason": "other_car", **beside, "approver_pin": "000000"}))[0] == 409
    assert PLATE not in await booth.get("/booth/arrears?state=disputed")
    status, refused = await booth.send(dispute, beside)
    assert (status, "请选择或填写原因" in refused) == (409, True)
    assert (await booth.send(dispute, {"reason": "other_car", **beside}))[0] == 200

    page = await booth.get(f"/booth/debt/{debt}")
    assert "不是这辆车" in page
    assert f"/booth/debt/{debt}/uphold" in page
    assert "欠费 0 笔" in await booth.get("/booth/arrears")
    assert PLATE in await booth.get("/booth/arrears?state=disputed")
    assert (await booth.send(f"/booth/debt/{debt}/uphold", {"reason": "picture"}))[0] == 409
    assert (await booth.send(f"/booth/debt/{debt}/uphold", {"reason": "picture", **beside}))[0] == 200
    (left,) = await lot.edge.read(arrears.open_of, PLATE)
    assert left.left_fen == 200


async def test_the_lane_asks_for_both_with_a_line_for_the_debt_and_one_payment_settles_them(
    lot: Lot, booth: Visitor
) -> None:
    await runs_off(lot)
    stay = await lot.enters()
    await lot.waits_to_pay()

    lanes, due_fen = await booth.get("/booth"), lot.view("out").due_fen
    status, _ = await booth.send(f"/booth/stay/{stay}/cash", {})

    assert due_fen == 1000
    assert "的欠费</span><span" in lanes
    assert status == 200
    await lot.until(lambda: len(lot.board.pulses) == 4, 10)
    assert await lot.edge.read(arrears.open_of, PLATE) == []


async def test_the_entry_asks_and_the_attendant_lets_the_car_in(tmp_path: Path) -> None:
    async with running(tmp_path, rule(Arrears.ASK)) as lot, visiting(lot, "booth") as booth:
        assert await booth.sign_in() == 200
        await runs_off(lot)
        await lot.cameras["in"].see(Sight(PLATE))
        await lot.until(lambda: lot.view("in").code == "debt_unpaid", 10)
        page = await booth.get("/booth")
        status, _ = await booth.send("/booth/lane/in/agree", {}, "/booth")

        assert "仍然放行入场" in page
        assert status == 200
        await lot.until(lambda: len(lot.board.pulses) == 3, 10)
        assert [car.plate for car in await lot.edge.cars_inside()] == [PLATE]


async def test_a_debt_that_is_not_there_is_not_found(booth: Visitor) -> None:
    assert await booth.status("/booth/debt/none") == 404
    assert await booth.status("/booth/debt/none/cash") == 404
