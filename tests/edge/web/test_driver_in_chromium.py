"""The lane's page on a phone: a keyboard for plates, large keys, nothing wider than the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.camera.simulated import Sight
from tests.edge.web.running import PLATE, Lot, running
from tests.edge.web.test_driver import IN, OUT, stands, unattended

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser

SMALL = """
[...document.querySelectorAll("main button, main a.button, main input, main summary")]
  .filter((e) => e.checkVisibility() && !e.matches("[type=hidden]") && e.getBoundingClientRect().width > 2)
  .filter((e) => Math.round(e.getBoundingClientRect().height) < 44)
  .map((e) => e.outerHTML)
"""
WIDE = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, unattended) as lot:
        yield lot


async def phone(chromium: Browser, lot: Lot, path: str, complaints: list[str], **options: object) -> Page:
    options = {"locale": "zh-CN", "viewport": {"width": 360, "height": 740}, "has_touch": True, **options}
    page = await chromium.new_page(**options)  # type: ignore[arg-type]
    page.set_default_timeout(20_000)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(lot.url("driver", path))
    return page


async def taps(page: Page, plate: str) -> None:
    for key in plate:
        await page.tap(f'[data-plate-key="{key}"]:visible')


async def test_a_plate_is_tapped_and_the_fee_is_read_on_one_narrow_screen(chromium: Browser, lot: Lot) -> None:
    complaints: list[str] = []
    await lot.enters()
    await stands(lot, "out", Sight("京A12346", confidence=30))
    page = await phone(chromium, lot, OUT, complaints)
    assert (await page.evaluate(SMALL), await page.evaluate(WIDE)) == ([], False)

    await page.tap('[data-plate-key="京"]')
    assert await page.is_disabled('[data-plate-key="1"]')  # a letter comes second
    await page.tap('[data-plate-key="back"]')
    await taps(page, PLATE)
    assert (await page.inner_text("[data-boxes]")).split() == [*PLATE, "新能源"]
    await page.tap("form[data-plate-form] button.primary")
    await page.wait_for_selector("[data-outcome=pay]")

    assert "¥5.00" in await page.inner_text(".due")
    assert (await page.evaluate(SMALL), await page.evaluate(WIDE), complaints) == ([], False, [])


async def test_a_car_without_a_plate_gets_its_number_after_a_second_question(chromium: Browser, lot: Lot) -> None:
    complaints: list[str] = []
    await stands(lot, "in")
    page = await phone(chromium, lot, IN, complaints, color_scheme="dark")

    await page.tap("form:has(input[value=ticket]) button")
    assert lot.board.pulses == []
    await page.tap("#confirm [data-yes]")
    await page.wait_for_selector("[data-number]")

    (stay,) = await lot.edge.cars_inside()
    assert (await page.inner_text("[data-number]")).replace(" ", "") == stay.plate[1:]
    assert await page.evaluate("document.querySelector('.ticket img').naturalWidth > 100")
    assert (await page.evaluate(WIDE), complaints) == (False, [])
    await page.goto(lot.url("driver", OUT))
    assert stay.plate[1:] in await page.inner_text("main")


async def test_without_scripts_the_plate_is_typed_into_a_plain_field(chromium: Browser, lot: Lot) -> None:
    await stands(lot, "in")
    page = await phone(chromium, lot, IN, [], java_script_enabled=False)

    await page.fill("#plate", PLATE)
    await page.click("form[data-plate-form] button.primary")

    assert "欢迎" in await page.inner_text("main")
    assert [stay.plate for stay in await lot.edge.cars_inside()] == [PLATE]
