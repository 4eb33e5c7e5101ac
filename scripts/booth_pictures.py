"""Pictures of the booth's and the counter's pages, for docs/booth.md and for looking at them before a release.

    PYTHONPATH=. python scripts/booth_pictures.py              the ones docs/booth.md shows, into docs/images/
    PYTHONPATH=. python scripts/booth_pictures.py --all DIR    every page in both languages, light and dark

Runs an edge with simulated devices on free ports and a headless Chromium (Debian's) before it.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageFilter
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from drivers.base import DeviceUnreachableError, PlateRead
from drivers.camera.simulated import Sight
from drivers.printer.simulated import PrinterFault
from drivers.recogniser.reader import new_reader
from lotgate.demo.scenes import colour_of, draw_plate, draw_scene
from tests.conftest import CHROMIUM_ARGS
from tests.edge.web.running import PIN, WALL, Lot, running
from tests.services.needs import needs

HANDBOOK = (
    "booth-lanes-zh-light", "booth-open-zh-light", "booth-offline-zh-light", "counter-shop-doubt-zh-light",
    "booth-lines-en-dark", "booth-cameras-en-light",
)  # fmt: skip
BOOTH, SHOP, PHONE = (1280, 800), (1024, 600), (390, 844)
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Look:
    """How the pages are looked at."""

    language: str = "zh-CN"
    theme: str = "light"

    @property
    def mark(self) -> str:
        return f"{self.language[:2]}-{self.theme}"


def say(text: str) -> None:
    """Something a person should look at."""
    sys.stderr.write(text + "\n")


def seen(plate: str, seed: int, confidence: int = 96) -> Sight:
    """A car as a camera shows it."""
    crop = io.BytesIO()
    draw_plate(plate).convert("RGB").save(crop, "JPEG")
    return Sight(plate, colour_of(plate), confidence, draw_scene(plate, seed), crop.getvalue())


class Album:
    """Takes pictures of a running lot."""

    def __init__(self, lot: Lot, browser: Browser, folder: Path) -> None:
        self._lot, self._browser, self._folder = lot, browser, folder

    async def open(self, listener: str, size: tuple[int, int], look: Look, who: str = "attendant") -> Page:
        """A browser of its own at *listener*, signed in."""
        width, height = size
        context: BrowserContext = await self._browser.new_context(
            viewport={"width": width, "height": height}, locale=look.language, color_scheme=look.theme, has_touch=True
        )
        page = await context.new_page()
        page.on("console", lambda told: "Failed to load" in told.text or say(f"{look.mark}: {told.text}"))
        page.on("pageerror", lambda error: say(f"{look.mark}: {error}"))
        await page.goto(self._lot.url(listener))
        name = page.locator("[name=account]")
        if await name.evaluate("(field) => field.tagName") == "INPUT":
            await name.fill(WALL[who][0])
        else:
            await name.select_option(WALL[who][0])
        await page.fill("[name=password]", PIN)
        await page.click("main button.primary")
        await page.wait_for_load_state()
        await page.goto(f"{page.url}?lang={look.language}")
        return page

    async def take(self, page: Page, name: str, look: Look, path: str = "", *, whole: bool = False) -> None:
        """One picture, of *path* if given; says when a page is wider than its screen."""
        if path:
            await page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        await page.wait_for_load_state()
        await page.wait_for_timeout(120)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            say(f"{name} {look.mark}: {wide} px too wide")
        await page.screenshot(path=self._folder / f"{name}-{look.mark}.jpg", type="jpeg", quality=80, full_page=whole)


async def fill(lot: Lot) -> str:
    """A morning at the lot: cars inside, one at the exit that looks like two others, one unread at the entry."""
    for seed, plate in enumerate(("京A12346", "粤BD12345", "沪B77777", "京A12345", "苏E8U5K9", "浙C00K21")):
        pulses = len(lot.board.pulses)
        await lot.cameras["in"].see(seen(plate, seed))
        await lot.until(lambda wanted=pulses + 1: len(lot.board.pulses) == wanted)  # type: ignore[misc]
        lot.later(23)
    await lot.cameras["out"].see(seen("京A12345", 9))
    await lot.until(lambda: lot.view("out").verdict == "PayFirst")
    unread = replace(seen("京N8P8F8", 11), plate="", crop=b"")
    await lot.cameras["in"].see(unread)
    await lot.until(lambda: lot.view("in").verdict == "Ask")
    stay = (await lot.edge.cars_inside("京A12345"))[0].stay_id
    await lot.opens_shop(3, "咖啡店", granted=9000)
    await lot.edge.issue_voucher(3, 30, WALL["shop"][0])
    await lot.edge.lay_voucher(stay, (await lot.edge.vouchers(3))[0].token, WALL["attendant"][0])
    await lot.until(lambda: lot.view("out").off_fen > 0)
    return stay


def booth_pages(stay: str) -> Iterator[tuple[str, str]]:
    """Name and path of every page that needs no more than a car at the exit."""
    at = f"/booth/stay/{stay}"
    yield from (("lanes", "/booth"), ("cars", "/booth/cars"), ("cars-none", "/booth/cars?q=Z99"), ("stay", at))
    yield from ((name, f"{at}/{name}") for name in ("cash", "waive", "paper"))
    yield from (("mend", f"{at}/plate"), ("plate", "/booth/lane/out/plate"), ("open", "/booth/lane/out/open"))
    yield from (("people", "/booth/people"), ("pin", "/booth/pin"))
    yield from (("entry", "/booth/entry?plate=京A12345&lane=out"), ("missing", "/booth/nothing"))


async def look_at_the_booth(album: Album, lot: Lot, looks: list[Look]) -> None:
    """Every page of the booth: empty, full, in error."""
    pages = {look: await album.open("booth", BOOTH, look, "manager") for look in looks}
    for look, page in pages.items():
        await album.take(page, "booth-empty", look)
    stay = await fill(lot)
    for look, page in pages.items():
        for name, path in booth_pages(stay):
            await album.take(page, f"booth-{name}", look, path)
        await album.take(page, "booth-lanes", look, "/booth")
        await page.click(".lane.pay .fee summary")
        await album.take(page, "booth-lines", look)
        await page.goto(lot.url("booth", f"/booth/stay/{stay}/cash"))
        await page.click("[data-tender='2000']")
        await page.click("button.primary.big")
        await album.take(page, "booth-confirm", look)
        await page.goto(lot.url("booth", "/booth/lane/out/open"))
        await page.click("button.danger.big")
        await page.click("#confirm [data-yes]")
        await album.take(page, "booth-error", look)
    lot.edge.link_state = lambda: "offline"
    lot.later(95)
    await asyncio.sleep(4)  # the pages look that often
    for look, page in pages.items():
        await album.take(page, "booth-offline", look, "/booth")
    await lot.board.stop()
    await lot.edge.take_cash("p-1", stay, lot.view("out").due_fen, WALL["attendant"][0])
    await lot.until(lambda: lot.view("out").phase == "Stuck", 15)
    for look, page in pages.items():
        await album.take(page, "booth-stuck", look, "/booth")


@dataclass(frozen=True, slots=True)
class Glass:
    """A camera before which one picture stands, read by our own engine; without a picture it is lost."""

    image: bytes = b""

    async def view(self) -> PlateRead:
        if not self.image:
            raise DeviceUnreachableError("camera in: sent no picture")
        return PlateRead(f"r{len(self.image)}", "in", new_reader().recognise(self.image), image=self.image)


async def look_at_cameras(album: Album, lot: Lot, looks: list[Look]) -> None:
    """The page on which a camera is set up: nothing yet, a car, a car that is hard to read, the camera lost."""
    camera = lot.edge.settings.lanes[0].cameras[0]
    blurred = Image.open(io.BytesIO(draw_scene("川A8B0D1", 5))).filter(ImageFilter.GaussianBlur(4))
    hard = io.BytesIO()
    blurred.save(hard, "JPEG")
    states = {
        "cameras": Glass(draw_scene("京A12345", 3)),
        "cameras-hard": Glass(hard.getvalue()),
        "cameras-lost": Glass(),
    }
    for look in looks:
        page = await album.open("booth", BOOTH, look, "manager")
        await album.take(page, "booth-cameras-none", look, "/booth/cameras")
        for name, glass in states.items():
            lot.edge.cameras = {camera: glass}  # type: ignore[dict-item]
            await album.take(page, f"booth-{name}", look, "/booth/cameras")
        lot.edge.cameras = {}
        await page.context.close()


async def look_at_the_counter(album: Album, lot: Lot, looks: list[Look]) -> None:
    """Every page of the counter, on the shop's small screen and on a phone."""
    pages = {
        (look, name): await album.open("counter", size, look, "shop")
        for look in looks
        for name, size in (("shop", SHOP), ("phone", PHONE))
    }
    for (look, name), page in pages.items():
        await album.take(page, f"counter-{name}-nothing", look, "/counter")
    await lot.opens_shop(3, "咖啡店", granted=9000)
    for (look, name), page in pages.items():
        await album.take(page, f"counter-{name}-empty", look, "/counter")
    shop = next(iter(pages.values()))
    await _order(shop, lot, "30", "4")
    await asyncio.sleep(1.5)
    lot.printer.break_after(5, PrinterFault.PAPER_OUT)
    await _order(shop, lot, "30", "3")
    await asyncio.sleep(1.5)
    doubtful = next(row for row in await lot.edge.vouchers(3) if row.state == "unknown")
    await lot.edge.void_voucher(doubtful.key_id, 1, WALL["shop"][0], "打错了")
    await asyncio.sleep(10)  # the pages look at the printer that often
    for (look, name), page in pages.items():
        await album.take(page, f"counter-{name}-doubt", look, "/counter", whole=True)
        await album.take(page, f"counter-{name}-print", look, "/counter/print/30")
        await album.take(page, f"counter-{name}-list", look, "/counter/vouchers", whole=True)
        await album.take(page, f"counter-{name}-void", look, f"/counter/voucher/{doubtful.key_id}-{doubtful.counter}")


