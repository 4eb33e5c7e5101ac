"""The daemon stops and starts with a sum on the screen: what is from before never looks fresh, and cannot be sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.settings import EdgeSettings, Listener
from tests.edge.web.running import running
from tests.edge.web.test_in_chromium import opened

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.browser

GREY = "e => getComputedStyle(e.closest('.content')).filter === 'grayscale(1)'"


def at_port(port: int) -> Callable[[EdgeSettings], EdgeSettings]:
    """The booth's pages where an open page looks for them again."""
    return lambda settings: replace(settings, listeners=replace(settings.listeners, booth=Listener(port=port)))


async def test_a_sum_on_the_screen_is_grey_while_the_daemon_is_away_and_fresh_when_it_is_back(
    chromium: Browser, tmp_path: Path
) -> None:
    async with running(tmp_path) as lot:
        stay = await lot.enters()
        port = lot.opened.ports["booth"]
        cash, typing = await opened(chromium, lot, "booth"), await opened(chromium, lot, "booth")
        await cash.goto(lot.url("booth", f"/booth/stay/{stay}/cash"))
        await typing.goto(lot.url("booth", f"/booth/stay/{stay}/waive"))
        await typing.fill("[name=amount]", "1.00")
        take = cash.locator("main form.cash button.primary")
        assert await take.is_enabled()
        shift = lot.shift_ms[0]

    await cash.wait_for_selector(".stale")
    assert await cash.locator("form.cash .due >> nth=0").evaluate(GREY)
    assert await take.is_disabled()
    await cash.evaluate("document.querySelector('form.cash').requestSubmit()")
    assert not await cash.locator("#confirm").is_visible()

    async with running(tmp_path, at_port(port), shift_ms=shift + 60 * 60_000) as lot:
        await cash.wait_for_selector("main form.cash[data-cash='1000']", timeout=12_000)  # an hour more
        assert await cash.locator(".stale, .outdated").count() == 0
        assert await take.is_enabled()
        await typing.wait_for_selector(".outdated-note:visible", timeout=12_000)
        assert await typing.input_value("[name=amount]") == "1.00"
        assert await typing.locator(".summary .due").evaluate(GREY)
        assert await typing.locator("main section form button:not([type=button])").is_disabled()
        await typing.click("[data-look]")
        await typing.wait_for_selector(".outdated", state="detached")
        assert "¥10.00" in await typing.inner_text(".summary .due")

        await cash.goto(lot.url("booth", "/booth"))
        await cash.evaluate("document.getElementById('confirm').showModal()")
        await lot.waits_to_pay()
        await cash.wait_for_timeout(300)
        assert await cash.locator(".lane.pay").count() == 0  # nothing moves beneath a question
        await cash.evaluate("document.getElementById('confirm').close('no')")
        await cash.wait_for_selector(".lane.pay", timeout=2000)
