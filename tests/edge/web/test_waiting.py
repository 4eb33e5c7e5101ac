"""A car that waits alone is not forgotten: every wait has a limit and a next step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.lane import Deciding
from edge.lanes import door
from edge.settings import EdgeSettings
from tests.edge.web.running import PLATE, running, visiting
from tests.edge.web.test_driver import IN, stands, types, unattended


def impatient(settings: EdgeSettings) -> EdgeSettings:
    settings = unattended(settings)
    displays = {"board": {"type": "simulated"}}
    lanes = tuple(replace(lane, display="board" if lane.name == "in" else "") for lane in settings.lanes)
    devices = replace(settings.devices, displays=displays)
    return replace(settings, lanes=lanes, devices=devices, rules=replace(settings.rules, waiting_alarm_s=1))


async def test_a_driver_who_waits_too_long_is_told_to_call_and_somebody_hears_of_it(tmp_path: Path) -> None:
    async with running(tmp_path, impatient) as lot:
        await stands(lot, "in")

        await lot.until(lambda: lot.view("in").call == "long_wait", 15)

        board = lot.opened.devices.displays["board"]
        await lot.until(lambda: any("等候过久" in shown.lines for shown in board.shown), 15)  # type: ignore[attr-defined]
        assert [row.code for row in await lot.edge.incidents()] == ["long_wait"]


async def test_a_car_that_no_loop_feels_counts_as_gone_after_a_while(tmp_path: Path) -> None:
    async with running(tmp_path, unattended) as lot, visiting(lot, "driver") as phone:
        await stands(lot, "in")
        lot.later(10)

        assert await types(phone, IN, PLATE) == "no_car"
        assert lot.board.pulses == []


async def test_a_lane_that_is_long_at_it_answers_that_one_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SETTLES_S", 0.2)
    async with running(tmp_path, unattended) as lot, visiting(lot, "driver") as phone:
        await stands(lot, "in")
        worker = lot.edge.workers["in"]
        monkeypatch.setattr(worker, "choose", lambda plate, by: None)  # its answer never comes

        assert await types(phone, IN, PLATE) == "busy"
        assert not isinstance(worker.state.phase, Deciding)
