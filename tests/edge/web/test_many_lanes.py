"""Eight lanes on a small touchscreen: none is lost from sight, and the keys do what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.settings import EdgeSettings, Lane
from tests.edge.web.running import running
from tests.edge.web.test_in_chromium import SMALL, opened

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.browser

IN_SIGHT = """
[...document.querySelectorAll("[data-chip]")].filter((chip) => {
  const at = chip.getBoundingClientRect();
  return at.width > 60 && at.left >= 0 && at.right <= innerWidth && at.top >= 0 && at.bottom <= innerHeight;
}).map((chip) => chip.className)
"""


def eight(settings: EdgeSettings) -> EdgeSettings:
    """Beside the two lanes with devices six that a person serves alone."""
    way_in, way_out = settings.lanes
    more = [
        Lane(f"{number}号{word}", lane.direction, lane.source, lane.target)
        for number in (2, 3, 4)
        for lane, word in ((way_in, "入口"), (way_out, "出口"))
    ]
    return replace(settings, lanes=(way_in, way_out, *more))


async def test_eight_lanes_stay_in_sight_and_the_screen_locks_by_a_key(chromium: Browser, tmp_path: Path) -> None:
    async with running(tmp_path, eight) as lot:
        page = await opened(chromium, lot, "booth", viewport={"width": 1024, "height": 600})
        await lot.enters()
        await lot.waits_to_pay()
        await page.wait_for_selector(".lane-bar .pay")
        assert await page.inner_text(".lane-bar .pay small") == "¥5.00"

        await page.tap(".lane-bar a >> nth=7")
        await page.wait_for_function("document.getElementById('lane-8').getBoundingClientRect().bottom <= innerHeight")

        shown = await page.evaluate(IN_SIGHT)
        assert (len(shown), shown.count("idle"), shown.count("pay")) == (8, 7, 1)
        assert await page.evaluate(SMALL) == []
        await page.keyboard.press("F12")
        await page.wait_for_url("**/login?as=*")
