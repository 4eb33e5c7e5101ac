"""An attendant's day by touch alone on the small screen, in English: nothing to be read is in another language."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.services.checking import check_books
from edge.settings import EdgeSettings
from edge.workstations import Receipts, Shifts, Workstation
from tests.edge.web.running import PIN, PLATE, WALL, Lot, running
from tests.edge.web.test_in_chromium import SMALL, opened

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser

PLACE = "East booth"
NAMES = "".join(name for name, _ in WALL.values()) + PLATE + "中文室栋店示例停车场"
KEYS = "京沪津渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼无警学挂港澳使领"


def with_a_till(settings: EdgeSettings) -> EdgeSettings:
    rules = replace(settings.rules, shifts=Shifts.NEEDED, waive_limits_fen={"attendant": 100})
    return replace(settings, rules=rules, workstations=(Workstation(PLACE, ("in", "out"), "counter", Receipts.ALWAYS),))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, with_a_till) as lot:
        yield lot


async def reads(page: Page, at: str) -> None:
    """Everything on this page is English, fits the screen, and can be touched."""
    text = await page.inner_text("main")
    strange = set(re.findall(r"[\u4e00-\u9fff]", text)) - set(NAMES) - set(KEYS)
    assert not strange, (at, strange)
    assert await page.evaluate("document.documentElement.scrollWidth") == 1024, at
    assert await page.evaluate(SMALL) == [], at


async def confirm(page: Page) -> None:
    await page.tap("#confirm [data-yes]")
    await page.wait_for_selector("#confirm:not([open])", state="attached")


async def approve(page: Page) -> None:
    """A supervisor steps up and types a PIN on the glass."""
    await page.select_option("[name=approver]", WALL["manager"][0])
    for digit in PIN:
        await page.tap(f"[data-keypad=approver_pin] [data-key='{digit}']")


async def test_a_day_by_touch_in_english_on_the_small_screen(chromium: Browser, lot: Lot) -> None:
    page = await opened(chromium, lot, "booth", viewport={"width": 1024, "height": 600})
    page.set_default_timeout(20_000)

    await page.goto(lot.url("booth", "/booth/shift?lang=en"))
    await reads(page, "shift")
    await page.tap("main form.narrow-form button.primary")
    await page.wait_for_url("**/booth")

    stay = await lot.enters()
    await lot.waits_to_pay()
    await page.wait_for_selector(".lane.pay")
    await reads(page, "lanes")

    at = f"/booth/stay/{stay}"
    await page.tap(f".lane.pay [href='{at}']")
    await page.tap(f"[href='{at}/fee']")
    await page.tap("[data-keypad=amount] [data-key=back] >> nth=0")
    for _ in range(4):
        await page.tap("[data-keypad=amount] [data-key=back]")
    for digit in "60":
        await page.tap(f"[data-keypad=amount] [data-key='{digit}']")
    await page.tap("main .choice >> nth=0")
    await reads(page, "fee")
    await page.tap("main form button.primary.big")
    await confirm(page)
    await page.wait_for_selector("[name=approver]")
    await reads(page, "fee, beyond the limit")
    await approve(page)
    await page.tap("main form button.primary.big")
    await confirm(page)
    await page.wait_for_url("**/booth")
    await lot.until(lambda: lot.view("out").due_fen == 6000)

    await page.tap(f".lane.pay [href='{at}/cash']")
    await reads(page, "cash")
    await page.tap("[data-tender='10000']")
    await page.tap("main form button.primary")
    await confirm(page)
    await lot.until(lambda: len(lot.board.pulses) == 2)

    await page.goto(lot.url("booth", "/booth/lane/out/hold"))
    await reads(page, "hold")
    await page.tap("main .choice >> nth=0")
    await page.tap("main button.danger")
    await confirm(page)
    await page.wait_for_selector(".held-row")
    await page.tap(".held-row button")
    await confirm(page)
    await page.wait_for_selector(".held-row", state="detached")

    await page.goto(lot.url("booth", "/booth/shift"))
    await page.tap("main .big-acts a.primary")
    await reads(page, "the end of the shift")
    await page.tap("[name=counted]")
    for digit in "60":
        await page.tap(f"[data-keypad-focused] [data-digit='{digit}']")
    await page.tap("main .actions button.primary")
    await confirm(page)
    await page.wait_for_selector(".figures")
    await reads(page, "report")
    assert "¥0.00" in await page.inner_text(".figures .ok-text")
    assert await lot.edge.read(check_books) == []
