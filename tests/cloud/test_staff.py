"""A merchant's own people with limits a day, and first passwords that do not last (E20, E66, S1.5)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.access import pages as access_pages
from cloud.access import service as access
from cloud.access import staff
from cloud.access.roles import Role
from cloud.access.service import FIRST_MS, Person
from cloud.access.staff import Daily
from cloud.act import Refused
from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.db import Database
from cloud.merchants import branches
from cloud.merchants.branches import Plan
from plumbing.web import LoginThrottle
from tests.cloud.stage import PASSWORD, Stage, set_up
from tests.cloud.world import World

Browser = TestClient[web.Request, web.Application]


def with_staff(world: World, daily: Daily) -> str:
    made = staff.create(world.conn, world.act(), world.merchant_id, "123456789", "小李", "hash", daily)
    assert isinstance(made, staff.Account), made
    return made.login


def give(world: World, by: str, template_id: int, count: int = 1) -> str:
    made = coupons.issue(world.conn, world.act(by), world.merchant_id, template_id, "s1", count=count)
    return made.code if isinstance(made, Refused) else "given"


def test_staff_give_up_to_their_number_a_day_and_again_tomorrow(world: World) -> None:
    login, five = with_staff(world, Daily(coupons=3)), world.template()
    world.car("s1")

    today = [give(world, login, five), give(world, login, five, count=2), give(world, login, five)]
    owner = give(world, "owner", five)
    world.now_ms += 86_400_000
    tomorrow = give(world, login, five)

    assert today == ["given", "given", "staff_coupons"]
    assert (owner, tomorrow) == ("given", "given")


def test_staff_give_up_to_their_money_a_day_and_time_is_not_money(world: World) -> None:
    login, five, hour = with_staff(world, Daily(fen=900)), world.template(), world.template("DURATION", 60)
    world.car("s1")

    assert [give(world, login, each) for each in (five, five, hour)] == ["given", "staff_fen", "given"]


def test_another_merchant_cannot_touch_them(world: World) -> None:
    with_staff(world, Daily())
    (row,) = staff.listed(world.conn, world.operator_id, world.merchant_id)
    stranger = world.merchant_id + 1

    assert staff.listed(world.conn, world.operator_id, stranger) == []
    for refused in (
        staff.set_daily(world.conn, world.act(), stranger, row["user_id"], Daily(1)),
        staff.set_enabled(world.conn, world.act(), stranger, row["user_id"], enabled=False),
        staff.reset(world.conn, world.act(), stranger, row["user_id"], "hash"),
    ):
        assert isinstance(refused, Refused)


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    return set_up(database, tmp_path)


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


async def post(browser: Browser, page: str, path: str, **fields: str) -> tuple[int, str, str]:
    token = re.search(r'name="csrf_token" value="([^"]+)"', await (await browser.get(page)).text())
    assert token is not None
    answer = await browser.post(path, data={"csrf_token": token.group(1), **fields})
    return answer.status, str(answer.url.path), await answer.text()


async def test_from_a_new_account_to_a_coupon_in_its_own_records(browser: Browser, stage: Stage) -> None:
    await post(browser, "/login", "/login", account="merchant", password=PASSWORD)
    status, _, page = await post(browser, "/m/staff", "/m/staff", name="小李", coupons="1", yuan="50")
    assert status == 200, page
    login, password = re.findall(r"<code>([^<]+)</code>", page)[:2]
    browser.session.cookie_jar.clear()

    _, led_to, _ = await post(browser, "/login", "/login", account=login, password=password)
    changed = await post(
        browser, "/password", "/password", old=password, new="eight cars left", again="eight cars left"
    )
    given = [
        (await post(browser, "/m/issue?q=京A11", "/m/issue", template_id=stage.own["template_id"], stay_id="s-own"))[0]
        for _ in range(2)
    ]
    records = await (await browser.get("/m/records")).text()

    screen = await post(browser, "/m/codes", "/m/codes", template_id=stage.own["template_id"], count="1")
    reached = [(await browser.get(at)).status for at in ("/m/codes", "/m/print", "/m/posters")]

    assert (led_to, changed[1]) == ("/password", "/m/issue")
    assert (screen[0], reached) == (422, [200, 200, 200])  # the one of today is given
    assert given == [200, 422]
    assert records.count("京A") == 1
    for closed in ("/m", "/m/ledger", "/m/staff", "/admin"):
        assert (await browser.get(closed)).status == 403, closed


async def test_a_merchants_first_password_is_the_end_of_its_phone_and_opens_one_session(
    browser: Browser, stage: Stage
) -> None:
    await post(browser, "/login", "/login", account="admin", password=PASSWORD)
    _, _, page = await post(browser, "/admin/merchants/new", "/admin/merchants/new", name="书店", phone="13912345678")
    account, password = re.findall(r"<code>([^<]+)</code>", page)[:2]
    browser.session.cookie_jar.clear()

    _, first, _ = await post(browser, "/login", "/login", account=account, password="345678")
    browser.session.cookie_jar.clear()
    status, _, again = await post(browser, "/login", "/login", account=account, password="345678")

    assert (password, first, status) == ("345678", "/password", 422)
    assert "初始密码已过期" in again


async def prove(stage: Stage, password: str) -> Person | int:
    stage.cloud.throttle = LoginThrottle()  # what slows guessing down is tested elsewhere
    return await access_pages.prove(stage.cloud, "newcomer", password, "192.0.2.1")


def newcomer(conn: Connection, stage: Stage) -> None:
    hashed = stage.cloud.passwords.hash_blocking("345678")
    act, merchant_id = stage.cloud.act("admin"), int(stage.own["merchant_id"])
    access.create_user(conn, act, "newcomer", "x", Role.MERCHANT, hashed, merchant_id, short_lived=True)


async def test_guessing_uses_a_first_password_up(stage: Stage) -> None:
    stage.cloud.db.run_here(newcomer, stage)

    tries = [await prove(stage, f"00000{number}") for number in range(4)]
    still = await prove(stage, "345678")
    await prove(stage, "000009")

    assert tries == [0, 0, 0, 0]
    assert isinstance(still, Person)
    assert await prove(stage, "345678") == access_pages.OVER


async def test_a_first_password_is_over_after_three_days(stage: Stage) -> None:
    stage.cloud.db.run_here(newcomer, stage)
    start = stage.cloud.now_ms()

    stage.cloud.now_ms = lambda: start + FIRST_MS - 1
    assert isinstance(await prove(stage, "345678"), Person)
    stage.cloud.now_ms = lambda: start + FIRST_MS
    assert await prove(stage, "345678") == access_pages.OVER


def test_a_branchs_login_made_by_the_owner_gives_up_to_its_day_for_its_branch_alone(world: World) -> None:
    south = branches.add(world.conn, world.act(), world.merchant_id, Plan("南门店"))
    assert isinstance(south, int)
    args = (world.conn, world.act("owner"))
    made = branches.staff_login(*args, world.merchant_id, south, "小王", "hash", Daily(coupons=1))
    theirs = branches.staff_login(*args, world.merchant_id + 1, south, "小王", "hash", Daily())
    assert isinstance(made, staff.Account), made
    five = world.template()
    world.car("s1")

    given = [
        coupons.issue(world.conn, world.act(made.login), world.merchant_id, five, "s1", branch_id=south)
        for _ in range(2)
    ]

    assert theirs == Refused("branch_unknown")
    assert isinstance(given[0], coupons.Issued)
    assert isinstance(given[1], Refused)
    assert given[1].code == "staff_coupons"
    (row,) = staff.listed(world.conn, world.operator_id, world.merchant_id)
    assert branches.of_staff(world.conn, world.operator_id, world.merchant_id) == {row["user_id"]: "南门店"}
    assert staff.set_enabled(*args, world.merchant_id, row["user_id"], enabled=False) is None


async def test_the_owner_makes_a_login_for_a_branch_on_the_page_of_its_people(browser: Browser, stage: Stage) -> None:
    def opened(conn: Connection) -> int:
        made = branches.add(conn, stage.cloud.act("admin"), int(stage.own["merchant_id"]), Plan("南门店"))
        assert isinstance(made, int)
        return made

    south = await stage.cloud.db.run(opened)
    await post(browser, "/login", "/login", account="merchant", password=PASSWORD)

    status, _, page = await post(browser, "/m/staff", "/m/staff", name="小王", coupons="1", branch_id=str(south))
    refused, _, _ = await post(browser, "/m/staff", "/m/staff", name="小王", branch_id="999")

    assert (status, refused) == (200, 422)
    assert re.findall(r"<code>([^<]+-b\d\d)</code>", page)
    assert f'<option value="{south}">南门店' in page
    assert page.count("南门店") >= 2
