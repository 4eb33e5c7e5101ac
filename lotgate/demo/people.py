"""Scripted people at the cloud's pages: the operator, a merchant, a driver with a phone, a payer with a wallet."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote

from lotgate.demo.folder import DemoError
from lotgate.demo.pages import Page, Pages
from lotgate.demo.qr import read_qr

SHOWN_ONCE = re.compile(r"<code>([^<]+)</code>")
OF_MERCHANT = re.compile(r'action="/admin/merchants/(\d+)/')
GIFT = re.compile(r'name="template_id" value="(\d+)".*?<strong>([^<]+)</strong>', re.DOTALL)
CARD = re.compile(r'<h2>([^<]+)</h2>(?:(?!</section>).)*?name="template_id" value="(\d+)"', re.DOTALL)
PRODUCT = re.compile(r'href="/m/shop/(\d+)"')
PICTURE = re.compile(r'src="data:image/png;base64,([^"]+)"[^>]*alt="([^"]*)"')
QUOTE = re.compile(r'action="(/Q/\w+)"')
WALLET = re.compile(r'href="(/payments/[\w-]+/wechat)"')


@dataclass(frozen=True, slots=True)
class Login:
    """What the operator tells a new merchant, once."""

    merchant_id: int
    account: str
    password: str


def found(pattern: re.Pattern[str], page: Page, what: str) -> re.Match[str]:
    """What *pattern* finds on *page*. Raises DemoError naming *what* is not there."""
    match = pattern.search(page.text)
    if match is None:
        raise DemoError(f"{page.url}: no {what}: {page.said or page.status}")
    return match


class Operator:
    """Takes merchants on and sells them coupons."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def take_on(self, name: str, phone: str, lot_id: int) -> Login:
        """A prepaid merchant with plain prices at a lot; its first password."""
        page = await self.pages.submit("/admin/merchants/new", {"name": name, "phone": phone})
        merchant_id = int(found(OF_MERCHANT, page, "new merchant")[1])
        account, password = SHOWN_ONCE.findall(page.text)[:2]
        modes = {"payment_mode": "PREPAID", "settlement_mode": "ON_ISSUE"}
        await self._settles(merchant_id, "settlement", modes)
        await self._settles(merchant_id, "contract", {"lot_id": str(lot_id), "waiver_cap_fen": "50"})
        return Login(merchant_id, account, password)

    async def top_up(self, merchant_id: int, yuan: str, bonus: str) -> Page:
        """Money that came in at the office, and what is given on top."""
        return await self._settles(merchant_id, "top-up", {"commodity": "FEN", "paid": yuan, "bonus": bonus})

    async def offer(self, name: str, yuan: str, unit: str) -> Page:
        """Coupons of *yuan* each for sale at *unit*."""
        fields = {"name": name, "kind": "AMOUNT", "value": yuan, "unit": unit, "most": "0", "months": "12"}
        return (await self.pages.submit("/admin/shop", fields | {"meaning": "end", "hours": "24"})).well()

    async def _settles(self, merchant_id: int, what: str, fields: dict[str, str]) -> Page:
        here = f"/admin/merchants/{merchant_id}"
        return (await self.pages.submit(f"{here}/{what}", fields, form=here)).well()


class Merchant:
    """A shop's phone: gives coupons, shows codes, prints, buys."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def begin(self, login: Login, password: str) -> Page:
        """Sign in with the first password, which has to become *password* before anything else."""
        await self.pages.sign_in(login.account, login.password)
        fields = {"old": login.password, "new": password, "again": password}
        return (await self.pages.submit("/password", fields)).well()

    async def has_template(self, name: str) -> bool:
        """Is there a coupon of this name to give?"""
        return name in dict(CARD.findall((await self.pages.open("/m/print")).text))

    async def add_template(self, name: str, yuan: str, hours: str = "24") -> Page:
        """A coupon of its own to give, good for so long."""
        fields = {"name": name, "kind": "AMOUNT", "value": yuan, "meaning": "end", "valid_hours": hours}
        return (await self.pages.submit("/m/templates", fields, form="/m")).well()

    async def give(self, name: str, plate: str) -> str:
        """The coupon called *name* to the car with *plate*: the stay it was found by."""
        path = f"/m/issue?q={quote(plate)}"
        page = await self.pages.open(path)
        chosen = {label: number for number, label in GIFT.findall(page.text)}
        (await self.pages.answer(page, {"template_id": chosen.get(name, ""), "q": plate}, to="/m/issue")).well()
        return page.hidden.get("stay_id", "")

    async def show_codes(self, name: str, count: int) -> Page:
        """The code for the next driver, on the shop's screen."""
        return await self._make("/m/codes", name, count)

    async def print_codes(self, name: str, count: int) -> Page:
        """Codes on paper: the page of the printing."""
        return await self._make("/m/print", name, count)

    async def _make(self, path: str, name: str, count: int) -> Page:
        page = await self.pages.open(path)
        number = dict(CARD.findall(page.text)).get(name, "")
        return (await self.pages.answer(page, {"template_id": number, "count": str(count)})).well()

    async def stock(self) -> int:
        """How many of what it bought are left to give."""
        return int((await self.pages.open("/m/shop")).facts["库存"].split()[0])

    async def withdraw(self, path: str) -> Page:
        """Codes nobody has claimed are good no more: those of a screen or of a printing, by its page."""
        return (await self.pages.submit(f"{path}/close", {}, form=path)).well()

    async def order(self, quantity: int) -> Page:
        """So many of what the shop sells: the cashier's page."""
        number = found(PRODUCT, await self.pages.open("/m/shop"), "product for sale")[1]
        return await self.pages.submit(f"/m/shop/{number}", {"quantity": str(quantity)})


class Driver:
    """A phone on the Internet."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def claim(self, url: str, plate: str) -> tuple[Page, Page]:
        """Open what a code says, type the plate, and say yes to it: the question and its end."""
        asked = await self.pages.submit(url, {"text": plate})
        return asked, await self.pages.answer(asked, {})

    async def ask(self, lot_id: int, plate: str) -> Page:
        """What is due at a lot."""
        return await self.pages.submit(f"/pay/{lot_id}", {"text": plate})

    async def order(self, due: Page) -> Page:
        """Press "pay": the cashier's page."""
        return (await self.pages.answer(due, {}, to=quote_on(due))).well()


def quote_on(due: Page) -> str:
    """Where what is due is paid, and later the exit pass shown. Raises DemoError when nothing is due."""
    return found(QUOTE, due, "quote")[1]


async def pay(payer: Pages, cashier: Page) -> Page:
    """Choose WeChat at the cashier, and pay at the gateway it leads to: what the gateway says then."""
    gateway = await payer.open(found(WALLET, cashier, "way to pay")[1])
    return await payer.answer(gateway, {"act": "pay"})


def tokens_on(sheet: Page) -> list[str]:
    """The codes of a sheet, as they are written under its pictures."""
    return [token for _, token in PICTURE.findall(sheet.text)]


def codes_on(page: Page) -> list[str]:
    """What a phone reads off the pictures of a page."""
    return [read_qr(base64.b64decode(png)) for png, _ in PICTURE.findall(page.text)]
