"""Branches on the operator's pages, and a login that switches between what it may act for."""

from __future__ import annotations

import re

from cloud.merchants import branches
from cloud.merchants.branches import Plan
from cloud.web.state import Cloud
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in

__all__ = ["browser", "cloud", "hashed"]


async def test_a_login_switched_to_a_branch_sees_no_more_than_the_branch(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    at = "/admin/merchants/1/branches"
    added = await post(browser, at, at, name="南门店", purse="own", month_fen="0", month_min="0")
    filled = await post(browser, at, f"{at}/1/fill", way="in", commodity="FEN", amount="12.34")
    admitted = await post(browser, at, f"{at}/members", login="merchant", branch_id="1")
    stranger = await post(browser, at, f"{at}/members", login="nobody", branch_id="1")
    browser.session.cookie_jar.clear()
    await sign_in(browser, "merchant")

    switched = await post(browser, "/m/places", "/m/places", merchant_id="1", branch_id="1")
    elsewhere = await post(browser, "/m/places", "/m/places", merchant_id="1", branch_id="2")
    closed = [(await browser.get(page)).status for page in ("/m/staff", "/m/statements", "/m/shop", "/m/top-up")]
    open_ = [
        (await browser.get(page)).status
        for page in ("/m", "/m/issue", "/m/records/usage", "/m/records/discounts", "/m/records")
    ]

    assert [added[0], filled[0], admitted[0], stranger[0]] == [200, 200, 200, 422]
    assert "南门店" in switched[1]
    assert "¥12.34" in switched[1]
    assert [f'href="{page}"' in switched[1] for page in ("/m/codes", "/m/print", "/m/posters")] == [True] * 3
    assert "/m/staff" not in switched[1]
    assert elsewhere[0] == 404
    assert (closed, open_) == ([403, 403, 403, 403], [200, 200, 200, 200, 200])


async def test_taking_a_login_off_ends_its_session(browser: Browser, cloud: Cloud) -> None:
    def admitted(conn: object) -> int:
        world = _again(conn, cloud)  # type: ignore[arg-type]
        branch_id = branches.add(world.conn, world.act(), world.merchant_id, Plan("south"))
        assert isinstance(branch_id, int)
        assert branches.admit(world.conn, world.act(), "merchant", world.merchant_id, branch_id) is None
        return branch_id

    branch_id = cloud.db.run_here(admitted)
    await sign_in(browser, "merchant")

    user_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT user_id FROM membership").scalar_one())
    cloud.db.run_here(lambda conn: branches.dismiss(conn, cloud.act("x"), user_id, 1, branch_id))

    assert (await browser.get("/m", allow_redirects=False)).status == 303


async def test_a_login_made_for_one_branch_is_there_at_once_and_nowhere_else(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    at = "/admin/merchants/1/branches"
    await post(browser, at, at, name="南门店", purse="own", month_fen="0", month_min="0")
    status, page = await post(browser, at, f"{at}/1/logins", name="小王")
    login, password = re.findall(r"<code>([^<]+)</code>", page)[:2]
    user_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT user_id FROM membership").scalar_one())
    renewed = await post(browser, at, f"{at}/members/password", user_id=str(user_id))
    stranger = await post(browser, at, "/admin/merchants/2/branches/members/password", user_id=str(user_id))
    (password,) = re.findall(r"<code>([^<]+)</code>", renewed[1])[1:2]
    browser.session.cookie_jar.clear()
    await post(browser, "/login", "/login", account=login, password=password)
    fresh = {"old": password, "new": "eight cars left", "again": "eight cars left"}

    _, home = await post(browser, "/password", "/password", **fresh)

    assert (status, renewed[0]) == (200, 200)
    assert stranger[0] in (404, 422)
    assert "南门店" in home
    assert "/m/ledger" in home
    closed = (
        "/m/statements",
        "/m/shop",
        "/m/staff",
        "/m/records/vouchers",
        "/admin",
    )
    for path in closed:
        assert (await browser.get(path)).status == 403, path
