"""The cloud's pages over a real port: who may see what, that every page shows, and that acts on them count."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, Engine

from cloud.access import service as access
from cloud.access.roles import Role
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.db import Database
from cloud.settings import CloudSettings
from cloud.sync.link import Live
from cloud.web.state import Cloud
from domain.events import BarrierOpened, CommandDone, IncidentRaised, PassageSeen, StayMoved, StayOpened, ZoneCounted
from plumbing.passwords import Passwords
from plumbing.signing import PrivateKey
from plumbing.web import walk
from tests.cloud.world import World, build

PASSWORD = "seven cars waiting"
ADMIN_PAGES = (
    "/admin",
    "/admin/lots/new",
    "/admin/lots/1/lanes/in/open",
    "/admin/cars",
    "/admin/cars?q=京A1",
    "/admin/merchants",
    "/admin/merchants/new",
    "/admin/coupons",
    "/admin/coupons/limits",
    "/admin/coupons/limits?merchant=1",
    "/admin/coupons/plates",
    "/admin/coupons/often?least=1&by=staff",
    "/admin/people",
    "/admin/people?kind=visitor&state=soon&lot=1&q=京A1",
    "/admin/people/new",
    "/admin/people/new?kind=visitor",
    "/admin/people/booth-visitors?q=302",
    "/admin/people/blocked",
    "/admin/people/blocked?all=1&q=x",
    "/admin/people/import",
    "/admin/people/passes",
    "/admin/people/excused",
    "/admin/people/excused?day=2026-01-31&why=waived&lot=1&q=li",
    "/admin/shop",
    "/admin/shop?kind=AMOUNT&q=5",
    "/admin/shop/purchases",
    "/admin/coupons/usage",
    "/admin/coupons/vouchers?state=REDEEMED",
    "/admin/coupons/discounts?from=2026-01-01&to=2026-01-31&kind=PERCENT",
    "/admin/coupons/reports",
    "/admin/merchants/1/branches",
    "/admin/shop/purchases?state=PAID&merchant=1",
    "/admin/payments/days",
    "/admin/payments/days?all=1",
    "/admin/books",
    "/admin/leases",
    "/admin/merchants/1/statements",
    "/admin/incidents",
    "/admin/incidents?all=1",
    "/admin/events",
    "/admin/events?parked=1",
    "/admin/edges",
    "/admin/accounts",
    "/admin/audit",
    "/password",
)
MERCHANT_PAGES = (
    "/m",
    "/m/statements",
    "/m/invoices",
    "/m/invoices?state=none",
    "/m/issue",
    "/m/issue?q=京A1",
    "/m/records",
    "/m/shop",
    "/m/shop?view=table&show=bought&kind=AMOUNT",
    "/m/posters",
    "/m/shop/purchases",
    "/m/records/usage",
    "/m/records/vouchers",
    "/m/records/discounts?q=A1",
    "/m/places",
    "/m/top-up",
    "/m/ledger",
    "/m/ledger?purse=MIN",
)

Browser = TestClient[web.Request, web.Application]


@pytest.fixture(scope="module")
def hashed() -> str:
    passwords = Passwords()
    try:
        return passwords.hash_blocking(PASSWORD)
    finally:
        passwords.close()


@pytest.fixture
async def cloud(engine: Engine, hashed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A service over a small world, with one account of every role."""
    monkeypatch.setenv("LOTGATE_STRICT_TEXTS", "1")
    database = Database(engine)

    def fill(conn: Connection) -> World:
        world = build(conn)
        for role in (Role.ADMIN, Role.FINANCE, Role.READ_ONLY, Role.MERCHANT):
            merchant_id = world.merchant_id if role is Role.MERCHANT else None
            access.create_user(conn, world.act(), role.value, role.value, role, hashed, merchant_id)
        conn.exec_driver_sql("UPDATE app_user SET must_change = false")
        return world

    world = database.run_here(fill)
    settings = CloudSettings(data=tmp_path)
    made = Cloud(settings, database, PrivateKey.generate(), world.operator_id, "http://cloud.example")
    made.now_ms = lambda: world.now_ms
    return made


@pytest.fixture
async def browser(cloud: Cloud) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


