"""A scanner that types, on the booth's pages: no code is laid on the wrong car, none is ignored without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.camera.simulated import Sight, SimulatedVzenith
from edge.settings import EdgeSettings, Lane
from plumbing.files import write_private
from tests.edge.web.running import running
from tests.edge.web.test_in_chromium import SCANS, opened

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser

OTHER = "粤B99999"
SECRET = "s" * 32


def two_exits(settings: EdgeSettings) -> EdgeSettings:
    """A second exit with a camera of its own."""
    way_in, way_out = settings.lanes
    secret = settings.data.parent / "camera-out2"
    write_private(secret, SECRET.encode())
    cameras = {**settings.devices.cameras, "out2": {"type": "vzenith", "secret_file": str(secret)}}
    second = Lane("out2", way_out.direction, way_out.source, way_out.target, ("out2",))
    return replace(
        settings, lanes=(way_in, way_out, second), devices=replace(settings.devices, cameras=cameras)
    )  # fmt: skip


async def scan(page: Page, text: str) -> str:
    """What the screen says once *text* was scanned."""
    await page.evaluate("document.querySelectorAll('.flash-line').forEach((old) => old.remove())")
    await page.evaluate(SCANS, [*text, "Enter"])
    await page.wait_for_selector(".flash-line")
    return await page.inner_text(".flash-line")


async def test_with_two_cars_waiting_a_slip_counts_for_the_one_whose_page_is_open(
    chromium: Browser, tmp_path: Path
) -> None:
    async with running(tmp_path, two_exits) as lot:
        await lot.opens_shop()
        stays = [await lot.enters(), await lot.enters(OTHER, minutes_ago=90)]
        await lot.edge.counter.issue_voucher(3, 30, "test")
        slip = f"HTTPS://LOTGATE.EXAMPLE/V/{(await lot.edge.counter.vouchers(3))[0].token}"
        page = await opened(chromium, lot, "booth")
        assert "没有车在等待缴费" in await scan(page, slip)

        await lot.waits_to_pay()
        base = f"http://127.0.0.1:{lot.opened.ports['device']}/device/"
        async with SimulatedVzenith(base + SECRET, serial="serial-out2") as camera:
            await camera.see(Sight(OTHER))
            await lot.until(lambda: lot.view("out2").verdict == "PayFirst")
        dues = [lot.view(lane).due_fen for lane in ("out", "out2")]
        assert "有 2 辆车在等待缴费" in await scan(page, slip)
        assert [lot.view(lane).due_fen for lane in ("out", "out2")] == dues

        await page.goto(lot.url("booth", f"/booth/stay/{stays[1]}/cash"))
        assert "停车券已使用" in await scan(page, slip)
        await lot.until(lambda: lot.view("out2").due_fen == dues[1] - 500)
        assert lot.view("out").due_fen == dues[0]

        await page.goto(lot.url("booth", f"/booth/stay/{stays[0]}?lang=en"))
        assert "the lot is offline" in (await scan(page, "130000000000000000")).lower()  # 18 digits, somebody's money
        assert "An entry ticket counts where a lane asks" in await scan(page, "LT1" + "A" * 60)
        assert "no voucher, entry ticket" in await scan(page, "6901234567892000")
