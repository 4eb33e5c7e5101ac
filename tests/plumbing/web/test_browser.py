"""The shell in a real browser: what its few lines of script promise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import TestServer

from tests.plumbing.conftest import until
from tests.plumbing.web.gallery.app import DONE, HUB, gallery

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    running = TestServer(gallery(), host="127.0.0.1")
    async with running:
        yield running
        running.app[HUB].close()


async def open_cars(chromium: Browser, server: TestServer, **options: object) -> tuple[Page, list[str]]:
    """The page with every component, signed in through the login form; and what the browser complained of."""
    page = await chromium.new_page(locale="zh-CN", **options)  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(str(server.make_url("/cars")))
    await page.fill("[name=account]", "wang")
    await page.fill("[name=password]", "right")
    await page.click("main button.primary")
    await page.wait_for_selector("table")
    return page, complaints


async def test_a_question_shows_what_the_form_holds(chromium: Browser, server: TestServer) -> None:
    page, _ = await open_cars(chromium, server)

    await page.click("main button.danger")

    assert (await page.inner_text("dialog [data-body]")).startswith("east-out: ")


async def test_a_money_act_asks_first_says_what_will_happen_and_is_sent_once(
    chromium: Browser, server: TestServer
) -> None:
    page, complaints = await open_cars(chromium, server)
    done = server.app[DONE]

    await page.click("text=收现金")
    assert "¥12.50" in await page.inner_text("dialog [data-body]")
    await page.click("dialog >> text=取消")
    assert done == []
    await page.click("text=收现金")
    await page.dblclick("dialog [data-yes]")
    await until(lambda: bool(done))
    await page.wait_for_load_state()

    assert done == ["wang /take"]
    assert complaints == []


async def test_a_part_changes_by_itself_unless_somebody_is_deciding(chromium: Browser, server: TestServer) -> None:
    page, _ = await open_cars(chromium, server)
    hub = server.app[HUB]
    await until(lambda: hub.listeners == 1)

    hub.publish(42)
    await page.wait_for_selector(".stat-value:text-is('42')")
    await page.click("text=收现金")
    hub.publish(43)
    await page.wait_for_timeout(100)
    assert await page.locator(".stat-value:text-is('42')").count() == 1

    await page.keyboard.press("Escape")
    hub.publish(44)
    await page.wait_for_selector(".stat-value:text-is('44')")


async def test_a_lost_connection_is_shown(chromium: Browser, server: TestServer) -> None:
    page, _ = await open_cars(chromium, server)
    await page.wait_for_selector("[data-live-state]:not([hidden]):not(.lost)")

    server.app[HUB].close()

    await page.wait_for_selector("[data-live-state].lost")


async def test_digits_can_be_typed_by_touch(chromium: Browser, server: TestServer) -> None:
    page = await chromium.new_page(has_touch=True, viewport={"width": 1280, "height": 800})
    await page.goto(str(server.make_url("/login?pin=1")))

    for key in ("4", "0", "9", "back", "7"):
        await page.tap(f"[data-key='{key}']")

    assert await page.input_value("[name=password]") == "407"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_pages_fit_the_screen_and_buttons_the_finger(
    chromium: Browser, server: TestServer, width: int, height: int
) -> None:
    page, _ = await open_cars(chromium, server, viewport={"width": width, "height": height})

    assert await page.evaluate("document.documentElement.scrollWidth") == width
    small = await page.evaluate(
        """[...document.querySelectorAll("button, .button, summary, select, input:not([type=hidden], [type=checkbox])")]
           .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)"""
    )
    assert small == []


async def test_dark_follows_the_system_and_the_switch_overrules_it(chromium: Browser, server: TestServer) -> None:
    page, _ = await open_cars(chromium, server, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(background) == "rgb(15, 20, 26)"

    await page.click("summary")
    await page.click("text=浅色")
    await page.wait_for_selector("html[data-theme=light]")

    assert await page.evaluate(background) == "rgb(243, 245, 248)"
