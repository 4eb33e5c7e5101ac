"""A merchant's day in real browsers: the operator's and the shop's desks, a driver's and a payer's phone."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from cloud.checking import check_all
from cloud.payments.settings import PaymentSettings
from drivers.camera.simulated import Sight
from edge.services.checking import check_books
from edge.services.paying import Taken
from lotgate.demo.qr import read_qr
from lotgate.gateway.book import Book
from lotgate.gateway.keys import account_settings, make_keys
from lotgate.gateway.program import Gateway
from plumbing.broker import free_port
from plumbing.settings import build as build_settings
from tests.fakes.one_day import begin_a_day_with_room
from tests.journeys.town import Town, open_town

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

GIVEN, CLAIMED, BOUGHT = "浙B6M208", "苏A7T931", "皖C2R654"
PHONE = "Mozilla/5.0 (Linux; Android 14; Phone) Chrome/131.0 Mobile Safari/537.36"
PASSWORD = "noodles at noon"
WAIT_MS = 30_000


@dataclass
class People:
    """Everybody's browser, and what any of them complained of."""

    town: Town
    gateway: str
    operator: Page
    shop: Page
    driver: Page
    payer: Page
    complaints: list[str]
    screen: str = ""  # where the shop shows its codes

    def url(self, path: str) -> str:
        return self.town.cloud.public_url + path


async def page_of(chromium: Browser, complaints: list[str], **options: object) -> Page:
    context: BrowserContext = await chromium.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    page.on("console", lambda message: complaints.append(f"{message.text} {message.location}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@asynccontextmanager
async def gateway_at(port: int, folder: Path, town: Town) -> AsyncIterator[None]:
    gateway = Gateway(folder, Book(town.cloud.now_ms))
    gateway.url = f"http://127.0.0.1:{port}"
    runner = web.AppRunner(gateway.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def people(chromium: Browser, tmp_path: Path) -> AsyncIterator[People]:
    port, keys, complaints = free_port(), tmp_path / "gateway", list[str]()
    make_keys(keys)
    payments = build_settings(account_settings(keys, f"http://127.0.0.1:{port}"), PaymentSettings, source="test")
    desk = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 800}}
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "user_agent": PHONE}
    async with open_town(tmp_path, payments=payments, name="城北停车场") as town, gateway_at(port, keys, town):
        begin_a_day_with_room(town.cloud.now_ms(), town.later)  # all of it stands on one day of the books
        yield People(
            town,
            f"http://127.0.0.1:{port}",
            await page_of(chromium, complaints, **desk),
            await page_of(chromium, complaints, **desk),
            await page_of(chromium, complaints, locale="en", **phone),
            await page_of(chromium, complaints, locale="zh-CN", **phone),
            complaints,
        )


async def sure(page: Page, says: str) -> None:
    """The second question says so, and is answered with yes."""
    assert says in await page.inner_text("#confirm [data-body]")
    async with page.expect_navigation():
        await page.click("#confirm [data-yes]")


async def signs_in(page: Page, url: str, account: str, password: str) -> None:
    await page.goto(url)
    await page.fill("[name=account]", account)
    await page.fill("[name=password]", password)
    await page.click("main button.primary")


async def changes_password(page: Page, old: str) -> None:
    await page.wait_for_url("**/password")
    for name, value in (("old", old), ("new", PASSWORD), ("again", PASSWORD)):
        await page.fill(f"[name={name}]", value)
    await page.click("main button.primary")


async def test_a_merchants_day_from_the_operators_form_to_its_books(people: People, tmp_path: Path) -> None:
    operator, shop = people.operator, people.shop
    town, edge = people.town, people.town.lot.opened.edge

    await signs_in(operator, people.url("/"), "admin", (tmp_path / "first").read_text().strip())
    await changes_password(operator, (tmp_path / "first").read_text().strip())
    account, first = await takes_on(people)
    await signs_in(shop, people.url("/m"), account, first)
    await changes_password(shop, first)
    await adds_template(people)

    await town.enters(GIVEN, 1)
    await gives(people, GIVEN, "面馆抵扣 6 元")

    await town.enters(CLAIMED, 2)
    await claims(people)

    await buys(people)
    await town.enters(BOUGHT, 3)
    await gives(people, BOUGHT, "停车抵扣 15 元")

    await prints(people)

    town.later(95)
    await pays_by_phone(people)

    await leave(people)
    await sees_it_all(people)
    assert people.complaints == []
    assert await edge.read(check_books) == []
    assert await town.cloud.db.run(check_all) == []