async def sign_in(browser: Browser, account: str, password: str = PASSWORD) -> int:
    token = token_in(await (await browser.get("/login")).text())
    form = {"account": account, "password": password, "csrf_token": token}
    answer = await browser.post("/login", data=form, allow_redirects=False)
    return answer.status


async def post(browser: Browser, page: str, path: str, **fields: str) -> tuple[int, str]:
    """Send a form with the token of *page*, following where it leads."""
    token = token_in(await (await browser.get(page)).text())
    answer = await browser.post(path, data={"csrf_token": token, **fields})
    return answer.status, await answer.text()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_shows_empty_and_full_in_both_languages(browser: Browser, cloud: Cloud, language: str) -> None:
    await sign_in(browser, "admin")
    for page in ADMIN_PAGES:
        answer = await browser.get(page, cookies={"lg_lang": language})
        assert answer.status == 200, (page, await answer.text())

    def live(conn: Connection) -> int:
        world = _again(conn, cloud)
        world.car("s1")
        world.apply(PassageSeen("in", "d", "京A12345"))
        world.apply(IncidentRaised("tailgate", "out", "two cars"))
        template = world.template()
        made = coupons.issue(conn, world.act(), world.merchant_id, template, "s1")
        assert isinstance(made, coupons.Issued)
        return world.merchant_id

    merchant_id = cloud.db.run_here(live)
    full = (*ADMIN_PAGES, f"/admin/merchants/{merchant_id}", f"/admin/coupons/issue?merchant={merchant_id}&q=京A12")
    for page in full:
        answer = await browser.get(page, cookies={"lg_lang": language})
        assert answer.status == 200, (page, await answer.text())


def _again(conn: Connection, cloud: Cloud) -> World:
    edge = conn.exec_driver_sql("SELECT edge_id, lot_id FROM edge").one()
    merchant_id = conn.exec_driver_sql("SELECT merchant_id FROM merchant").scalar_one()
    world = World(conn, cloud.operator_id, edge.lot_id, edge.edge_id, 1, merchant_id)
    for _ in range(100):
        next(world._seq), next(world._bytes)  # ids of this world begin after those of the first
    return world


async def test_a_merchant_sees_its_own_pages_and_nothing_of_the_operators(browser: Browser) -> None:
    await sign_in(browser, "merchant")

    for page in MERCHANT_PAGES:
        assert (await browser.get(page)).status == 200, page
    for page in ADMIN_PAGES[:-1]:
        assert (await browser.get(page)).status == 403, page


async def test_nobody_sees_anything_without_signing_in(browser: Browser) -> None:
    for page in (*ADMIN_PAGES, *MERCHANT_PAGES):
        answer = await browser.get(page, allow_redirects=False)
        assert answer.status == 303, page
        assert answer.headers["Location"].startswith("/login"), page


async def test_read_only_people_change_nothing_and_see_no_plates(browser: Browser, cloud: Cloud) -> None:
    cloud.db.run_here(lambda conn: _again(conn, cloud).car("s1"))
    await sign_in(browser, "read_only")
    page = await (await browser.get("/admin/cars")).text()
    token = token_in(page)

    assert "京A·1***5" in page
    assert "12345" not in page
    for path in ("/admin/merchants/new", "/admin/edges", "/admin/merchants/1/top-up", "/admin/coupons/void"):
        answer = await browser.post(path, data={"csrf_token": token, "name": "x"})
        assert answer.status == 403, path


async def test_every_page_that_changes_something_wants_the_token_of_a_form(browser: Browser) -> None:
    await sign_in(browser, "admin")

    assert browser.app is not None
    for route in walk(browser.app):
        if route.method == "POST" and not route.path.startswith("/api/"):
            answer = await browser.post(re.sub(r"\{[^}]+\}", "1" * 8, route.path), data={"name": "x"})
            assert answer.status == 403, route.path


