"""A lane with ground loops on the relay board's inputs: passages seen, cars turning back, cars following too close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.db import money, stays
from edge.lanes import sides
from edge.lanes.live import Inputs
from edge.settings import EdgeSettings
from tests.edge.gates import INPUTS, SETTLED_S, gated
from tests.edge.test_daemon import PLATE, QUICK, Running, running

IN_BEFORE, IN_UNDER, OUT_BEFORE, OUT_UNDER = range(4)


def with_loops(folder: Path, board_port: int) -> EdgeSettings:
    return gated(folder, board_port, replace(QUICK, closing_s=1))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, make=with_loops) as lot:
        yield lot


async def phase(lot: Running, lane: str, name: str) -> None:
    await lot.until(lambda: (view := lot.opened.edge.live.get(lane)) is not None and view.phase == name)


async def drive_through(lot: Running, before: int, under: int, lane: str) -> None:
    lot.board.set_input(under, True)
    await phase(lot, lane, "Crossing")
    lot.board.set_input(before, False)
    await asyncio.sleep(SETTLED_S)
    lot.board.set_input(under, False)


async def enter(lot: Running, plate: str, pulses: int) -> None:
    lot.board.set_input(IN_BEFORE, True)
    await lot.passes("in", plate, pulses)
    await drive_through(lot, IN_BEFORE, IN_UNDER, "in")
    await phase(lot, "in", "Closing")


async def test_a_car_over_the_loops_is_seen_in_and_out(lot: Running) -> None:
    await enter(lot, PLATE, 1)

    lot.board.set_input(OUT_BEFORE, True)
    await lot.passes("out", PLATE, 2)
    await drive_through(lot, OUT_BEFORE, OUT_UNDER, "out")
    await phase(lot, "out", "Closing")

    (stay,) = await lot.opened.edge.recent_stays()
    assert (stay.outcome, stay.passed) == ("FREE", True)


async def test_a_car_that_backs_out_of_the_entry_is_not_inside(lot: Running) -> None:
    lot.board.set_input(IN_BEFORE, True)
    await asyncio.sleep(SETTLED_S)
    await lot.passes("in", PLATE, 1)

    lot.board.set_input(IN_BEFORE, False)
    await phase(lot, "in", "Idle")

    assert await lot.opened.edge.cars_inside() == []
    assert [one.code for one in await lot.opened.edge.incidents()] == ["reversed_after_opening"]


async def test_a_car_close_behind_another_leaves_with_a_debt(lot: Running) -> None:
    await enter(lot, PLATE, 1)
    await phase(lot, "in", "Idle")
    await enter(lot, "粤B98765", 2)
    lot.later(70)
    edge = lot.opened.edge
    first, second = sorted(await edge.cars_inside(), key=lambda stay: stay.plate)
    await edge.take_cash("p1", first.stay_id, 1000, "li")

    lot.board.set_input(OUT_BEFORE, True)
    await lot.passes("out", PLATE, 3)
    await drive_through(lot, OUT_BEFORE, OUT_UNDER, "out")
    await phase(lot, "out", "Closing")
    lot.board.set_input(OUT_BEFORE, True)
    await asyncio.sleep(SETTLED_S)
    await lot.cameras["out"].see(Sight("粤B98765"))
    await phase(lot, "out", "Waiting")
    for place, on in ((OUT_UNDER, True), (OUT_BEFORE, False), (OUT_UNDER, False)):
        lot.board.set_input(place, on)
        await asyncio.sleep(SETTLED_S)

    async def debts() -> list[money.DebtRow]:
        return await edge.debts()

    async with asyncio.timeout(5):
        while not await debts():
            await asyncio.sleep(0.02)
    ((debt),) = await debts()
    gone = await edge.read(stays.get, second.stay_id)
    assert (debt.plate, debt.owed_fen) == ("粤B98765", 1000)
    assert gone is not None
    assert (gone.outcome, gone.cause) == ("UNPAID", "tailgate")
    assert len(lot.board.pulses) == 3


def watched(folder: Path, board_port: int) -> EdgeSettings:
    """The entry's arm tells where it stands, and patience is short."""
    plain = with_loops(folder, board_port)
    rules = replace(plain.rules, arm_moves_s=1, arm_up_s=1, loop_taken_s=1)
    board = plain.devices.loops["board"]
    loops = {"board": {**board, "inputs": {**INPUTS, "in-up": 4}}}
    lanes = (replace(plain.lanes[0], arm_up="in-up"), plain.lanes[1])
    return replace(plain, rules=rules, lanes=lanes, devices=replace(plain.devices, loops=loops))


