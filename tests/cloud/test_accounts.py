"""Accounts of the operator's own people: made, changed, shut out, and two for what needs two (E65, E66, E69)."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, select

from cloud.access import accounts
from cloud.access import service as access
from cloud.access.keys import caller
from cloud.access.roles import Role
from cloud.access.tables import audit_log, web_session
from cloud.act import Act, Refused
from cloud.app import make_app
from cloud.db import Database
from cloud.paid import DUTIES
from cloud.payments.orders import PayOrder
from tests.cloud.paying import Till, pay
from tests.cloud.stage import PASSWORD, Stage, set_up
from tests.cloud.test_pages import Browser, post
from tests.cloud.test_payments import wanted
from tests.cloud.world import World, build

HERE = "/admin/accounts"
NEW_PASSWORD = "eight cars left"


def boss(world: World) -> Act:
    """An act of the administrator of this world."""
    access.create_user(world.conn, world.act("boss"), "boss", "boss", Role.ADMIN, "hash")
    return world.act("boss")


def with_account(world: World, act: Act, login: str, role: Role) -> int:
    assert accounts.create(world.conn, act, login, login, role, "hash") == login
    return next(int(row["user_id"]) for row in accounts.listed(world.conn, world.operator_id) if row["login"] == login)


def number_of(world: World, login: str) -> int:
    found = access.password_of(world.conn, login)
    assert found is not None
    return found[0].user_id


def changes(world: World, act: Act, user_id: int) -> list[object]:
    """What becomes of every way to shut an account out."""
    return [
        accounts.set_enabled(world.conn, act, user_id, enabled=False),
        accounts.set_role(world.conn, act, user_id, "finance"),
        accounts.reset(world.conn, act, user_id, "hash"),
    ]


def test_nobody_shuts_out_himself_or_the_last_administrator(world: World) -> None:
    act = boss(world)
    own = number_of(world, "boss")
    li = with_account(world, act, "li.wei", Role.ADMIN)

    assert changes(world, act, own) == [Refused("office_self")] * 3
    assert accounts.set_enabled(world.conn, act, li, enabled=False) is None
    assert changes(world, world.act("li.wei"), own) == [Refused("office_last")] * 3  # the two at the same moment
    assert accounts.set_enabled(world.conn, act, li, enabled=True) is None
    assert accounts.set_role(world.conn, world.act("li.wei"), own, "finance") is None


def test_only_the_operators_own_roles_and_people_are_touched(world: World) -> None:
    act = boss(world)
    access.create_user(world.conn, act, "123456789", "shop", Role.MERCHANT, "hash", world.merchant_id)
    elsewhere = build(world.conn, first_byte=900)
    theirs = with_account(elsewhere, elsewhere.act("her"), "stranger", Role.FINANCE)
    li = with_account(world, act, "li.wei", Role.FINANCE)

    for user_id in (number_of(world, "123456789"), theirs, 999):
        assert changes(world, act, user_id) == [Refused("office_unknown")] * 3
    assert accounts.set_role(world.conn, act, li, Role.MERCHANT) == Refused("office_role")
    assert [row["login"] for row in accounts.listed(world.conn, world.operator_id)] == ["boss", "li.wei"]
    refused = [
        accounts.create(world.conn, act, login, name, role, "hash")
        for login, name, role in (
            ("li.wei", "x", "admin"), ("Li", "x", "admin"), ("12345678", "x", "admin"), ("payments", "x", "admin"),
            ("li.na", " ", "admin"), ("li.na", "x", "merchant"), ("li.na", "x", "root"),
        )
    ]  # fmt: skip
    assert [each.code for each in refused if isinstance(each, Refused)] == [
        "login_taken", "office_login", "office_login", "office_login", "name_missing", "office_role", "office_role",
    ]  # fmt: skip


def test_every_act_is_in_the_log_with_before_and_after(world: World) -> None:
    act = boss(world)
    li = with_account(world, act, "li.wei", Role.FINANCE)
    accounts.set_role(world.conn, act, li, "read_only")
    accounts.set_role(world.conn, act, li, "read_only")  # nothing to do: no row
    accounts.reset(world.conn, act, li, "hash")
    accounts.set_enabled(world.conn, act, li, enabled=False)
    accounts.set_enabled(world.conn, act, li, enabled=True)

    query = select(audit_log).where(audit_log.c.subject == "user:li.wei").order_by(audit_log.c.audit_id)
    told = [(row.act, json.loads(row.before or "{}"), json.loads(row.after)) for row in world.conn.execute(query)]
    assert told == [
        ("user.created", {}, {"role": "finance"}),
        ("user.role_set", {"role": "finance"}, {"role": "read_only"}),
        ("user.first_password", {"must_change": True}, {"must_change": True}),
        ("user.disabled", {"enabled": True}, {"enabled": False}),
        ("user.enabled", {"enabled": False}, {"enabled": True}),
    ]
    assert accounts.makers(world.conn, world.operator_id)["li.wei"] == "boss"


def test_what_a_disabled_account_held_does_not_come_back_with_it(world: World) -> None:
    act = boss(world)
    li = with_account(world, act, "li.wei", Role.FINANCE)
    token = access.create_token(world.conn, act, li, "api")
    assert caller(world.conn, token, world.now_ms) is not None

    for enabled in (False, True):
        assert accounts.set_enabled(world.conn, act, li, enabled=enabled) is None
        assert caller(world.conn, token, world.now_ms) is None


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    return set_up(database, tmp_path)


@pytest.fixture
async def browsers(stage: Stage) -> AsyncIterator[tuple[Browser, Browser]]:
    """An administrator's and somebody else's."""
    server = TestServer(make_app(stage.cloud, {"wechat": Till("wechat")}))
    async with (
        TestClient(server, cookie_jar=CookieJar(unsafe=True)) as one,
        TestClient(server, cookie_jar=CookieJar(unsafe=True)) as other,
    ):
        await post(one, "/login", "/login", account="admin", password=PASSWORD)
        yield one, other


async def take_up(admin: Browser, other: Browser, path: str, **fields: str) -> str:
    """Give a first password at *path* and sign in by it; the account."""
    status, page = await post(admin, HERE, path, **fields)
    assert status == 200, page
    login, first = re.findall(r"<dd><code>([^<]+)</code>", page)
    assert first not in await (await admin.get(HERE)).text()  # shown once
    await post(other, "/login", "/login", account=login, password=first)
    assert (await other.get("/admin", allow_redirects=False)).headers["Location"] == "/password"  # forced
    await post(other, "/password", "/password", old=first, new=NEW_PASSWORD, again=NEW_PASSWORD)
    return str(login)


async def test_an_account_made_here_asks_for_a_refund_and_another_person_agrees(
    browsers: tuple[Browser, Browser], stage: Stage
) -> None:
    admin, other = browsers
    cloud = stage.cloud
    object.__setattr__(cloud.settings.payments, "refund_limit_fen", 2_000)

    def paid(conn: Connection) -> PayOrder:
        later = itertools.count(500)  # ids of this world begin after those of the first
        mine = int(stage.own["merchant_id"])
        order = wanted(World(conn, cloud.operator_id, merchant_id=mine, now_ms=cloud.now_ms(), _bytes=later))
        pay(conn, cloud.act("payments"), DUTIES, order, "wechat")
        return order

    page = f"/admin/payments/{cloud.db.run_here(paid).order_id}"
    assert await take_up(admin, other, HERE, login="zhao.min", name="赵敏", role="finance") == "zhao.min"
    asked = await post(other, page, f"{page}/refund", yuan="30", reason="too much")
    refund_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT refund_id FROM pay_refund").scalar_one())
    alone = await post(other, page, f"{page}/decide", refund_id=refund_id, agreed="1")
    agreed = await post(admin, page, f"{page}/decide", refund_id=refund_id, agreed="1")

    assert (asked[0], alone[0], agreed[0]) == (200, 422, 200)
    assert (await other.get(HERE)).status == 403


async def test_a_dashboard_left_open_ends_once_its_account_is_disabled(
    browsers: tuple[Browser, Browser], stage: Stage
) -> None:
    admin, other = browsers
    await take_up(admin, other, HERE, login="zhao.min", name="赵敏", role="read_only")
    user_id = re.findall(rf"{HERE}/(\d+)/enabled", await (await admin.get(HERE)).text())[-1]

    async with other.get("/admin/live") as answer:
        await answer.content.readuntil(b"\n\n")
        stage.cloud.hub.publish("tick")
        assert (await answer.content.readuntil(b"\n\n")).startswith(b"event: board")
        await post(admin, HERE, f"{HERE}/{user_id}/enabled", enabled="0")  # open pages look again after each change
        async with asyncio.timeout(20):
            rest = await answer.content.read()

    assert b"event: board" not in rest


async def test_a_lot_manager_is_made_for_lots_and_gets_others_by_name(
    browsers: tuple[Browser, Browser], stage: Stage
) -> None:
    admin, other = browsers
    lot_id, operator_id = stage.own["lot_id"], stage.cloud.operator_id
    without = await post(admin, HERE, HERE, login="zhao.min", name="赵敏", role="lot_manager")
    elsewhere = await post(
        admin, HERE, HERE, login="zhao.min", name="赵敏", role="lot_manager", lot=stage.stranger["lot_id"]
    )

    await take_up(admin, other, HERE, login="zhao.min", name="赵敏", role="lot_manager", lot=lot_id)
    page = await (await admin.get(HERE)).text()
    user_id = re.findall(rf"{HERE}/(\d+)/enabled", page)[-1]
    seen = await (await other.get("/admin")).text()
    await post(admin, HERE, f"{HERE}/{user_id}/role", role="verifier")

    assert (without[0], elsewhere[0]) == (422, 422)
    assert "north lot" in seen
    assert "127.0.0.1" in page, "where the account came in from"
    assert stage.cloud.db.run_here(accounts.lots_by_user, operator_id) == {}
    assert (await other.get("/admin", allow_redirects=False)).headers["Location"].startswith("/login")


async def test_sessions_end_with_the_account_its_role_and_its_password(
    browsers: tuple[Browser, Browser], stage: Stage
) -> None:
    admin, other = browsers
    await take_up(admin, other, HERE, login="zhao.min", name="赵敏", role="finance")
    user_id = re.findall(rf"{HERE}/(\d+)/enabled", await (await admin.get(HERE)).text())[-1]

    async def is_out() -> bool:
        return (await other.get("/admin", allow_redirects=False)).headers.get("Location", "").startswith("/login")

    async def back_in() -> tuple[int, str]:
        return await post(other, "/login", "/login", account="zhao.min", password=NEW_PASSWORD)

    one = f"{HERE}/{user_id}"
    assert not await is_out()
    await post(admin, HERE, f"{one}/enabled", enabled="0")
    assert await is_out()
    assert (await back_in())[0] == 422
    await post(admin, HERE, f"{one}/enabled", enabled="1")
    assert await is_out()  # and the old session did not wait for it
    assert (await back_in())[0] == 200
    await post(admin, HERE, f"{one}/role", role="admin")
    assert await is_out()
    assert (await back_in())[0] == 200
    assert (await other.get(HERE)).status == 200
    await take_up(admin, other, f"{one}/password")
    left = stage.cloud.db.run_here(lambda conn: conn.execute(select(web_session.c.role)).scalars().all())
    assert left == ["admin", "admin"]
