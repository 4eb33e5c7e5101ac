"""What an attendant sees and hears untouched: a fee's lines, refused coupons, the time that passes, a kiosk's sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.edge.web.running import running, visiting
from tests.edge.web.test_in_chromium import opened

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.mark.browser
async def test_the_lines_of_a_fee_are_open_and_stay_as_somebody_left_them(chromium: Browser, tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        await lot.enters()
        await lot.waits_to_pay()
        page = await opened(chromium, lot, "booth")
        await page.wait_for_selector(".lane.pay .fee[open] li")

        await page.click(".lane.pay .fee summary")
        lot.edge.live.publish(replace(lot.view("out"), confidence=71))
        await page.wait_for_selector(".lane.pay:has-text('71')")
        assert await page.locator(".lane.pay .fee[open]").count() == 0

        await page.click(".lane.pay .fee summary")
        refused = ({"coupon": "7:1", "refused": "expired"},)
        lot.edge.live.publish(replace(lot.view("out"), lines=(), coupons=refused))
        await page.wait_for_selector(".lane.pay .fee[open] li.refused")


async def test_the_time_a_waiting_car_has_stayed_is_told_anew_every_minute(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        await lot.enters()
        await lot.waits_to_pay()
        async with booth.streaming("/booth/live") as hear:
            assert "<dd>30 分钟</dd>" in await hear(1.5)
            lot.later(1)
            assert "<dd>31 分钟</dd>" in await hear(2.5)


async def test_a_kiosk_begins_with_its_sound_on_and_other_screens_with_it_off(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as desk, visiting(lot, "booth") as kiosk:
        await kiosk.get("/booth/kiosk")
        for screen in (desk, kiosk):
            await screen.sign_in()
        assert 'data-sound="off"' in await desk.get("/booth")
        assert 'data-sound="on"' in await kiosk.get("/booth")


@pytest.mark.browser
async def test_sound_that_somebody_turned_off_on_a_kiosk_stays_off(chromium: Browser, tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        page = await opened(chromium, lot, "booth")
        assert await page.inner_text("[data-sound]") == "声音 关"
        await page.goto(lot.url("booth", "/booth/kiosk"))
        await page.wait_for_url("**/booth")
        await page.click("body")
        await page.wait_for_selector("[data-sound][aria-pressed='true']")
        await page.click("[data-sound]")
        await page.reload()
        assert await page.inner_text("[data-sound]") == "声音 关"