async def test_a_first_password_must_be_changed_before_anything_else(browser: Browser, cloud: Cloud) -> None:
    cloud.db.run_here(lambda conn: conn.exec_driver_sql("UPDATE app_user SET must_change = true"))
    await sign_in(browser, "admin")
    led_to = (await browser.get("/admin", allow_redirects=False)).headers["Location"]

    short = await post(browser, "/password", "/password", old=PASSWORD, new="abc", again="abc")
    wrong = await post(browser, "/password", "/password", old="no", new="a longer one", again="a longer one")
    status, _ = await post(browser, "/password", "/password", old=PASSWORD, new="a longer one", again="a longer one")

    assert led_to == "/password"
    assert (short[0], wrong[0], status) == (422, 422, 200)
    assert (await browser.get("/admin")).status == 200


async def test_guessing_slows_down(browser: Browser) -> None:
    for _ in range(3):
        assert await sign_in(browser, "admin", "wrong") == 422

    token = token_in(await (await browser.get("/login", cookies={"lg_lang": "en"})).text())
    form = {"account": "admin", "password": PASSWORD, "csrf_token": token}
    answer = await browser.post("/login", data=form, cookies={"lg_lang": "en"})

    assert "Too many attempts" in await answer.text()


async def test_from_a_new_merchant_to_a_coupon_on_the_pages(browser: Browser, cloud: Cloud) -> None:
    cloud.db.run_here(lambda conn: _again(conn, cloud).car("s1"))
    await sign_in(browser, "admin")

    status, page = await post(browser, "/admin/merchants/new", "/admin/merchants/new", name="书店", phone="13900000000")
    assert status == 200, page
    account = re.search(r"<code>(\d{9})</code>", page)
    assert account is not None
    listed = await (await browser.get(f"/admin/merchants?q={account.group(1)}")).text()
    here = re.search(r"/admin/merchants/\d+", listed)
    assert here is not None
    at = here.group(0)
    lot_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT lot_id FROM lot").scalar_one())
    for path, fields in (
        ("settlement", {"payment_mode": "PREPAID", "settlement_mode": "ON_ISSUE"}),
        ("top-up", {"commodity": "FEN", "paid": "100.50", "bonus": "10", "remark": "first"}),
        (
            "contract",
            {"lot_id": str(lot_id), "amount_percent": "100", "duration_percent": "100", "waiver_cap_fen": "30"},
        ),
        ("templates", {"name": "5 元", "kind": "AMOUNT", "value": "5", "meaning": "end", "valid_hours": "24"}),
    ):
        status, page = await post(browser, at, f"{at}/{path}", **fields)
        assert status == 200, (path, page)
        assert "alert bad" not in page, (path, page)
    template = re.search(r'name="template_id" value="(\d+)"', page)
    assert template is not None
    merchant_id = at.rpartition("/")[2]
    form = f"/admin/coupons/issue?merchant={merchant_id}"
    status, page = await post(browser, f"{form}&q=京A12", form, template_id=template.group(1), stay_id="s1")

    assert status == 200
    assert "绑定成功" in page
    books = await (await browser.get(f"/admin/books?merchant={merchant_id}")).text()
    assert "¥5.00" in books
    exported = await (await browser.get("/admin/books.csv")).text()
    assert "派发优惠券" in exported
    assert "coupon.issued" not in exported


