"""Every role at every door, and nothing of another tenant behind any of them (E65, E69)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.access.roles import RIGHTS, Right, Role
from cloud.act import Act, Refused
from cloud.app import make_app
from cloud.merchants import branches
from cloud.merchants.branches import Plan
from cloud.web.doors import DOORS, Open, UnguardedRouteError, check, door_of
from domain.ledger import Commodity
from plumbing.web import walk
from tests.cloud.stage import PASSWORD, SECRET, THEIR_PLATE, Stage, another_lot, move_out, rows_of

Browser = TestClient[web.Request, web.Application]


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


async def sign_in(browser: Browser, role: Role) -> str:
    """A fresh session of *role*; returns the token of its forms."""
    browser.session.cookie_jar.clear()
    page = await (await browser.get("/login")).text()
    form = {"account": role.value, "password": PASSWORD, "csrf_token": _token(page)}
    assert (await browser.post("/login", data=form, allow_redirects=False)).status == 303
    await browser.get("/m/places")  # a login of one branch alone is there at once
    return _token(await (await browser.get("/password")).text())


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def address(pattern: str, values: dict[str, str]) -> str:
    usual = {"kind": "csv"} | values
    return re.sub(r"\{(\w+)\}", lambda name: usual.get(name.group(1), "1"), pattern)


def routes(app: web.Application | None) -> list[tuple[str, str]]:
    assert app is not None
    ways = {(way.method, way.path) for way in walk(app)}
    return sorted(way for way in ways if way[0] != "HEAD" and not way[1].startswith("/static/"))


async def try_door(
    browser: Browser, method: str, path: str, form: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Status, where it leads, and what it shows; a page that follows by itself is left at once."""
    if method == "GET":
        async with browser.get(path, allow_redirects=False) as answer:
            stays_open = answer.content_type == "text/event-stream"
            text = "" if stays_open else (await answer.read()).decode("utf-8", "replace")
            return answer.status, answer.headers.get("Location", ""), text
    async with browser.request(method, path, data=form or {}, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


@pytest.mark.parametrize("role", Role)
async def test_a_door_opens_to_those_of_the_table_and_to_nobody_else(browser: Browser, role: Role) -> None:
    token = await sign_in(browser, role)
    for method, pattern in routes(browser.app):
        door = door_of(method, pattern)
        if door is Open.KEY or pattern == "/logout":
            continue
        status, led_to, _ = await try_door(browser, method, address(pattern, {}), {"csrf_token": token})
        opens = not isinstance(door, Right) or door in RIGHTS[role]
        where = f"{method} {pattern} for {role}: {status}"
        assert status < 500, where
        assert (status == 403) is not opens, where
        assert not led_to.startswith("/login"), where


async def test_without_a_session_only_open_doors_open_and_a_key_is_asked_for(browser: Browser) -> None:
    token = _token(await (await browser.get("/login")).text())
    for method, pattern in routes(browser.app):
        door = door_of(method, pattern)
        if door is Open.ANYONE or door is Open.KEY:
            continue
        status, led_to, _ = await try_door(browser, method, address(pattern, {}), {"csrf_token": token})
        assert status == 303, f"{method} {pattern}: {status}"
        assert led_to.startswith("/login"), f"{method} {pattern}: {led_to}"


async def test_a_form_without_its_token_does_nothing_at_any_door(browser: Browser) -> None:
    await sign_in(browser, Role.ADMIN)
    for method, pattern in routes(browser.app):
        if method != "GET" and door_of(method, pattern) is not Open.KEY:
            status, _, _ = await try_door(browser, method, address(pattern, {}), {"name": "x"})
            assert status in (403, 404), f"{method} {pattern}: {status}"


async def try_all(browser: Browser, token: str, values: dict[str, str]) -> None:
    """Every door with another tenant's numbers in the path, the query and the form; none may show or do anything."""
    form = values | {
        "csrf_token": token,
        "reason": "x",
        "word": "confirmed",
        "line": "1",
        "enabled": "0",
        "kind": "monthly",
    }
    for method, pattern in routes(browser.app):
        if door_of(method, pattern) in (Open.KEY, Open.ANYONE):
            continue
        path = f"{address(pattern, values)}?merchant={values['merchant_id']}&lot={values['lot_id']}"
        status, _, text = await try_door(browser, method, path, form)
        assert status < 500, f"{method} {pattern}: {status}"
        assert SECRET not in text, f"{method} {pattern} shows another tenant's name"
        assert THEIR_PLATE not in text, f"{method} {pattern} shows another tenant's plate"


async def test_nothing_of_the_merchant_next_door_is_shown_or_changed(browser: Browser, stage: Stage) -> None:
    before = rows_of(stage.cloud, "merchant_id", stage.neighbour["merchant_id"])
    assert before["coupon"]
    token = await sign_in(browser, Role.MERCHANT)

    await try_all(browser, token, stage.neighbour)

    assert rows_of(stage.cloud, "merchant_id", stage.neighbour["merchant_id"]) == before


async def test_a_login_of_one_branch_sees_and_changes_nothing_of_its_merchant_or_the_one_next_door(
    browser: Browser, stage: Stage
) -> None:
    token = await sign_in(browser, Role.MERCHANT_BRANCH)
    tables = [rows_of(stage.cloud, "merchant_id", whose["merchant_id"]) for whose in (stage.own, stage.neighbour)]
    for whose in (stage.own, stage.neighbour):  # to give and hand out is a branch's own: without a car and a template
        known = {name: value for name, value in whose.items() if name not in ("stay_id", "template_id")}
        await try_all(browser, token, known)

    assert [
        rows_of(stage.cloud, "merchant_id", whose["merchant_id"]) for whose in (stage.own, stage.neighbour)
    ] == tables
    assert (await browser.get(f"/m/records/{stage.own['coupon_id']}")).status == 404
    assert "京A" not in await (await browser.get("/m/records")).text()


async def test_a_login_of_one_branch_gives_out_of_its_own_purse_alone(browser: Browser, stage: Stage) -> None:
    def fill(conn: Connection, act: Act) -> None:
        merchant_id = int(stage.own["merchant_id"])
        own = branches.add(conn, act, merchant_id, Plan("south door", own_purse=True))
        assert isinstance(own, int)
        assert branches.admit(conn, act, Role.MERCHANT_BRANCH.value, merchant_id, own) is None
        assert branches.fill(conn, act, own, Commodity.FEN, 700) is None
        assert branches.admit(conn, act, Role.MERCHANT_BRANCH.value, merchant_id) == Refused(
            "login_of_branch", {"login": Role.MERCHANT_BRANCH.value}
        )

    stage.cloud.db.run_here(fill, stage.cloud.act("admin"))
    token = await sign_in(browser, Role.MERCHANT_BRANCH)
    nowhere = (await browser.get("/m/issue")).status  # of two, none is chosen yet
    places = await (await browser.get("/m/places")).text()
    own_id = max(re.findall(r'name="branch_id" value="(\d+)"', places))
    chosen = {"merchant_id": stage.own["merchant_id"], "branch_id": own_id, "csrf_token": token}
    await try_door(browser, "POST", "/m/places", chosen)
    whole = await try_door(browser, "POST", "/m/places", chosen | {"branch_id": "0"})
    page = await (await browser.get("/m/issue")).text()
    gift = {"template_id": stage.own["template_id"], "stay_id": "s-own", "csrf_token": token}
    given = [(await try_door(browser, "POST", "/m/issue", gift))[0] for _ in range(2)]
    records = await (await browser.get("/m/records")).text()

    assert (nowhere, whole[0], "7.00" in page) == (403, 404, True)
    assert given == [303, 422]  # five yuan of seven
    assert records.count("京A") == 1


async def test_nothing_of_another_operator_is_shown_or_changed(browser: Browser, stage: Stage) -> None:
    stage.cloud.db.run_here(move_out)
    before = rows_of(stage.cloud, "operator_id", "2")
    assert before["coupon"]
    token = await sign_in(browser, Role.ADMIN)

    await try_all(browser, token, stage.stranger)

    assert rows_of(stage.cloud, "operator_id", "2") == before


async def test_a_lot_manager_sees_and_changes_nothing_of_another_lot_of_the_same_operator(
    browser: Browser, stage: Stage
) -> None:
    other = stage.own | another_lot(stage.cloud, Role.LOT_MANAGER)
    before = rows_of(stage.cloud, "lot_id", other["lot"])
    assert all(before[name] for name in ("stay", "debt", "incident", "booth_shift", "blocked_plate", "booth_person"))
    held = rows_of(stage.cloud, "operator_id", "1")
    token = await sign_in(browser, Role.LOT_MANAGER)

    for values in (other, {**other, "number": other["blocked"]}, {**other, "number": other["both"]}):
        await try_all(browser, token, values)

    by_itself = {"web_session", "app_user", "lot_day", "channel_row", "channel_version"}  # signing in, and jobs
    for column, value, old in (("lot_id", other["lot"], before), ("operator_id", "1", held)):
        after = rows_of(stage.cloud, column, value)
        assert [name for name in old if old[name] != after[name] and name not in by_itself] == []
    assert "777.00" not in await (await browser.get("/admin")).text()
    assert "both" in await (await browser.get("/admin/people")).text()  # it is for a lot of this manager too
    assert (await browser.get(f"/admin/people/{other['both']}")).status == 404  # but not its to change


async def test_a_lot_manager_runs_the_own_lot(browser: Browser, stage: Stage) -> None:
    another_lot(stage.cloud, Role.LOT_MANAGER)
    token = await sign_in(browser, Role.LOT_MANAGER)
    lot_id = stage.own["lot_id"]
    blocked = {"plate": "京C11112", "reason": "x", "lot_id": lot_id, "csrf_token": token}

    board = await (await browser.get("/admin")).text()
    opened = await try_door(
        browser, "POST", f"/admin/lots/{lot_id}/lanes/in/open", {"reason": "x", "csrf_token": token}
    )
    everywhere = await try_door(browser, "POST", "/admin/people/blocked", blocked | {"lot_id": ""})
    here = await try_door(browser, "POST", "/admin/people/blocked", blocked)

    assert "north lot" in board
    assert "京A·11111" in re.sub("<[^>]+>", "", await (await browser.get("/admin/cars")).text())
    assert (opened[0], everywhere[0], here[0]) == (303, 422, 303)


async def test_a_route_nobody_classified_stops_the_program_and_says_where_to_add_it() -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/admin/brand-new", page)

    with pytest.raises(UnguardedRouteError, match=r"cloud/web/doors.py[\s\S]*GET /admin/brand-new[\s\S]*allow\("):
        check(app)


def test_the_table_names_no_door_twice_and_none_that_is_gone(stage: Stage) -> None:
    ways = {f"{method} {path}" for method, path in routes(make_app(stage.cloud))}

    assert sorted(set(DOORS) - ways) == []
