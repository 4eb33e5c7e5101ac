"""The booth and the counter in a real browser, before a whole edge: what only scripts and screens can get wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.camera.simulated import Sight
from tests.edge.web.running import PIN, PLATE, WALL, Lot, running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser

SMALL = """
[...document.querySelectorAll("a.button, button, summary, select, .candidate, .car, .choice, input")]
  .filter((e) => e.checkVisibility() && !e.matches("[type=hidden], [type=radio], [type=checkbox]"))
  .filter((e) => Math.round(e.getBoundingClientRect().height) < 44)
  .map((e) => e.outerHTML)
"""
STAY_PATHS = ("", "/cash", "/waive", "/paper", "/plate", "/fee", "/lock", "/phone")
BOOTH_PATHS = (
    "/booth", "/booth/cars", "/booth/entry", "/booth/lane/out/plate", "/booth/lane/out/open", "/booth/printers",
    "/booth/extend", "/booth/lane/out/hold", "/booth/lists", "/booth/arrears", "/booth/zones", "/booth/stock",
    "/booth/lane/out/attend",
)  # fmt: skip
COUNTER_PATHS = ("/counter", "/counter/print/30", "/counter/vouchers", "/counter/voucher/1-1")


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


async def opened(chromium: Browser, lot: Lot, listener: str, who: str = "attendant", **options: object) -> Page:
    """A page after sign-in; whatever the browser complains of fails the test that asks for it."""
    options = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 800}, "has_touch": True, **options}
    page = await chromium.new_page(**options)  # type: ignore[arg-type]
    page.set_default_timeout(20_000)
    await page.goto(lot.url(listener))
    if listener == "booth":
        await page.select_option("[name=account]", WALL[who][0])
    else:
        await page.fill("[name=account]", WALL[who][0])
    for digit in PIN:
        await page.tap(f"[data-key='{digit}']")
    await page.click("main button.primary")
    await page.wait_for_url(f"**/{listener}")
    return page


async def test_a_wrong_pin_says_so_and_the_right_one_opens_the_lanes(chromium: Browser, lot: Lot) -> None:
    page = await chromium.new_page(locale="zh-CN")
    await page.goto(lot.url("booth"))
    await page.fill("[name=password]", "000000")
    await page.click("main button.primary")

    assert "账号或密码不正确" in await page.inner_text("main")
    page = await opened(chromium, lot, "booth")
    assert await page.locator(".lane.idle").count() == 2


async def test_a_car_appears_by_itself_and_cash_opens_the_barrier_once_even_on_a_double_tap(
    chromium: Browser, lot: Lot
) -> None:
    page = await opened(chromium, lot, "booth")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await lot.enters()
    await lot.waits_to_pay()
    await page.wait_for_selector(".lane.pay .big-plate")
    assert "¥5.00" in await page.inner_text(".lane.pay .due")

    await page.keyboard.press("F1")
    await page.tap("[data-tender='2000']")
    assert await page.inner_text("[data-change]") == "15.00"
    await page.dblclick("main form button.primary")
    assert "请找零 ¥15.00" in await page.inner_text("#confirm [data-body]")
    await page.dblclick("#confirm [data-yes]")
    await page.wait_for_url("**/booth")
    await lot.until(lambda: len(lot.board.pulses) == 2)
    await page.wait_for_selector(".lane.idle >> nth=1")

    assert [pulse.channel for pulse in lot.board.pulses] == [0, 1]
    assert len([act for act in await lot.edge.acts() if act.act == "payment.take"]) == 1
    assert complaints == []


async def test_opening_by_hand_asks_for_a_reason_and_then_again(chromium: Browser, lot: Lot) -> None:
    page = await opened(chromium, lot, "booth")
    await page.goto(lot.url("booth", "/booth/lane/in/open"))

    await page.click("button.danger")
    await page.click("#confirm [data-yes]")
    await page.wait_for_selector(".alert.bad")
    assert lot.board.pulses == []

    await page.tap("text=救护、消防、警车")
    await page.click("button.danger")
    assert "抬起一次" in await page.inner_text("#confirm [data-body]")
    await page.dblclick("#confirm [data-yes]")
    await page.wait_for_url("**/booth")
    await lot.until(lambda: len(lot.board.pulses) == 1)

    assert [act.reason for act in await lot.edge.acts() if act.act == "barrier.open"] == ["救护、消防、警车"]


async def test_a_plate_is_typed_with_the_pad_and_markup_in_it_stays_text(chromium: Browser, lot: Lot) -> None:
    page = await opened(chromium, lot, "booth")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await lot.cameras["in"].see(Sight(""))
    await page.wait_for_selector(".lane.ask")
    await page.keyboard.press("F2")
    await page.wait_for_selector("[data-plate-pad]")
    await page.evaluate("document.querySelector('[name=plate]').maxLength = 100")
    await page.fill("[name=plate]", "<img src=x onerror=alert(1)>"[:20])
    await page.click("text=确定")
    await page.wait_for_selector(".alert.bad")
    assert await page.input_value("[name=plate]") == "<img src=x onerror=a"
    assert await page.locator("main img[src='x']").count() == 0

    await page.tap("[data-key=clear]")
    for key in PLATE:
        await page.tap(f"[data-key='{key}']")
    await page.tap("text=确定")
    await lot.until(lambda: len(lot.board.pulses) == 1)

    assert dialogs == []
    assert [stay.plate for stay in await lot.edge.cars_inside()] == [PLATE]


async def test_the_right_car_is_picked_from_those_that_look_alike(chromium: Browser, lot: Lot) -> None:
    page = await opened(chromium, lot, "booth")
    for plate in ("京A12345", "粤B99999", "京A12346"):
        await lot.enters(plate)
    await lot.cameras["out"].see(Sight("京A1234"))
    await page.wait_for_selector(".lane.ask")

    await page.click(".lane.ask [data-fkey=F2]")
    assert await page.locator(".candidate").count() == 2
    await page.tap(".candidate:has-text('京A12346')")
    await page.wait_for_selector(".lane.pay")

    assert lot.view("out").stay_plate == "京A12346"


# As fast as a scanner, however busy this machine is.
SCANS = """(keys) => keys.forEach((key) => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""


async def test_a_scanned_voucher_is_laid_on_the_car_that_waits(chromium: Browser, lot: Lot) -> None:
    await lot.opens_shop()
    stay = await lot.enters(minutes_ago=90)
    page = await opened(chromium, lot, "booth")
    printed = await lot.edge.counter.issue_voucher(3, 30, "test")
    token = (await lot.edge.counter.vouchers(3))[0].token
    await lot.waits_to_pay()
    await page.wait_for_selector(".lane.pay")

    await page.evaluate(SCANS, [*f"HTTPS://LOTGATE.EXAMPLE/V/{token}", "Enter"])
    await page.wait_for_selector(".flash-line")

    assert "停车券已使用，还应收 ¥5.00" in await page.inner_text(".flash-line")
    assert lot.view("out").due_fen == 500
    assert (stay, printed) is not None


async def test_slips_are_printed_and_listed_while_the_page_is_watched(chromium: Browser, lot: Lot) -> None:
    await lot.opens_shop()
    page = await opened(chromium, lot, "counter", "shop", viewport={"width": 1024, "height": 600})
    await page.click(".offer:has-text('5.00')")
    await page.tap("[data-set='2']")
    await page.tap("[data-add='1']")
    await page.click("main form button.primary")
    assert "打印 3 张" in await page.inner_text("#confirm [data-body]")
    await page.dblclick("#confirm [data-yes]")
    await page.wait_for_url("**/counter")

    await page.wait_for_selector(".slip >> nth=2")
    await page.wait_for_selector(".slip:has-text('1-000003') .badge.ok")

    assert len(lot.printer.jobs) == 3
    assert await page.inner_text(".offer:has-text('5.00') .left b") == "1"


@pytest.mark.parametrize(
    ("listener", "who", "width", "height"),
    [
        ("booth", "attendant", 1280, 800),
        ("booth", "attendant", 1024, 600),
        ("counter", "shop", 390, 844),
        ("counter", "shop", 1024, 600),
    ],
)
async def test_pages_fit_the_screen_and_buttons_the_finger(
    chromium: Browser, lot: Lot, listener: str, who: str, width: int, height: int
) -> None:
    await lot.opens_shop()
    await lot.edge.counter.issue_voucher(3, 30, "test")
    stay = await lot.enters()
    await lot.waits_to_pay()
    page = await opened(chromium, lot, listener, who, viewport={"width": width, "height": height})
    booth = (*BOOTH_PATHS, *(f"/booth/stay/{stay}{path}" for path in STAY_PATHS))

    for path in booth if listener == "booth" else COUNTER_PATHS:
        for language in ("zh-CN", "en"):
            await page.goto(lot.url(listener, f"{path}?lang={language}"))
            assert await page.evaluate("document.documentElement.scrollWidth") == width, (path, language)
            assert await page.evaluate(SMALL) == [], (path, language)


async def test_dark_by_choice_and_english_by_switch_stay_after_a_reload(chromium: Browser, lot: Lot) -> None:
    page = await opened(chromium, lot, "booth")
    await page.click("summary.bar-button")
    await page.click("text=深色")
    await page.click("text=English")
    await page.reload()

    assert await page.get_attribute("html", "data-theme") == "dark"
    assert await page.evaluate("getComputedStyle(document.querySelector('.lane')).backgroundColor") == "rgb(24, 32, 42)"
    assert "Nobody here" in await page.inner_text(".lane.idle >> nth=0")


async def test_fingers_alone_search_cars_and_write_a_reason(chromium: Browser, lot: Lot) -> None:
    await lot.enters()
    page = await opened(chromium, lot, "booth", viewport={"width": 1024, "height": 600})
    await page.goto(lot.url("booth", "/booth/cars"))

    await page.tap("[name=q]")
    for key in "234":
        await page.tap(f"#keyboard [data-type='{key}']")
    await page.tap(".search .button")
    await page.wait_for_selector(".car b")
    assert (await page.inner_text(".car b"), "q=234" in page.url) == (PLATE, True)

    await page.goto(lot.url("booth", "/booth/lane/out/open"))
    await page.tap("[name=other]")
    await page.tap("#keyboard [data-page=provinces]")
    for key in ("司机", "浙", "要求"):
        await page.tap(f"#keyboard [data-type='{key}']")
    await page.tap("#keyboard [data-edit=back]")
    assert await page.input_value("[name=other]") == "司机浙要"
    assert await page.evaluate(SMALL) == []
    box = await page.locator("[name=other]").bounding_box()
    keys = await page.locator("#keyboard").bounding_box()
    assert box is not None
    assert keys is not None
    assert box["y"] + box["height"] <= keys["y"]
    await page.tap("#keyboard [data-edit=hide]")
    assert await page.locator("#keyboard").is_hidden()


async def test_a_field_with_a_pad_of_its_own_calls_no_keyboard(chromium: Browser, lot: Lot) -> None:
    stay_id = await lot.enters()
    page = await opened(chromium, lot, "booth")
    await page.goto(lot.url("booth", f"/booth/stay/{stay_id}/waive"))

    await page.tap("[name=amount]")

    assert await page.locator("#keyboard").is_hidden()