async def _order(page: Page, lot: Lot, template: str, count: str) -> None:
    await page.goto(lot.url("counter", f"/counter/print/{template}"))
    await page.fill("[name=count]", count)
    await page.click("button.primary.big")
    await page.click("#confirm [data-yes]")
    await page.wait_for_url("**/counter")


async def look_at_sign_in(lot: Lot, browser: Browser, folder: Path, looks: list[Look]) -> None:
    """The sign-in page of both listeners."""
    for look in looks:
        for listener, (width, height) in (("booth", BOOTH), ("counter", PHONE)):
            page = await browser.new_page(
                viewport={"width": width, "height": height}, locale=look.language, color_scheme=look.theme
            )
            await page.goto(lot.url(listener, f"/login?lang={look.language}"))
            await page.screenshot(path=folder / f"{listener}-login-{look.mark}.jpg", type="jpeg", quality=80)


async def main(folder: Path, looks: list[Look]) -> None:
    """Take all pictures into *folder*."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("chromium"), args=list(CHROMIUM_ARGS))
        with tempfile.TemporaryDirectory() as data:
            async with running(Path(data)) as lot:
                await look_at_sign_in(lot, browser, folder, looks)
                await look_at_cameras(Album(lot, browser, folder), lot, looks)
                await look_at_the_booth(Album(lot, browser, folder), lot, looks)
        with tempfile.TemporaryDirectory() as data:
            async with running(Path(data)) as lot:
                await look_at_the_counter(Album(lot, browser, folder), lot, looks)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="DIR", help="every page in both languages, light and dark")
    wanted = parser.parse_args().all
    looks = [Look(language, theme) for language in ("zh-CN", "en") for theme in ("light", "dark")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = wanted or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(main(folder, looks))
        if not wanted:
            IMAGES.mkdir(exist_ok=True)
            for name in HANDBOOK:
                shutil.copy(folder / f"{name}.jpg", IMAGES)
