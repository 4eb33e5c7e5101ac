from __future__ import annotations

import logging

import pytest

from drivers.display.simulated import DisplayOptions, Shown, open_log_display, open_simulated_display
from drivers.wiring import Wiring


async def test_a_simulated_display_keeps_what_it_was_told() -> None:
    display = await open_simulated_display(DisplayOptions(), Wiring("exit-1"))
    assert display.now == Shown(())

    await display.show(("京A12345", "请通行"), speak="一路顺风")

    assert display.now == Shown(("京A12345", "请通行"), "一路顺风")
    assert display.shown == [display.now]


async def test_a_log_display_writes_each_change_once_with_plates_masked(caplog: pytest.LogCaptureFixture) -> None:
    display = await open_log_display(DisplayOptions(), Wiring("exit-1"))

    with caplog.at_level(logging.INFO):
        await display.show(("京A12345 请通行", "停车 12.50 元"))
        await display.show(("京A12345 请通行", "停车 12.50 元"))
        await display.show(("余位 15",))

    assert [record.getMessage() for record in caplog.records] == [
        "display exit-1: 京A·1***5 请通行 / 停车 12.50 元",
        "display exit-1: 余位 15",
    ]
