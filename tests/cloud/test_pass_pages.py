"""Months of monthly passes over a real port: priced by the operator, offered to a driver, taken at the desk."""

from __future__ import annotations

import re
from dataclasses import replace

from aiohttp import ClientSession, CookieJar
from sqlalchemy import Connection

from cloud.act import Act
from cloud.members import extending, service
from cloud.members.terms import Terms
from cloud.paid import DUTIES
from cloud.payments import orders
from cloud.web.state import Cloud
from domain.entitlement import Grant
from tests.cloud.paying import pay
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in, token_in  # noqa: F401
from tests.cloud.world import NOW

PLATE, DAY = "京A12345", 86_400_000
ENDS = 1_780_243_200_000  # 1 June 2026 at the lot
PASSES = "/admin/people/passes"


def with_card(cloud: Cloud) -> int:  # noqa: F811
    def write(conn: Connection, act: Act) -> int:
        terms = Terms(Grant.MONTHLY, "陈先生", (PLATE,), ((1, ""),), begins_ms=NOW - 20 * DAY, ends_ms=ENDS)
        made = service.add(conn, act, replace(terms, phone="13800000000"))
        assert isinstance(made, int)
        return made

    return cloud.db.run_here(write, cloud.act("admin"))


def paid(cloud: Cloud, path: str) -> None:  # noqa: F811
    """Have the order of a cashier's page paid."""

    def settle(conn: Connection, act: Act) -> None:
        order = orders.get(conn, act.operator_id, path.rpartition("/")[2])
        assert order is not None
        assert pay(conn, act, DUTIES, order) == "done"

    cloud.db.run_here(settle, cloud.act("payments"))


def ends(cloud: Cloud, number: int) -> int:  # noqa: F811
    held = cloud.db.run_here(service.get, cloud.operator_id, number)
    assert held is not None
    return int(held.row["ends_ms"])


async def asked(phone: ClientSession, plate: str, path: str = "/pay/1") -> tuple[str, str]:
    """Where a typed plate leads, and the page."""
    token = token_in(await (await phone.get("/pay/1")).text())
    async with phone.post(path, data={"text": plate, "csrf_token": token}) as answer:
        return str(answer.url.path), await answer.text()


async def test_a_driver_pays_a_month_where_the_operator_offers_it(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    number = with_card(cloud)
    await sign_in(browser, "admin")
    async with ClientSession(browser.make_url("/"), cookie_jar=CookieJar(unsafe=True)) as phone:
        _, before = await asked(phone, PLATE)
        status, page = await post(browser, PASSES, PASSES, lot_id="1", yuan="300")
        _, shown = await asked(phone, PLATE)
        _, stranger = await asked(phone, "京B88888")
        cashier, _ = await asked(phone, PLATE, "/pay/1/pass")
        paid(cloud, cashier)
        after, _ = await asked(phone, PLATE, "/pay/1/pass")

    assert (status, "¥300.00" in page) == (200, True)
    assert ("data-offer" in before, "data-offer" in stranger) == (False, False)
    assert 'data-offer="30000"' in shown
    assert "有效至 2026-06-30" in shown
    assert ("陈先生" in shown, "13800000000" in shown) == (False, False)
    assert cashier.startswith("/payments/")
    assert ends(cloud, number) == ENDS + 30 * DAY
    assert after == "/pay/1"  # nothing more is offered until that ends too
    assert "陈先生" in await (await browser.get(PASSES)).text()


async def test_the_desk_takes_a_month_and_a_refund_takes_it_back(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    number = with_card(cloud)
    cloud.db.run_here(extending.set_price, cloud.act("admin"), 1, 15_000)
    await sign_in(browser, "admin")
    at = f"/admin/people/{number}"
    form = await (await browser.get(f"{at}?lang=en")).text()
    token = token_in(form)
    async with browser.post(f"{at}/extend", data={"csrf_token": token}) as answer:
        cashier = str(answer.url.path)
    paid(cloud, cashier)
    assert ends(cloud, number) == ENDS + 30 * DAY
    order = cashier.rpartition("/")[2]

    page = f"/admin/payments/{order}"
    names = re.findall(r'action="([^"]+/refund)"', await (await browser.get(page)).text())
    status, told = await post(browser, page, names[0], yuan="150", reason="卖车")

    assert "Take ¥150.00 online" in form
    assert status == 200, told
    assert ends(cloud, number) == ENDS
    assert "refunded, taken back" in await (await browser.get(at)).text()


async def test_who_may_not_take_money_sets_no_price_and_begins_no_month(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    number = with_card(cloud)
    cloud.db.run_here(extending.set_price, cloud.act("admin"), 1, 30_000)
    await sign_in(browser, "read_only")
    token = token_in(await (await browser.get("/admin")).text())

    answers = [
        (await browser.post(path, data={"csrf_token": token, "lot_id": "1", "yuan": "1"})).status
        for path in (PASSES, f"/admin/people/{number}/extend")
    ]
    looked = await browser.get(PASSES)

    assert (answers, looked.status) == ([403, 403], 200)
    assert 'name="yuan"' not in await looked.text()
