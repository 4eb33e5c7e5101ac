"""One coupon through the machine interface, its books included, beside a bare POST with a bare durable commit; lists of
merchants and coupons, and a plate found among many, with little and with much in the database.

Server and clients share one process on either side, so both sides pay alike for the clients.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Connection, event, insert

from benchmarks.figures import Figure, Options, progress
from benchmarks.pairs import Spread
from cloud.access import keys
from cloud.access.scopes import Scope
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.db import Database, open_engine, upgrade
from cloud.lots import service as lots
from cloud.lots.tables import stay
from cloud.merchants import service as merchants
from domain.ledger import Commodity
from tests.cloud.stage import Stage, set_up

CLIENTS = 50
SEARCH_MS, MOST_STATEMENTS = 10.0, 6
BATCH = 5_000


def run(options: Options) -> list[Figure]:
    """All figures of coupons in the cloud."""
    calls, cars = (100, 200) if options.smoke else (2_000, 20_000)
    few, many = (50, 200) if options.smoke else (1_000, 1_000_000)
    stage = _stage(options.folder / "issue")
    _add_cars(stage, calls)
    statements = _statements(stage)
    figures = asyncio.run(_issuing(stage, options.folder, calls))
    return [*figures, statements, *_lists(options.folder / "lists", few, many, cars)]


def _stage(folder: Path) -> Stage:
    folder.mkdir()
    engine = open_engine(f"sqlite:///{folder / 'cloud.sqlite'}")
    upgrade(engine)
    stage = set_up(Database(engine), folder)
    args = int(stage.own["merchant_id"]), Commodity.FEN, 10**9, 0, ""
    stage.cloud.db.run_here(merchants.top_up, stage.cloud.act("bench"), *args)
    return stage


def _plate(number: int) -> str:
    return f"京{chr(65 + number % 20)}{number:05d}"


def _add_cars(stage: Stage, count: int) -> None:
    def add(conn: Connection) -> None:
        known = dict(lots.cars_inside(conn, stage.cloud.operator_id, "京A11111").items[0])
        known.pop("lot_name")
        for start in range(0, count, BATCH):
            numbers = range(start, min(count, start + BATCH))
            conn.execute(insert(stay), [{**known, "stay_id": f"b{n}", "plate": _plate(n)} for n in numbers])

    stage.cloud.db.run_here(add)


async def _issuing(stage: Stage, folder: Path, calls: int) -> list[Figure]:
    made = stage.cloud.db.run_here(keys.create, stage.cloud.act("bench"), "bench", list(Scope))
    if not isinstance(made, keys.Made):
        raise TypeError(made)
    numbers = itertools.count()
    own = {name: int(stage.own[name]) for name in ("merchant_id", "template_id")}

    def body() -> dict[str, object]:
        return {**own, "stay_id": f"b{next(numbers)}"}

    app, headers = make_app(stage.cloud), {"Authorization": f"Bearer {made.text}"}
    subject = await _crowd(app, "/api/v1/coupons", headers, body, 201, calls)
    bare = await _crowd(_bare(folder / "bare.sqlite"), "/coupons", {}, lambda: {"n": 1}, 200, calls)
    share = bare[0].p99 / subject[0].p99
    return [
        Figure(
            "issue a coupon, 50 clients at once",
            "",
            f"{subject[1]:.0f} a second, {subject[0]}; bare POST and FULL commit: {bare[1]:.0f} a second, {bare[0]}; "
            f"p99 of the bare one is {share:.2f} of ours",
            None,
        )
    ]


def _bare(path: Path) -> web.Application:
    """What no implementation can do without: take the body, commit it to a disk, answer."""
    thread = ThreadPoolExecutor(1)
    base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (body TEXT)"):
        base.execute(line)

    def commit(text: str) -> None:
        base.execute("BEGIN IMMEDIATE")
        base.execute("INSERT INTO t VALUES (?)", (text,))
        base.execute("COMMIT")

    async def take(request: web.Request) -> web.Response:
        await asyncio.get_running_loop().run_in_executor(thread, commit, await request.text())
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/coupons", take)
    return app


async def _crowd(
    app: web.Application, path: str, headers: dict[str, str], body: Callable[[], object], wanted: int, calls: int
) -> tuple[Spread, float]:
    """Spread of the seconds of a call, and calls a second, with everybody calling again as soon as answered."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url, taken = f"http://127.0.0.1:{runner.addresses[0][1]}{path}", list[float]()
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

        async def one() -> None:
            for _ in range(calls // CLIENTS):
                began = time.perf_counter()
                async with session.post(url, json=body()) as answer:
                    text = await answer.text()
                    if answer.status != wanted:
                        raise RuntimeError(f"{answer.status}: {text}")
                taken.append(time.perf_counter() - began)

        began = time.perf_counter()
        crowd: list[Awaitable[None]] = [one() for _ in range(CLIENTS)]
        await asyncio.gather(*crowd)
        seconds = time.perf_counter() - began
    await runner.cleanup()
    return Spread.of(taken), len(taken) / seconds


def _statements(stage: Stage) -> Figure:
    seen: list[str] = []
    event.listen(stage.cloud.db.engine, "before_cursor_execute", lambda _c, _u, text, _p, _x, _m: seen.append(text))
    args = int(stage.own["merchant_id"]), int(stage.own["template_id"]), "s-own"
    stage.cloud.db.run_here(coupons.issue, stage.cloud.act("bench"), *args)
    count = len(seen)
    return Figure(
        "SQL statements of one issue", f"≤ {MOST_STATEMENTS}", f"{count} with BEGIN and savepoint",
        count <= MOST_STATEMENTS,
    )  # fmt: skip


def _lists(folder: Path, few: int, many: int, cars: int) -> list[Figure]:
    stage = _stage(folder)
    _add_cars(stage, cars)
    search = _timed(lambda n: stage.cloud.db.run_here(lots.cars_inside, 1, _plate(n * 37 % cars)[:6]))
    found = Figure(
        f"find a part of a plate among {cars} cars inside, in process", f"p99 ≤ {SEARCH_MS:g} ms", str(search),
        search.p99 * 1000 <= SEARCH_MS,
    )  # fmt: skip
    row = dict(stage.cloud.db.run_here(coupons.coupons, 1, int(stage.own["merchant_id"])).items[0])
    spreads = {}
    for size in (few, many):
        _add_coupons(stage, row, size)
        progress(f"{size} coupons")
        spreads[size] = [
            _timed(lambda _n: stage.cloud.db.run_here(merchants.listed, 1)),
            _timed(lambda _n: stage.cloud.db.run_here(coupons.coupons, 1, int(stage.own["merchant_id"])), 20),
        ]
    stage.cloud.db.close()
    names = "list of merchants", "a merchant's coupons, first page"
    return [found] + [
        Figure(f"{name}, {many} coupons against {few}", "", f"{spreads[many][at]} against {spreads[few][at]}", None)
        for at, name in enumerate(names)
    ]


def _timed(work: Callable[[int], object], rounds: int = 200) -> Spread:
    taken = []
    for number in range(rounds):
        began = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - began)
    return Spread.of(taken)


def _add_coupons(stage: Stage, row: dict[str, Any], upto: int) -> None:
    """Copies of one coupon, until there are *upto* of them."""

    def add(conn: Connection) -> None:
        have = coupons.coupons(conn, 1, row["merchant_id"]).total
        for start in range(have, upto, BATCH):
            numbers = range(start, min(upto, start + BATCH))
            conn.execute(
                insert(coupon),
                [
                    {**row, "coupon_id": f"c{n}", "serial": f"s{n}", "token": None, "issued_ms": row["issued_ms"] + n}
                    for n in numbers
                ],
            )

    stage.cloud.db.run_here(add)
