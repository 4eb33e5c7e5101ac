"""The booth shows which lanes nobody attends, and a manager changes it for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from edge.settings import EdgeSettings
from tests.edge.web.running import running, visiting


def always_out(settings: EdgeSettings) -> EdgeSettings:
    """Nobody is ever at the exit by the timetable."""
    way_in, way_out = settings.lanes
    return replace(settings, lanes=(way_in, replace(way_out, unattended=("00:00-24:00",))))


async def test_a_manager_attends_a_lane_for_a_while_and_an_attendant_may_not(tmp_path: Path) -> None:
    async with running(tmp_path, always_out) as lot, visiting(lot, "booth") as manager, visiting(lot, "booth") as other:
        await manager.sign_in("manager")
        await other.sign_in("attendant")
        assert "无人值守" in await manager.get("/booth")
        now_ms = lot.edge.office.now().wall_ms
        until = f"{lot.edge.office.lot.local(now_ms + 3_600_000):%Y-%m-%dT%H:%M}"
        path = "/booth/lane/out/attend"

        status, page = await other.send(path, {"says": "attended", "until": until})
        assert (status, "班长授权" in page) == (409, True)
        status, page = await manager.send(path, {"says": "attended", "until": "2020-01-01T00:00"})
        assert (status, "时间已过" in page) == (409, True)
        status, page = await manager.send(path, {"says": "attended", "until": until})

        assert (status, "有人值守" in page) == (200, True)
        assert datetime.fromisoformat(until).strftime("%H:%M") in page
        assert lot.edge.office.is_attended(lot.edge.settings.lanes[1])
        await lot.until(lambda: lot.view("out").attended)  # the lane itself has noticed
        await manager.send(path, {"says": "timetable", "until": ""})
        await lot.until(lambda: not lot.view("out").attended)
