from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.moment import Moment, Quality
from drivers.base import DeviceUnreachableError
from edge.jobs import set_clocks

NOW = Moment("boot", 0, 1_768_377_778_000)


class Camera:
    def __init__(self, *, gone: bool = False) -> None:
        self.set_to: list[datetime] = []
        self._gone = gone

    async def set_clock(self, now: datetime) -> None:
        if self._gone:
            raise DeviceUnreachableError("camera b: no answer")
        self.set_to.append(now)


def office(quality: Quality) -> object:
    moment = replace(NOW, quality=quality)
    return SimpleNamespace(now=lambda: moment, lot=SimpleNamespace(tz=ZoneInfo("Asia/Shanghai")))


async def test_cameras_get_our_time_and_one_that_is_gone_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    right, late, gone = Camera(), Camera(), Camera(gone=True)
    cameras: dict[str, Any] = {"a": right, "b": gone, "c": late, "d": object()}

    with caplog.at_level(logging.WARNING):
        await set_clocks(office(Quality.NTP), cameras)  # type: ignore[arg-type]

    assert right.set_to == late.set_to == [datetime(2026, 1, 14, 8, 2, 58, tzinfo=UTC)]
    assert [record.getMessage() for record in caplog.records] == [
        "camera b: its clock was not set (camera b: no answer)"
    ]


async def test_a_clock_we_are_not_sure_of_is_given_to_nobody() -> None:
    camera = Camera()

    await set_clocks(office(Quality(Quality.NTP - 1)), dict[str, Any](a=camera))  # type: ignore[arg-type]

    assert camera.set_to == []