async def takes_on(people: People) -> tuple[str, str]:
    """A new merchant with its settlement, prices and 120 yuan; its account and first password, shown once."""
    page = people.operator
    await page.goto(people.url("/admin/merchants"))
    await page.click("main a.primary")
    await page.click("dialog.over .actions button:not(.primary)")
    await page.wait_for_selector("dialog.over", state="detached")
    await page.click("main a.primary")
    await page.fill("[name=name]", "示例面馆")
    await page.fill("[name=phone]", "13900138000")
    await page.click("dialog.over button.primary")
    await page.wait_for_selector("dl.facts code")
    account, first = await page.locator("dl.facts code").all_inner_texts()
    assert first == "138000"

    await page.click("form[action$='/settlement'] button")
    await sure(page, "支付方式一旦保存无法修改")
    await page.click("form[action$='/contract'] button")
    await sure(page, "城北停车场")
    await page.goto(people.url("/admin/merchants"))
    await page.click("a[href$='#top-up']")
    await page.check("dialog.over [name=kind][value=MIN]")
    assert await page.locator("dialog.over form:visible [name=commodity]").get_attribute("value") == "MIN"
    await page.check("dialog.over [name=kind][value=FEN]")
    top_up = page.locator("dialog.over form[action$='/top-up']:visible")
    assert "示例面馆" in await page.inner_text("dialog.over dl.facts")
    await top_up.locator("[name=paid]").fill("100")
    await top_up.locator("[name=bonus]").fill("20")
    await top_up.locator("button.primary").click()
    await sure(page, "充值 100 元、赠送 20 元")
    await page.wait_for_selector("text=充值成功")
    assert "¥120.00" in await page.inner_text(".stats")
    return account, first


async def adds_template(people: People) -> None:
    page = people.shop
    await page.wait_for_url("**/m?done=password")
    await page.fill("[name=name]", "面馆抵扣 6 元")
    await page.fill("[name=value]", "6")
    await page.click("form[action='/m/templates'] > button")
    await sure(page, "无法修改")
    await page.wait_for_selector("text=添加成功")
    assert "面馆抵扣 6 元" in await page.inner_text("main")


async def gives(people: People, plate: str, name: str) -> None:
    """The merchant finds a car inside by a part of its plate, and gives it a coupon."""
    page = people.shop
    await page.goto(people.url("/m/issue"))
    await page.fill("main [name=q]", plate[2:])
    await page.click("main form.search button")
    await page.wait_for_selector(".gifts")
    await page.click(f".gift:has-text('{name}') button")
    await sure(page, plate)
    await page.wait_for_url("**/m/records?*")
    assert "绑定" in await page.inner_text("tbody tr:first-child")


async def types_plate(phone: Page, plate: str) -> None:
    for key in plate:
        await phone.tap(f'[data-plate-key="{key}"]:visible')
    await phone.tap("form[data-plate-form] button.primary")


async def claims(people: People) -> None:
    """The shop shows a code; a phone opens it, types the plate on its keyboard and says yes to it, in English."""
    page, phone = people.shop, people.driver
    await page.goto(people.url("/m/codes"))
    await page.click(".card:has-text('面馆抵扣 6 元') button")
    picture = await page.get_attribute("img.qr", "src")
    assert picture is not None
    code, people.screen = await page.get_attribute("img.qr", "data-code"), page.url

    await phone.goto(read_qr(base64.b64decode(picture.partition(",")[2])))
    await phone.click("text=English")
    await types_plate(phone, CLAIMED)
    await phone.wait_for_selector(".plate-big")
    await phone.tap("form.answer button.primary")
    await phone.wait_for_selector("[data-claimed]")

    await page.wait_for_selector("[data-claimed='1']")
    assert await page.get_attribute("img.qr", "data-code") != code


async def buys(people: People) -> None:
    """The operator sells coupons; the shop orders ten, the payer pays on the gateway's page, and they are there."""
    operator, shop, payer = people.operator, people.shop, people.payer
    await operator.goto(people.url("/admin/shop"))
    for name, value in (("name", "停车抵扣 15 元"), ("value", "15"), ("unit", "9")):
        await operator.fill(f"form[action='/admin/shop'] [name={name}]", value)
    await operator.click("form[action='/admin/shop'] > button")
    await sure(operator, "上架")
    await operator.wait_for_selector("tbody >> text=停车抵扣 15 元")

    await shop.goto(people.url("/m/shop"))
    await shop.click("main .card a.primary")
    await shop.fill("[name=quantity]", "10")
    assert await shop.inner_text(".price-line output") == "¥90.00"
    await shop.click("main button.primary")
    await shop.wait_for_selector("img.cashier-code")

    await payer.goto(people.gateway)
    await payer.tap("tbody tr:first-child a")
    await payer.tap("button[value=pay]")
    await payer.wait_for_selector("text=已付款 ¥90.00")

    await shop.wait_for_selector("text=已支付")
    await shop.click("text=继续")
    await shop.wait_for_url("**/m/shop/purchases")


