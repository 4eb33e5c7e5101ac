"""Fifty vouchers, each on the books before it is printed, against the same bytes sent to the same printer bare.

And how long it takes from a camera's push until a person at the booth can see the plate.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.async_api import Page, async_playwright

from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import Pair, Spread, shown
from drivers.camera.simulated import Sight
from edge.facade import Printed
from edge.settings import EdgeSettings
from plumbing.paper.commands import SENSOR
from tests.conftest import CHROMIUM_ARGS
from tests.edge.web.running import PIN, WALL, Lot, running
from tests.services.needs import needs

SEEN_MOST_S = 0.5
SHOWN = """plate => new Promise(done => {
  const look = () => document.querySelector('.lane')?.textContent.includes(plate)
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.timeOrigin + performance.now())))
    : setTimeout(look, 1);
  look();
})"""


@dataclass(frozen=True, slots=True)
class Size:
    """*batches* of so many *slips*, and *cars* before an open page."""

    batches: int = 8
    slips: int = 50
    cars: int = 60


SMOKE = Size(1, 2, 2)


async def batch(lot: Lot, slips: int) -> float:
    """Seconds for *slips* vouchers, one after another as the counter prints them."""
    began = time.perf_counter()
    for _ in range(slips):
        printed = await lot.edge.issue_voucher(3, 30, "bench")
        if not isinstance(printed, Printed) or printed.state != "confirmed":
            raise SystemExit(f"not printed: {printed}")
    return time.perf_counter() - began


async def bare(lot: Lot, data: bytes, slips: int) -> float:
    """Seconds for the same bytes as often, with nothing but the answer that all are on paper."""
    began = time.perf_counter()
    for _ in range(slips):
        reader, writer = await asyncio.open_connection("127.0.0.1", lot.printer.port)
        writer.write(data + SENSOR + b"\x01")
        await reader.readexactly(1)
        writer.close()
    return time.perf_counter() - began


async def printing(folder: Path, size: Size) -> Figure:
    """Batches and bare jobs take turns."""
    ours, raw = [], []
    async with running(folder) as lot:
        await lot.opens_shop(3, "shop", granted=500 * size.slips * (size.batches + 1))
        await batch(lot, 1)
        data = lot.printer.jobs[-1]
        for number in range(size.batches):
            raw.append(await bare(lot, data, size.slips))
            ours.append(await batch(lot, size.slips))
            progress(f"batch {number + 1}: bare {shown(raw[-1])}, on the books {shown(ours[-1])}")
    pair = Pair.of("", "", raw, ours)
    each = Spread.of([one / size.slips for one in ours])
    measured = f"{pair.ratio:.2f} × ({each} a slip; bare {Spread.of([one / size.slips for one in raw])})"
    return Figure(f"{size.slips} vouchers printed, each on the books first", "", measured, None)


def cars_that_go(settings: EdgeSettings) -> EdgeSettings:
    """A car stays before the open barrier long enough to be looked at."""
    return replace(settings, rules=replace(settings.rules, assumed_passage_s=1))


async def seen(page: Page, lot: Lot, plate: str) -> float:
    """Seconds from the camera's push until *plate* is painted."""
    painted = asyncio.create_task(page.evaluate(SHOWN, f"{plate[0]}{plate[1]}·{plate[2:]}"))
    await asyncio.sleep(0.05)  # the page looks by now
    began = time.time()
    await lot.cameras["in"].see(Sight(plate))
    took = float(await painted) / 1000 - began
    await lot.until(lambda: lot.view("in").phase == "Idle", 10)
    return took


async def watching(folder: Path, size: Size) -> Figure:
    """Cars come while the booth's page is open in a browser."""
    async with running(folder, cars_that_go) as lot, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("chromium"), args=list(CHROMIUM_ARGS))
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(lot.url("booth"))
        await page.locator("[name=account]").select_option(WALL["attendant"][0])
        await page.fill("[name=password]", PIN)
        await page.click("main button.primary")
        await page.wait_for_selector(".lane")
        await page.wait_for_timeout(500)
        waits = [await seen(page, lot, f"粤B{10_000 + 137 * number}") for number in range(size.cars)]
        await browser.close()
    p95 = sorted(waits)[min(len(waits) - 1, int(len(waits) * 0.95))]
    measured = f"{shown(p95)} ({Spread.of(waits)})"
    name, target = "camera push to plate painted at the booth, p95", f"≤ {shown(SEEN_MOST_S)}"
    return Figure(name, target, measured, p95 <= SEEN_MOST_S)


def run(options: Options) -> list[Figure]:
    """Both figures."""
    size = SMOKE if options.smoke else Size()
    folders = [options.folder / name for name in ("printing", "watching")]
    for folder in folders:
        folder.mkdir()
    return [asyncio.run(printing(folders[0], size)), asyncio.run(watching(folders[1], size))]