async def test_a_refusal_is_said_in_words_and_changes_nothing(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    merchant_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT merchant_id FROM merchant").scalar_one())
    at = f"/admin/merchants/{merchant_id}"

    status, page = await post(browser, at, f"{at}/refund", commodity="FEN", amount="100000", remark="不再合作")

    assert status == 422
    assert "余额不足" in page


async def test_the_dashboard_follows_by_itself(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    async with browser.get("/admin/live") as answer:
        await answer.content.readuntil(b"\n\n")
        cloud.hub.publish("changed")
        event = await answer.content.readuntil(b"\n\n")

    assert event.startswith(b"event: board")
    assert b"north lot" in event


async def test_the_dashboard_shows_each_lane_as_its_lot_says_and_nothing_of_a_silent_one(
    browser: Browser, cloud: Cloud
) -> None:
    edge_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT edge_id FROM edge").scalar_one())
    told = [
        {"lane": "in", "phase": "Idle", "verdict": "", "wrong": []},
        {"lane": "out", "phase": "Waiting", "verdict": "PayFirst", "wrong": ["<camera>"]},
        "nonsense",
    ]
    heard = [time.monotonic() - 5]
    cloud.live = lambda: {edge_id: Live({"lanes": told}, heard[0])}
    await sign_in(browser, "admin")

    fresh = await (await browser.get("/admin")).text()
    heard[0] -= 47 * 60
    silent = await (await browser.get("/admin")).text()

    for words in ("空闲", "有车等候", "待缴费", "&lt;camera&gt; 无应答", "在线", "最近消息：刚刚"):
        assert words in fresh, words
    assert "状态未知" not in fresh
    assert silent.count("状态未知") == 2
    for words in ("离线", "最近消息：47 分钟前"):
        assert words in silent, words
    assert "有车等候" not in silent


async def test_the_operators_sign_in_leads_merchants_to_their_own(browser: Browser) -> None:
    at_operators, at_merchants = [await (await browser.get(page)).text() for page in ("/login", "/m/login")]

    assert re.search(r'href="/m/login">优惠券平台<', at_operators)
    assert "<h1>登录 · 优惠券平台</h1>" in at_merchants
    assert 'href="/m/login"' not in at_merchants


async def test_metrics_and_health_answer_without_a_login(browser: Browser) -> None:
    health = await (await browser.get("/healthz")).json()
    metrics = await (await browser.get("/metrics")).text()

    assert health["status"] == "ok"
    assert "lotgate_cloud_db_waiting" in metrics


async def test_a_barrier_is_opened_from_afar_by_name_and_reason_and_what_came_of_it_is_shown(
    browser: Browser, cloud: Cloud
) -> None:
    await sign_in(browser, "admin")
    page = "/admin/lots/1/lanes/in/open"

    assert (await post(browser, page, page, reason=" "))[0] == 422
    assert (await post(browser, page, "/admin/lots/1/lanes/nowhere/open", reason="queue"))[0] == 422
    status, shown = await post(browser, page, page, reason="queue")
    assert (status, "等待车场" in shown) == (200, True)

    cloud.db.run_here(lambda conn: _again(conn, cloud).apply(CommandDone(1, "opened")))
    assert "已开闸" in await (await browser.get(page)).text()
    opened = BarrierOpened("in", "d1", "王芳", "残疾人车位", "s-opened")
    entered = StayOpened("s-opened", "in", "inside", "京A99999", "京A99999", "small", "d0")
    for event in (entered, opened):
        cloud.db.run_here(lambda conn, one=event: _again(conn, cloud).apply(one))  # type: ignore[misc]
    shown = await (await browser.get(page)).text()
    assert ("王芳" in shown, "残疾人车位" in shown, "99999" in shown) == (True, True, True)

    await sign_in(browser, "read_only")
    assert (await browser.get(page)).status == 403


async def test_the_dashboard_says_how_many_cars_are_in_each_zone(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")

    def two_zones(conn: Connection) -> None:
        world = _again(conn, cloud)
        world.car("s1")
        world.car("s2", "京A54321")
        world.apply(StayMoved("s1", "down", "inside", "garage", "京A12345", "seen", "d9"))
        world.apply(ZoneCounted("inside", "", 1, 4, "wang", "round"))

    cloud.db.run_here(two_zones)
    page = await (await browser.get("/admin", cookies={"lg_lang": "en"})).text()

    assert "garage <b>1</b>" in page
    assert "inside <b>4</b> (1 by the books, counted at the lot)" in page
    assert '<span class="note">garage</span>' in await (await browser.get("/admin/cars")).text()


async def test_a_lot_is_added_with_its_lanes_from_fields(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    page = await (await browser.get("/admin/lots/new")).text()
    lanes = [("西口", "entry", "outside", "inside"), ("", "entry", "", ""), ("东口", "exit", "inside", "")]

    async def send() -> tuple[int, str]:
        form = [("csrf_token", token_in(page)), ("name", "south lot"), ("places", "20")]
        for row in lanes:
            form += zip(("lane_name", "lane_direction", "lane_from", "lane_to"), row, strict=True)
        answer = await browser.post("/admin/lots/new", data=form)
        return answer.status, await answer.text()

    status, refused = await send()
    assert status == 422
    assert 'value="东口"' in refused
    lanes[2] = ("东口", "exit", "inside", "outside")
    status, board = await send()
    assert status == 200
    assert "东口" in board