async def prints(people: People) -> None:
    """Four codes on one page of A4, as a printer gets it; what is not claimed is withdrawn, and its value back."""
    page = people.shop
    await page.goto(people.url("/m/print"))
    card = page.locator(".card:has-text('面馆抵扣 6 元')")
    await card.locator("[name=count]").first.fill("4")
    await card.locator("button.primary").click()
    await sure(page, "“面馆抵扣 6 元”4 张")
    await page.wait_for_url(re.compile(r"/m/print/[\w-]+$"))
    printing = page.url
    await page.select_option("[name=per]", "4")
    await page.click("text=应用")
    await page.goto(people.url(str(await page.get_attribute("main a.primary", "href"))))
    await page.emulate_media(media="print")
    assert (await page.locator(".sheet").count(), await page.locator(".slip").count()) == (1, 4)
    assert await page.evaluate("[...document.querySelectorAll('.slip img')].every((one) => one.naturalWidth > 100)")
    assert "示例面馆" in await page.inner_text(".slip >> nth=0")
    assert not await page.is_visible("[data-print]")
    await page.emulate_media(media="screen")
    for address in (printing, people.screen):
        await page.goto(address)
        await page.click("form[action$='/close'] button")
        await sure(page, "码立即失效" if address == people.screen else "没有领取的立即作废")
        await page.wait_for_selector("text=已停止")


async def pays_by_phone(people: People) -> None:
    """What the coupon leaves of the fee, on the same phone: the plate, the amount, the wallet, and the pass."""
    phone = people.driver
    await phone.goto(people.url(f"/pay/{people.town.lot_id}"))
    await types_plate(phone, CLAIMED)
    await phone.wait_for_selector("[data-due='400']")
    assert "−¥6.00" in await phone.inner_text(".facts")
    await phone.tap("text=Pay ¥4.00")
    await phone.wait_for_selector(".cashier a.primary")
    await phone.tap(".cashier a.primary")
    await phone.tap("button[value=pay]")
    await phone.tap("main a.primary")
    await phone.wait_for_url("**/payments/*")
    await phone.tap(".cashier a.primary")
    await phone.wait_for_selector("[data-outcome=settled]")
    assert await phone.is_visible("[data-digits]")


async def leave(people: People) -> None:
    """One pays the attendant what is left; one has paid on the phone; one owes nothing."""
    lot, edge = people.town.lot, people.town.lot.opened.edge
    await lot.cameras["out"].see(Sight(GIVEN))
    await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")
    view = edge.live.get("out")
    assert view is not None
    assert (view.fee_fen, view.off_fen, view.due_fen) == (1000, 600, 400)
    assert isinstance(await edge.take_cash("p1", view.stay_id, 400, "li"), Taken)
    for gone, plate in enumerate((GIVEN, CLAIMED, BOUGHT), 4):
        if plate != GIVEN:
            await lot.cameras["out"].see(Sight(plate))
        await lot.until(lambda number=gone: len(lot.board.pulses) == number)  # type: ignore[misc]
    assert await edge.cars_inside() == []


async def sees_it_all(people: People) -> None:
    """The shop's records, purse and stock, and the operator's books."""
    shop, operator = people.shop, people.operator
    for plate, worth, off in ((GIVEN, "¥6.00", "¥6.00"), (CLAIMED, "¥6.00", "¥6.00"), (BOUGHT, "¥15.00", "¥10.00")):
        await shop.goto(people.url(f"/m/records?q={plate[1:]}"))
        async with asyncio.timeout(30):
            while "已使用" not in (row := await shop.inner_text("tbody tr")):
                await shop.reload()
        assert (worth in row, f"减免 {off}" in row) == (True, True), row
    await shop.goto(people.url("/m/records/discounts"))
    assert await shop.locator("tbody tr").count() == 3
    await shop.goto(people.url("/m"))
    left, _, at_lots = re.findall(r"¥([\d.]+)", await shop.inner_text(".stat >> nth=0"))
    assert (left, at_lots) == ("88.00", "20.00")  # whoever came first took the bonus: coupons or the lot
    await shop.goto(people.url("/m/shop"))
    assert "9 · " in await shop.inner_text(".card .facts")
    await operator.goto(people.url("/admin/books"))
    assert (await operator.locator(".badge.bad").count(), await operator.locator(".badge.ok").count()) == (0, 3)
    await operator.goto(people.url("/admin/payments"))
    assert "¥94.00" in await operator.inner_text(".stats")
