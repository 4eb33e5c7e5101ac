"""Pages as a person's browser uses them: signing in, opening a form, sending it with its token."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import aiohttp

from lotgate.demo.folder import DemoError

DOUBTED = re.compile(r'<a class="button" href="(/counter/voucher/\d+-\d+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
FACT = re.compile(r"<dt>([^<]*)</dt>\s*<dd[^>]*>(.*?)</dd>", re.DOTALL)
DUE = re.compile(r'<p class="due">.*?(¥[\d.]+)', re.DOTALL)
ALERT = re.compile(r'<(\w+)[^>]*class="[^"]*(?:alert|error)[^"]*"[^>]*>(.*?)</\1>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")
PHONE = "Mozilla/5.0 (Linux; Android 14; Phone) Chrome/131.0 Mobile Safari/537.36"


@dataclass(frozen=True, slots=True)
class Page:
    """What came back, and the address it came from after redirects."""

    status: int
    text: str
    url: str

    @property
    def path(self) -> str:
        """Its address without host and query."""
        return urlsplit(self.url).path

    def well(self) -> Page:
        """Itself. Raises DemoError with its own words when what was asked for was refused."""
        if self.status != 200:
            raise DemoError(f"{self.path}: {self.status} {self.said}")
        return self

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of its forms, the last of each name."""
        return {name: html.unescape(value) for name, value in HIDDEN.findall(self.text)}

    @property
    def said(self) -> str:
        """The first thing it complains of, in its own words."""
        found = ALERT.search(self.text)
        return _plain(found[2]) if found else ""

    @property
    def due(self) -> str:
        """The amount it asks for, as it writes it; "" where it asks for none."""
        found = DUE.search(self.text)
        return found[1] if found else ""

    @property
    def facts(self) -> dict[str, str]:
        """What its lists of facts say, by their names."""
        return {_plain(name): _plain(value) for name, value in FACT.findall(self.text)}


def _plain(text: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


class Pages:
    """One person at one listener, with a desk's browser or a *phone*'s. Use as a context manager."""

    def __init__(self, base: str, *, phone: bool = False) -> None:
        self.base = base
        self._agent = {"User-Agent": PHONE} if phone else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Pages:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # an address has no domain for cookies
            timeout=aiohttp.ClientTimeout(total=15),
            cookies={"lg_lang": "zh-CN"},
            headers=self._agent,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def sign_in(self, account: str, password: str) -> None:
        """Begin a session. Raises DemoError when it is refused."""
        (await self.submit("/login", {"account": account, "password": password})).well()

    async def open(self, path: str) -> Page:
        """GET; a whole address leads to another listener."""
        return await self._ask("GET", path, None)

    async def submit(self, path: str, fields: dict[str, str], *, form: str = "") -> Page:
        """Fill the form found at *form* (*path* itself, if not another page) and send it; redirects are followed."""
        page = await self.open(form or path)
        if page.status != 200:
            return page
        return await self.answer(page, fields, to=path)

    async def answer(self, page: Page, fields: dict[str, str], *, to: str = "") -> Page:
        """Send the form that is on *page*, to its own address if no other is given."""
        return await self._ask("POST", to or page.url, page.hidden | fields)

    async def _ask(self, method: str, path: str, data: dict[str, str] | None) -> Page:
        if self._session is None:
            raise RuntimeError("use it as a context manager")
        async with self._session.request(method, urljoin(self.base, path), data=data) as answer:
            return Page(answer.status, await answer.text(), str(answer.url))


class Booth:
    """The scripted attendant: the booth's own pages, behind PIN and form tokens."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def type_plate(self, lane: str, plate: str) -> Page:
        """Say which plate the car at *lane* has."""
        return await self._pages.submit(f"/booth/lane/{quote(lane)}/plate", {"plate": plate})

    async def take_cash(self, stay_id: str, yuan: str) -> Page:
        """Book cash for a stay."""
        return await self._pages.submit(f"/booth/stay/{stay_id}/cash", {"amount": yuan})

    async def scan(self, stay_id: str, scanned: str) -> Page:
        """Lay what a scanner read on a stay."""
        return await self._pages.submit(f"/booth/stay/{stay_id}/paper", {"scanned": scanned})

    async def mend(self, stay_id: str, plate: str) -> Page:
        """Correct the plate of a car inside."""
        return await self._pages.submit(f"/booth/stay/{stay_id}/plate", {"plate": plate})

    async def give_back(self, stay_id: str, yuan: str) -> Page:
        """Give cash back for a stay."""
        return await self._pages.submit(f"/booth/stay/{stay_id}/refund", {"amount": yuan, "reason": "coupon_late"})

    async def write_entry(self, lane: str, plate: str, entered: str, zone: str) -> Page:
        """Write the entry of a car that waits at *lane* and has none; *entered* is lot-local ``YYYY-MM-DDTHH:MM``."""
        fields = {"plate": plate, "entered": entered, "zone": zone, "lane": lane, "reason": "missed"}
        return await self._pages.submit("/booth/entry", fields)

    async def open_barrier(self, lane: str, reason: str) -> Page:
        """Open by hand, with a reason."""
        return await self._pages.submit(f"/booth/lane/{quote(lane)}/open", {"reason": "", "other": reason})


class Counter:
    """The scripted service desk: one of the lot's people prints for a merchant."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def serve(self, merchant_id: int) -> Page:
        """Stand at the counter of a merchant."""
        return await self._pages.submit("/counter/merchant", {"merchant": str(merchant_id)}, form="/counter")

    async def print_voucher(self, template_id: int) -> Page:
        """Order one voucher of a template."""
        return await self._pages.submit(f"/counter/print/{template_id}", {"count": "1", "printer": ""})

    async def doubtful(self) -> list[str]:
        """Pages of the vouchers that wait for somebody to say whether they came out."""
        return DOUBTED.findall((await self._pages.open("/counter")).text)

    async def withdraw_doubtful(self) -> None:
        """Say of each that it did not come out whole."""
        for at in await self.doubtful():
            await self._pages.submit(f"{at}/void", {"reason": "not_printed"}, form=at)
