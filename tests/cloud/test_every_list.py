"""Every list a signed-in person opens can be searched, turned over and kept as a file (E67)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.access import keys
from cloud.access.roles import Right, Role
from cloud.app import make_app
from cloud.hooks import service as hooks
from cloud.web.doors import door_of
from tests.cloud.stage import Stage
from tests.cloud.test_doors import Browser, address, routes, sign_in, try_door

PARTS = {"search": 'type="search"', "pages": 'class="pager"', "csv": ".csv", "xlsx": ".xlsx"}

OF_ONE = "of one thing: as many rows as that thing has"
NO_LIST = {
    "/admin": "the lots at a glance; its lists are pages of their own",
    "/admin/arrears/{debt}": OF_ONE,
    "/admin/coupons/limits": "a form of each level's limits",
    "/admin/coupons/reports": "figures of a time, with a file; the coupons behind them are a list of their own",
    "/admin/coupons/{coupon_id}": OF_ONE,
    "/admin/lots/{lot}/lanes/{lane}/open": "the last openings of one lane, beside the form",
    "/admin/lots/{lot}/slips": "one row a layout",
    "/admin/merchants/{merchant_id}": OF_ONE,
    "/admin/payments/{order}": OF_ONE,
    "/admin/statements/{statement_id}": "one statement is confirmed and paid as a whole, and has a file",
    "/m": "one row a kind of coupon",
    "/m/print/{batch}": OF_ONE,
    "/m/records/{coupon_id}": OF_ONE,
    "/m/statements/{statement_id}": "one statement is confirmed and paid as a whole, and has a file",
}


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


async def lists(browser: Browser, stage: Stage, role: Role) -> dict[str, str]:
    """Pages with a table that *role* opens, by the pattern of their address."""
    await sign_in(browser, role)
    found = {}
    for method, pattern in routes(browser.app):
        if method != "GET" or "{kind}" in pattern or not isinstance(door_of(method, pattern), Right):
            continue
        status, _, text = await try_door(browser, "GET", address(pattern, stage.own))
        if status == 200 and "<table" in text:
            found[pattern] = text
    return found


def _machines(conn: Connection, stage: Stage) -> dict[str, str]:
    """A key and a hook: their pages are lists only where there are some."""
    act = stage.cloud.act("admin")
    assert isinstance(keys.create(conn, act, "tills", ["read"]), keys.Made)
    made = hooks.create(conn, act, "https://hooks.example.com/in", ["topup"])
    assert isinstance(made, hooks.Made)
    return {"hook_id": str(made.hook_id)}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MERCHANT])
async def test_every_list_has_search_pages_and_files(browser: Browser, stage: Stage, role: Role) -> None:
    stage.own.update(stage.cloud.db.run_here(_machines, stage))

    found = await lists(browser, stage, role)

    missing = {
        pattern: [name for name, mark in PARTS.items() if mark not in page]
        for pattern, page in found.items()
        if pattern not in NO_LIST
    }
    assert {pattern: names for pattern, names in missing.items() if names} == {}
    assert len(found.keys() - NO_LIST.keys()) >= 12
    mine = {pattern for pattern in NO_LIST if re.match("/m(/|$)", pattern)}
    assert (mine if role is Role.MERCHANT else NO_LIST.keys() - mine) <= found.keys(), "no such list any more"


async def test_the_files_of_a_list_hold_what_is_looked_for(browser: Browser, stage: Stage) -> None:
    values = stage.own | stage.cloud.db.run_here(_machines, stage)
    for role in (Role.ADMIN, Role.MERCHANT):
        await sign_in(browser, role)
        for method, pattern in routes(browser.app):
            if method != "GET" or "{kind}" not in pattern or not isinstance(door_of(method, pattern), Right):
                continue
            path = address(pattern, values)
            status, _, text = await try_door(browser, "GET", path)
            if status in (403, 404):
                continue
            _, _, none = await try_door(browser, "GET", f"{path}?q=nothing-is-called-so")

            assert status == 200, path
            assert text.splitlines(), path
            assert len(none.splitlines()) <= len(text.splitlines()), path


async def test_a_short_list_shows_what_its_rows_say_and_nothing_else(browser: Browser, stage: Stage) -> None:
    stage.cloud.db.run_here(_machines, stage)
    await sign_in(browser, Role.ADMIN)

    found = await (await browser.get("/admin/keys?q=TILL")).text()
    none = await (await browser.get("/admin/keys?q=barrier")).text()
    file = await (await browser.get("/admin/keys.csv?q=barrier")).text()
    second = await (await browser.get("/admin/keys?page=2")).text()

    assert "tills" in found
    assert "tills" not in none
    assert len(file.splitlines()) == 1
    assert "<td>tills</td>" not in second


ODD = (
    "day=9999-12-31&from=9999-12-31&to=9999-12-31&page=99999999999&lot=9999999999999999999&merchant=-1&q=%25%27%00",
    "day=0001-01-01&from=0001-01-02&to=0001-01-03&page=-1&lot=x&month=9999-12&q=" + "9" * 300,
)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MERCHANT])
@pytest.mark.parametrize("query", ODD)
async def test_no_page_breaks_on_what_nobody_means(browser: Browser, stage: Stage, role: Role, query: str) -> None:
    stage.own.update(stage.cloud.db.run_here(_machines, stage))
    await sign_in(browser, role)

    broken = []
    for method, pattern in routes(browser.app):
        if method == "GET" and isinstance(door_of(method, pattern), Right):
            status, _, _ = await try_door(browser, "GET", f"{address(pattern, stage.own)}?{query}")
            broken += [pattern] if status >= 500 else []

    assert broken == []
