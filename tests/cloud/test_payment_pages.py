"""The operator's pages of payments: seen in both languages, refunds by two people, bills and invoices worked on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.app import make_app
from cloud.paid import DUTIES
from cloud.payments import bills, orders
from cloud.payments.orders import PayOrder
from cloud.payments.provider import Outcome, State
from cloud.web.state import Cloud
from tests.cloud.paying import Till, pay
from tests.cloud.test_bills import DAY, line
from tests.cloud.test_pages import Browser, _again, cloud, hashed, post, sign_in
from tests.cloud.test_payments import wanted

__all__ = ["cloud", "hashed"]

LIST = "/admin/payments"
PAGES = (LIST, f"{LIST}/bills", f"{LIST}/bills?all=1", f"{LIST}/invoices", f"{LIST}/accounts")


@pytest.fixture
def till() -> Till:
    return Till("wechat")


@pytest.fixture
async def browser(cloud: Cloud, till: Till) -> AsyncIterator[Browser]:
    app = make_app(cloud, {"wechat": till})
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def _paid(conn: Connection, cloud: Cloud) -> PayOrder:
    world = _again(conn, cloud)
    order = wanted(world)
    pay(conn, world.act(), DUTIES, order, "wechat")
    (row,) = orders.tries(conn, order.order_id)
    bills.take(conn, world.act(), DUTIES, row["account_id"], DAY, [line("foreign", 700, 9)], 6)
    return order


async def test_every_page_shows_empty_and_full_in_both_languages(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    for page in PAGES:
        assert (await browser.get(page)).status == 200, page
    order = cloud.db.run_here(_paid, cloud)
    asked = f"{order.cashier_path}/invoice"
    await post(browser, asked, asked, title="面馆", email="a@b.cn")
    await post(browser, f"{LIST}/{order.order_id}", f"{LIST}/{order.order_id}/refund", yuan="1.00", reason="kind")
    for language in ("zh-CN", "en"):
        for page in (*PAGES, f"{LIST}/{order.order_id}", f"{LIST}?q={order.order_id}", asked, order.cashier_path):
            answer = await browser.get(page, cookies={"lg_lang": language})
            assert answer.status == 200, (page, await answer.text())
    table = await (await browser.get(f"{LIST}.csv?q={order.order_id}")).text()
    assert "50.00" in table


async def test_a_large_refund_goes_back_only_when_a_second_person_agrees(browser: Browser, cloud: Cloud) -> None:
    order = cloud.db.run_here(_paid, cloud)
    object.__setattr__(cloud.settings.payments, "refund_limit_fen", 2_000)
    page = f"{LIST}/{order.order_id}"
    await sign_in(browser, "finance")
    first = await post(browser, page, f"{page}/refund", yuan="30", reason="too much")
    found = re.search(r"等另一个人同意", first[1])
    refund_id = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT refund_id FROM pay_refund").scalar_one())
    alone = await post(browser, page, f"{page}/decide", refund_id=refund_id, agreed="1")
    browser.session.cookie_jar.clear()
    await sign_in(browser, "admin")
    agreed = await post(browser, page, f"{page}/decide", refund_id=refund_id, agreed="1")

    assert found is not None
    assert (first[0], alone[0], agreed[0]) == (200, 422, 200)
    assert "由另一个人同意" in alone[1] or "要由另一个人同意" in alone[1]
    assert "待发出" in agreed[1]


async def test_a_difference_and_an_invoice_are_worked_off(browser: Browser, cloud: Cloud) -> None:
    order = cloud.db.run_here(_paid, cloud)
    asked, listed = f"{order.cashier_path}/invoice", f"{LIST}/invoices"
    wrong = await post(browser, asked, asked, title="面馆", email="nowhere")
    await post(browser, asked, asked, title="面馆", email="a@b.cn")
    await sign_in(browser, "finance")
    page = await (await browser.get(listed)).text()
    action = re.search(r'action="(/admin/payments/invoices/[^"]+)"', page)
    assert action is not None
    issued = await post(browser, listed, action.group(1), act="issue", text="24312000000000000001")
    differences = await (await browser.get(f"{LIST}/bills")).text()
    number = re.search(r'name="difference_id" value="(\d+)"', differences)
    assert number is not None
    closed = await post(browser, f"{LIST}/bills", f"{LIST}/differences", difference_id=number.group(1), reason="theirs")

    assert wrong[0] == 422
    assert "已开票" in issued[1]
    assert closed[0] == 200
    assert "24312000000000000001" in await (await browser.get(asked)).text()


async def test_a_code_is_taken_on_the_orders_page(browser: Browser, cloud: Cloud, till: Till) -> None:
    order = cloud.db.run_here(lambda conn: wanted(_again(conn, cloud)))
    await sign_in(browser, "finance")
    page = f"{LIST}/{order.order_id}"

    unknown = await post(browser, page, f"{page}/code", code="999")
    till.says["code"] = Outcome(State.PAID, order.amount_fen)
    taken = await post(browser, page, f"{page}/code", code="13 0000 0000 0000 0000")

    assert (unknown[0], taken[0]) == (422, 200)
    assert "已收款" in taken[1]
