"""One coupon through the machine interface, its books included, beside a bare POST with a bare durable commit; lists of
merchants and coupons, and a plate found among many, with little and with much in the database.

Server and clients share one process on either side, so both sides pay alike for the clients.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from sqlalchemy import Connection, insert

from benchmarks import coupon_lists
from benchmarks.figures import Figure, Options
from benchmarks.pairs import Spread
from cloud.access import keys
from cloud.access.scopes import Scope
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.db import Database, open_engine, upgrade
from cloud.lots import service as lots
from cloud.lots.tables import stay
from cloud.merchants import service as merchants
from domain.ledger import Commodity
from tests.cloud.asked import heard
from tests.cloud.stage import Stage, set_up

CLIENTS = 50
LEAST_SHARE = 0.35
SLOW_COMMIT_S = 0.001  # from here on a bare loop of commits is what is compared with
SEARCH_MS, MOST_STATEMENTS = 10.0, 6
LOOK_UP = 1
PAIRS = 5
ROUNDS = 200
BATCH = 5_000


def run(options: Options) -> list[Figure]:
    """All figures of coupons in the cloud."""
    calls, cars = (500, 200) if options.smoke else (2_000, 20_000)
    few, many = (50, 200) if options.smoke else (1_000, 1_000_000)
    stage = _stage(options.folder / "issue")
    _add_cars(stage, calls)
    statements = _statements(stage)
    figures = asyncio.run(_issuing(stage, options.folder, calls))
    found = _found(options.folder / "found", cars)
    return [*figures, statements, *found, *coupon_lists.run(_stage, options.folder, few, many)]


def _stage(folder: Path) -> Stage:
    folder.mkdir()
    engine = open_engine(f"sqlite:///{folder / 'cloud.sqlite'}")
    upgrade(engine)
    stage = set_up(Database(engine), folder)
    args = int(stage.own["merchant_id"]), Commodity.FEN, 10**9, 0, ""
    stage.cloud.db.run_here(merchants.top_up, stage.cloud.act("bench"), *args)
    return stage


def _plate(number: int) -> str:
    return f"京{chr(65 + number % 20)}{number * 7919 % 100_000:05d}"


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

    headers = {"Authorization": f"Bearer {made.text}"}
    ours, bare = _Side(), _Side()
    async with _served(make_app(stage.cloud)) as here, _served(_bare(folder / "bare.sqlite")) as there:
        for _ in range(PAIRS):
            await ours.calls(f"{here}/api/v1/coupons", headers, body, 201, calls // PAIRS)
            await bare.calls(f"{there}/coupons", {}, lambda: {"n": 1}, 200, calls // PAIRS)
    loop = _commits(folder / "loop.sqlite", calls)
    is_slow = loop.p50 >= SLOW_COMMIT_S
    bases = [1 / loop.p50] * PAIRS if is_slow else bare.rates
    ratios = sorted(rate / base for rate, base in zip(ours.rates, bases, strict=True))
    return [
        Figure(
            "issue a coupon, 50 clients at once",
            f"≥ {LEAST_SHARE} × {'FULL commits, one after another' if is_slow else 'bare POST and FULL commit'}",
            f"{ratios[PAIRS // 2]:.2f} × [{ratios[0]:.2f} … {ratios[-1]:.2f}] in {PAIRS} pairs ({ours}; bare: {bare}; "
            f"commits alone: {loop})",
            ratios[PAIRS // 2] >= LEAST_SHARE,
        )
    ]


def _commits(path: Path, count: int) -> Spread:
    """Seconds of a bare one-row FULL commit, one after another."""
    commit, taken = _commit_to(path), list[float]()
    for number in range(count):
        began = time.perf_counter()
        commit(str(number))
        taken.append(time.perf_counter() - began)
    return Spread.of(taken)


def _bare(path: Path) -> web.Application:
    """What no implementation can do without: take the body, commit it to a disk, answer."""
    thread, commit = ThreadPoolExecutor(1), _commit_to(path)

    async def take(request: web.Request) -> web.Response:
        await asyncio.get_running_loop().run_in_executor(thread, commit, await request.text())
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/coupons", take)
    return app


def _commit_to(path: Path) -> Callable[[str], None]:
    base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (body TEXT)"):
        base.execute(line)

    def commit(text: str) -> None:
        base.execute("BEGIN IMMEDIATE")
        base.execute("INSERT INTO t VALUES (?)", (text,))
        base.execute("COMMIT")

    return commit


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[str]:
    """The address of *app* on this machine, while it is up."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@dataclass
class _Side:
    """Seconds of every call, and calls a second of every round."""

    taken: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    async def calls(
        self, url: str, headers: dict[str, str], body: Callable[[], object], wanted: int, count: int
    ) -> None:
        """One round: everybody calls again as soon as answered."""
        before, connector = len(self.taken), aiohttp.TCPConnector(limit=CLIENTS)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

            async def one() -> None:
                for _ in range(max(1, count // CLIENTS)):
                    began = time.perf_counter()
                    async with session.post(url, json=body()) as answer:
                        text = await answer.text()
                        if answer.status != wanted:
                            raise RuntimeError(f"{answer.status}: {text}")
                    self.taken.append(time.perf_counter() - began)

            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(CLIENTS)))
            self.rates.append((len(self.taken) - before) / (time.perf_counter() - began))

    def __str__(self) -> str:
        return f"{sorted(self.rates)[len(self.rates) // 2]:.0f} a second, {Spread.of(self.taken)}"


def _statements(stage: Stage) -> Figure:
    args = int(stage.own["merchant_id"]), int(stage.own["template_id"]), "s-own"
    with heard(stage.cloud.db.engine) as seen:
        stage.cloud.db.run_here(coupons.issue, stage.cloud.act("bench"), *args)
        count = LOOK_UP + len(seen)
    name, target = "SQL statements of one issue, its key's look-up included", f"≤ {MOST_STATEMENTS}"
    return Figure(name, target, f"{count}", count <= MOST_STATEMENTS)


def _found(folder: Path, cars: int) -> list[Figure]:
    stage = _stage(folder)
    _add_cars(stage, cars)
    found = [
        _search(stage, f"find {name} among {cars} cars inside, in process", typed)
        for name, typed in (
            ("three characters of a plate", lambda n: _plate(n * 37 % cars)[-3:]),
            ("a whole plate, one character wrong", lambda n: _misread(_plate(n * 37 % cars), 1 + n % 6)),
        )
    ]
    stage.cloud.db.close()
    return found


def _misread(plate: str, place: int) -> str:
    return plate[:place] + "X" + plate[place + 1 :]


def _search(stage: Stage, name: str, typed: Callable[[int], str]) -> Figure:
    """Wall time; beside it the processor time, which others on the same cores hardly disturb."""
    began = time.thread_time()
    taken = _timed(lambda n: stage.cloud.db.run_here(lots.look_for_cars, 1, typed(n)))
    own_ms = (time.thread_time() - began) * 1000 / ROUNDS
    return Figure(
        name, f"p99 ≤ {SEARCH_MS:g} ms", f"{taken}; {own_ms:.1f} ms of processor time", taken.p99 * 1000 <= SEARCH_MS
    )


def _timed(work: Callable[[int], object], rounds: int = ROUNDS) -> Spread:
    taken = []
    for number in range(rounds):
        began = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - began)
    return Spread.of(taken)
