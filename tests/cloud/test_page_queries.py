"""A page asks the database as often for many rows as for few."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, event

from cloud.act import Act, Refused
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.db import Database, open_engine
from cloud.merchants import branches
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.shop import buying, products
from cloud.shop.products import Product
from cloud.web.doors import DOORS
from domain.events import CouponRedeemed, StayClosed
from domain.ledger import Commodity
from tests.cloud import crowd
from tests.cloud.stage import PASSWORD, Stage, set_up
from tests.cloud.world import World

STAFF = (
    "/admin/merchants",
    "/admin/coupons",
    "/admin/coupons/usage",
    "/admin/coupons/discounts",
    "/admin/coupons/reports",
    "/admin/shop",
    "/admin/shop/purchases",
    "/admin/merchants/1/branches",
    "/admin/books?merchant=1",
)
OWN = (
    "/m/records",
    "/m/records/usage",
    "/m/records/discounts",
    "/m/ledger",
    "/m/shop",
    "/m/shop?view=table&show=all",
    "/m/shop/purchases",
)

IS_COUNTED = 1  # a list longer than a page

Browser = TestClient[web.Request, web.Application]


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    return set_up(database, tmp_path)


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    app = make_app(stage.cloud)
    del app.cleanup_ctx[:]  # no jobs beside: what they ask would be counted too
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client
    stage.cloud.passwords.close()
    stage.cloud.db.close()


def more(conn: Connection, stage: Stage, first: int, count: int) -> None:
    """*count* more of everything the pages list."""
    world = World(conn, stage.cloud.operator_id, int(stage.own["lot_id"]), stage.own["edge_id"])
    world.merchant_id, world._seq = int(stage.own["merchant_id"]), itertools.count(1_000 + 10 * first)
    conn.exec_driver_sql("UPDATE edge SET state = 'active'")
    act = Act(world.operator_id, "x", stage.cloud.now_ms(), stage.cloud.random)
    merchants.top_up(conn, act, world.merchant_id, Commodity.FEN, 1_000 * count, 0, "")
    for number in range(first, first + count):
        stay = f"many-{number}"
        world.car(stay)
        made = coupons.issue(conn, act, world.merchant_id, int(stage.own["template_id"]), stay)
        assert isinstance(made, coupons.Issued), made
        world.apply(CouponRedeemed(f"r-{stay}", made.coupon_id, stay, 100))
        world.apply(StayClosed(stay, "out", "京A12345", "PAID", "", 1_500, 100, 0, 1_400, 0, f"x-{stay}", "t"))
        sold = products.offer(conn, act, Product(f"p{number}", "AMOUNT", 500, 400, 0, 12))
        assert isinstance(sold, int)
        order = buying.order(conn, act, world.merchant_id, sold, 1)
        assert not isinstance(order, Refused)
        assert buying.settle_here(conn, act, order["purchase_id"]) is None
        merchants.create_merchant(conn, act, f"shop {number}", "13900000000")
        branches.add(conn, act, world.merchant_id, Plan(f"branch {number}"))
    conn.exec_driver_sql("UPDATE edge SET state = 'claimed'")


async def sign_in(browser: Browser, account: str) -> None:
    browser.session.cookie_jar.clear()
    page = await (await browser.get("/login")).text()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"account": account, "password": PASSWORD, "csrf_token": token.group(1)}
    assert (await browser.post("/login", data=form, allow_redirects=False)).status == 303


async def asked(browser: Browser, stage: Stage, account: str, pages: tuple[str, ...]) -> dict[str, int]:
    """How many questions each page asks; when a session was last seen is written now and then and not counted."""
    count = 0

    def one(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal count
        count += statement.startswith("SELECT")

    await sign_in(browser, account)
    found = {}
    event.listen(stage.cloud.db.engine, "before_cursor_execute", one)
    for page in pages:
        count = 0
        answer = await browser.get(page)
        assert answer.status == 200, (page, await answer.text())
        found[page] = count
    event.remove(stage.cloud.db.engine, "before_cursor_execute", one)
    return found


@pytest.mark.parametrize(("account", "pages"), [("admin", STAFF), ("merchant", OWN)])
async def test_a_page_asks_as_often_for_many_rows_as_for_few(
    browser: Browser, stage: Stage, account: str, pages: tuple[str, ...]
) -> None:
    stage.cloud.db.run_here(more, stage, 0, 3)
    few = await asked(browser, stage, account, pages)

    stage.cloud.db.run_here(more, stage, 3, 27)
    many = await asked(browser, stage, account, pages)

    assert {page: count for page, count in many.items() if count > few[page] + IS_COUNTED} == {}


def every_list(stage: Stage, below: str) -> tuple[str, ...]:
    """Pages behind a login that need no more than a merchant to be named."""
    paths = [route.removeprefix("GET ") for route in DOORS if route.startswith(f"GET {below}")]
    named = [path.replace("{merchant_id}", stage.own["merchant_id"]) for path in paths if not path.endswith(".{kind}")]
    return tuple(path for path in named if not re.search(r"[{.]|/live$|/login$|/wechat$", path))


@pytest.mark.parametrize(("account", "below", "least"), [("admin", "/admin", 40), ("merchant", "/m", 14)])
async def test_no_page_at_all_asks_once_for_each_row(
    migrated_sqlite: Path, tmp_path: Path, account: str, below: str, least: int
) -> None:
    path = tmp_path / "many.sqlite"
    shutil.copy(migrated_sqlite, path)
    stage = set_up(Database(open_engine(f"sqlite:///{path}")), tmp_path)
    stage.cloud.db.run_here(more, stage, 0, 1)
    crowd.loosen(stage.cloud.db.engine)
    pages = every_list(stage, below)
    app = make_app(stage.cloud)
    del app.cleanup_ctx[:]

    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        stage.cloud.db.run_here(crowd.multiply, 0, 3)
        few = await asked(client, stage, account, pages)
        stage.cloud.db.run_here(crowd.multiply, 3, 27)
        many = await asked(client, stage, account, pages)
    stage.cloud.passwords.close()
    stage.cloud.db.close()

    assert len(pages) >= least
    assert {page: (few[page], count) for page, count in many.items() if count > few[page] + IS_COUNTED} == {}
