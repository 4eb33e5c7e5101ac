"""The shop on the pages of both sides."""

from __future__ import annotations

import re

from cloud.web.state import Cloud
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in

__all__ = ["browser", "cloud", "hashed"]

PRODUCT = {"name": "5 元券", "kind": "AMOUNT", "value": "5", "unit": "4.00", "most": "100", "months": "12",
           "hours": "24", "lot_id": "0", "meaning": "end", "cap": "0"}  # fmt: skip


async def _sold(browser: Browser, quantity: str) -> tuple[int, str]:
    """A product is put up for sale, and the merchant orders so many."""
    await sign_in(browser, "finance")
    assert (await post(browser, "/admin/shop", "/admin/shop", **PRODUCT))[0] == 200
    await sign_in_again(browser, "merchant")
    return await post(browser, "/m/shop/1", "/m/shop/1", quantity=quantity)


async def sign_in_again(browser: Browser, account: str) -> None:
    browser.session.cookie_jar.clear()
    await sign_in(browser, account)


async def test_a_quantity_above_the_cap_is_refused_in_the_manuals_words(browser: Browser) -> None:
    status, page = await _sold(browser, "101")

    assert status == 422
    assert "商户最多只能购买100张，生成支付二维码失败，请刷新页面重试" in page
    assert 'value="101"' in page


async def test_what_is_paid_at_the_office_is_stock_that_can_be_given_and_refunded(browser: Browser) -> None:
    status, _ = await _sold(browser, "3")
    assert status == 200
    await sign_in_again(browser, "finance")
    paid = await post(browser, "/admin/shop/purchases", "/admin/shop/purchases/1/paid")
    twice = await post(browser, "/admin/shop/purchases", "/admin/shop/purchases/1/paid")
    much = await post(browser, "/admin/shop/purchases", "/admin/shop/purchases/1/refund", count="4", reason="closing")
    back = await post(browser, "/admin/shop/purchases", "/admin/shop/purchases/1/refund", count="1", reason="closing")
    await sign_in_again(browser, "merchant")
    shop = await (await browser.get("/m/shop?show=bought")).text()
    table = await (await browser.get("/m/shop?view=table&show=not_bought")).text()
    saved = await (await browser.get("/m/shop/purchases.csv")).text()
    home = await (await browser.get("/m")).text()

    assert [paid[0], twice[0], much[0], back[0]] == [200, 422, 422, 200]
    assert re.search(r"库存</dt><dd>2 ", shop)
    assert "5 元券" not in table
    assert "5 元券" in home
    assert re.search(r"1,5 元券,金额券,5.00,3,4.00,12.00,已付款,2,", saved)


async def test_coupons_asked_back_above_the_limit_wait_for_another_person(browser: Browser, cloud: Cloud) -> None:
    object.__setattr__(cloud.settings.payments, "refund_limit_fen", 700)
    await _sold(browser, "3")
    await sign_in_again(browser, "finance")
    at = "/admin/shop/purchases"
    await post(browser, at, f"{at}/1/paid")
    asked = await post(browser, at, f"{at}/1/refund", count="2", reason="closing")
    own = await post(browser, at, f"{at}/1/decide", agreed="1")
    await sign_in_again(browser, "admin")
    offered = await (await browser.get(at)).text()
    agreed = await post(browser, at, f"{at}/1/decide", agreed="1")

    assert (asked[0], own[0], agreed[0]) == (200, 422, 200)
    assert "申请退 2 张，待同意" in asked[1]
    assert f"{at}/1/decide" not in asked[1]
    assert f"{at}/1/decide" in offered
    assert "退 2 张，待支付" in agreed[1]


async def test_the_lists_are_workbooks_too(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "finance")
    for path in ("/admin/shop.xlsx", "/admin/shop/purchases.xlsx"):
        body = await (await browser.get(path)).read()
        assert body.startswith(b"PK"), path
