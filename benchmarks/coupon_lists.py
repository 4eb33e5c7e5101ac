"""Pages with lists of merchants and coupons, asked in turn of a cloud that has little and of one that has much."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, insert, update

from benchmarks.figures import Figure, progress
from benchmarks.pairs import shown
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.lots.tables import stay
from tests.cloud.stage import PASSWORD, Stage

PAGES: Final = {
    "admin": ("/admin/merchants", "/admin/coupons", "/admin/coupons/usage", "/admin/coupons/discounts"),
    "merchant": ("/m/records", "/m/records/usage", "/m/records/discounts"),
}
LONGER, ROUNDS, BATCH = 3.0, 60, 5_000

Browser = TestClient[web.Request, web.Application]


def run(make_stage: Callable[[Path], Stage], folder: Path, few: int, many: int) -> list[Figure]:
    """A figure for each page."""
    stages = {size: make_stage(folder / str(size)) for size in (few, many)}
    for size, stage in stages.items():
        stage.cloud.db.run_here(_fill, int(stage.own["merchant_id"]), size)
        progress(f"{size} coupons")
    taken = asyncio.run(_in_turn(stages))
    return [_figure(page, few, many, taken) for pages in PAGES.values() for page in pages]


def _figure(page: str, few: int, many: int, taken: dict[tuple[int, str], list[float]]) -> Figure:
    seldom = {size: sorted(taken[size, page])[int(ROUNDS * 0.95)] for size in (few, many)}
    ratio = seldom[many] / seldom[few]
    told = f"{ratio:.2f} × ({shown(seldom[many])} against {shown(seldom[few])})"
    return Figure(f"{page}, {many} coupons against {few}, p95", f"≤ {LONGER:g} ×", told, ratio <= LONGER)


def _fill(conn: Connection, merchant_id: int, upto: int) -> None:
    """*upto* copies of the merchant's coupon, every second used on a stay whose car has left."""
    row: dict[str, Any] = dict(coupons.coupons(conn, 1, merchant_id).items[0])
    conn.execute(update(stay).where(stay.c.stay_id == row["stay_id"]).values(left_ms=row["issued_ms"]))
    for start in range(0, upto, BATCH):
        conn.execute(insert(coupon), [_copy(row, n) for n in range(start, min(upto, start + BATCH))])


def _copy(row: dict[str, Any], number: int) -> dict[str, Any]:
    at = row["issued_ms"] + number
    used = {"state": "REDEEMED", "redeemed_ms": at, "off_fen": 100, "charged": 100} if number % 2 else {}
    return {**row, "coupon_id": f"c{number}", "serial": f"s{number}", "token": None, "issued_ms": at, **used}


async def _in_turn(stages: dict[int, Stage]) -> dict[tuple[int, str], list[float]]:
    """Seconds by size and page."""
    taken: dict[tuple[int, str], list[float]] = {}
    async with AsyncExitStack() as stack:
        browsers = {size: await stack.enter_async_context(_browser(stage)) for size, stage in stages.items()}
        for account, pages in PAGES.items():
            for browser in browsers.values():
                await _sign_in(browser, account)
            for _ in range(ROUNDS + 1):
                for page in pages:
                    for size, browser in browsers.items():
                        taken.setdefault((size, page), []).append(await _ask(browser, page))
    return {key: each[1:] for key, each in taken.items()}  # the first compiles templates and statements


def _browser(stage: Stage) -> Browser:
    app = make_app(stage.cloud)
    del app.cleanup_ctx[:]  # no jobs beside
    return TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True))


async def _sign_in(browser: Browser, account: str) -> None:
    browser.session.cookie_jar.clear()
    form = re.search(r'name="csrf_token" value="([^"]+)"', await (await browser.get("/login")).text())
    if form is None:
        raise RuntimeError("no form to sign in")
    fields = {"account": account, "password": PASSWORD, "csrf_token": form.group(1)}
    await browser.post("/login", data=fields, allow_redirects=False)


async def _ask(browser: Browser, page: str) -> float:
    began = time.perf_counter()
    async with browser.get(page, allow_redirects=False) as answer:
        await answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{page}: {answer.status}")
    return time.perf_counter() - began