async def test_an_arm_that_does_not_move_or_fall_and_a_loop_that_stays_taken_are_alarms(tmp_path: Path) -> None:
    async with running(tmp_path, make=watched) as lot:
        wrong = lot.opened.edge.workers["in"]._health

        def shown() -> str:
            view = lot.opened.edge.live.get("in")
            return view.incident if view else ""

        await asyncio.sleep(SETTLED_S)
        await lot.passes("in", PLATE, 1)
        await lot.until(lambda: "arm in" in wrong.wrong)
        assert "told to open and is not up" in wrong.wrong["arm in"]
        await lot.until(lambda: shown() == "arm_unmoved")

        lot.board.set_input(4, True)
        await lot.until(lambda: "nothing under it" in wrong.wrong.get("arm in", ""))
        lot.board.set_input(4, False)
        lot.board.set_input(IN_BEFORE, True)
        await lot.until(lambda: list(wrong.wrong) == ["loop in-before taken"])
        await lot.until(lambda: shown() == "loop_stuck")
        lot.board.set_input(IN_BEFORE, False)
        await lot.until(lambda: not wrong.wrong and not shown())

        codes = [one.code for one in await lot.opened.edge.incidents()]
        assert [codes.count(code) for code in ("arm_unmoved", "arm_held_up", "loop_stuck")] == [1, 1, 1]


def two_way(folder: Path, board_port: int) -> EdgeSettings:
    """Both lanes have one arm between them, and one loop under it."""
    plain = with_loops(folder, board_port)
    lanes = tuple(replace(lane, barrier="in", passage_loop="in-under") for lane in plain.lanes)
    return replace(plain, lanes=lanes)


async def test_a_loop_under_a_shared_arm_speaks_of_the_side_the_car_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "DRIVES_OFF_S", 0.0)  # this car turns round at once
    async with running(tmp_path, make=two_way) as lot:
        edge = lot.opened.edge
        await enter(lot, PLATE, 1)
        await phase(lot, "in", "Idle")
        lot.board.set_input(OUT_BEFORE, True)
        await lot.passes("out", PLATE, 2)
        await drive_through(lot, OUT_BEFORE, IN_UNDER, "out")
        await phase(lot, "out", "Idle")

        lot.board.set_input(IN_UNDER, True)  # nobody was let through, and nobody stands before the arm
        await asyncio.sleep(SETTLED_S)
        lot.board.set_input(IN_UNDER, False)
        async with asyncio.timeout(5):
            while not (seen := await edge.incidents()):
                await asyncio.sleep(0.02)

        await asyncio.sleep(SETTLED_S)
        passages = await edge.read(
            lambda conn: conn.execute("SELECT kind, lane FROM passage ORDER BY wall_ms").fetchall()
        )
        assert [tuple(row) for row in passages] == [("seen", "in"), ("seen", "out"), ("forced", "out")]
        assert [(one.code, one.lane) for one in seen] == [("forced", "out")]


def with_arms(folder: Path, board_port: int) -> EdgeSettings:
    plain = with_loops(folder, board_port)
    board = plain.devices.loops["board"]
    lanes = tuple(replace(lane, arm_up=f"{lane.name}-up") for lane in plain.lanes)
    inputs = {**INPUTS, "in-up": 4, "out-up": 5}
    return replace(plain, lanes=lanes, devices=replace(plain.devices, loops={"board": {**board, "inputs": inputs}}))


async def test_arm_and_loops_are_shown_as_they_stand_and_unknown_once_the_board_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path, make=with_arms) as lot:

        async def shows(arm: str, before: str, under: str) -> None:
            await lot.until(
                lambda: (
                    (view := lot.opened.edge.live.get("in")) is not None and view.inputs == Inputs(arm, before, under)
                )
            )

        await shows("closed", "free", "free")
        lot.board.set_input(IN_BEFORE, True)
        await shows("closed", "taken", "free")
        await lot.passes("in", PLATE, 1)
        await shows("opening", "taken", "free")
        lot.board.set_input(4, True)
        lot.board.set_input(IN_UNDER, True)
        await shows("open", "taken", "taken")
        await lot.board.stop()
        await shows("fault", "unknown", "unknown")


def with_a_bell(folder: Path, board_port: int) -> EdgeSettings:
    plain = with_loops(folder, board_port)
    board = plain.devices.loops["board"]
    lanes = tuple(replace(lane, bell="in-bell") if lane.name == "in" else lane for lane in plain.lanes)
    loops = {"board": {**board, "inputs": {**INPUTS, "in-bell": 4}}}
    return replace(plain, lanes=lanes, devices=replace(plain.devices, loops=loops))


async def test_a_driver_who_rings_is_shown_at_the_booth_and_kept_as_one_alarm(tmp_path: Path) -> None:
    async with running(tmp_path, make=with_a_bell) as lot:
        edge = lot.opened.edge

        def shown(lane: str) -> str:
            view = edge.live.get(lane)
            return view.incident if view else ""

        for _ in range(2):
            lot.board.set_input(4, True)
            await lot.until(lambda: shown("in") == "bell")
            await asyncio.sleep(0.5)
            lot.board.set_input(4, False)
            await asyncio.sleep(0.5)

        assert [(row.code, row.lane) for row in await edge.incidents()] == [("bell", "in")]
        assert (shown("out"), lot.board.pulses) == ("", [])
        await lot.passes("in", PLATE, 1)
        assert [row.code for row in await edge.incidents()] == ["bell"]
