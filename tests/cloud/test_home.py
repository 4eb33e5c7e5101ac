"""The merchant's first page: its templates as cards or a table, each with ways to give it, and its own low limits."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from cloud.access import audit
from cloud.act import Refused
from cloud.merchants import service as merchants
from cloud.web.state import Cloud
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]


def test_each_merchant_is_warned_by_its_own_limit(world: World) -> None:
    warned = []
    for fen, minutes in ((None, None), (12_001, None), (12_000, 601), (0, 600)):
        assert merchants.set_low(world.conn, world.act(), world.merchant_id, fen, minutes) is None
        warned.append([row["commodity"] for row in merchants.low(world.conn, world.operator_id)])

    assert warned == [[], ["FEN"], ["MIN"], []]
    assert [
        merchants.set_low(world.conn, world.act(), world.merchant_id, -1, None),
        merchants.set_low(world.conn, world.act(), 99, 1, 1),
    ] == [Refused("amount_malformed"), Refused("merchant_unknown")]
    row = next(row for row in audit.listed(world.conn, world.operator_id).items if row["act"] == "merchant.low_set")
    assert json.loads(row["before"]) == {"low_fen": 12_000, "low_min": 601, "suggest_fen": 0}
    assert json.loads(row["after"]) == {"low_fen": 0, "low_min": 600, "suggest_fen": 0}


def two_templates(cloud: Cloud) -> list[int]:
    def fill(conn: Connection) -> list[int]:
        world = _again(conn, cloud)
        world.car("s1")
        return [world.template(), world.template("AMOUNT", 900)]

    return cloud.db.run_here(fill)


async def text(browser: Browser, path: str) -> str:
    answer = await browser.get(path, cookies={"lg_lang": "zh-CN"})
    assert answer.status == 200, path
    return await answer.text()


async def test_a_card_leads_to_giving_that_coupon_to_a_car_or_a_phone_or_on_paper(
    browser: Browser, cloud: Cloud
) -> None:
    five, nine = two_templates(cloud)
    await sign_in(browser, "merchant")

    home, table = await text(browser, "/m"), await text(browser, "/m?view=table")
    issue = await text(browser, f"/m/issue?template={five}&q=京A12345")

    assert "使用此券" in home
    assert "切换成表格" in home
    assert "切换成卡片" in table
    for way in ("issue", "codes", "print"):
        assert f'href="/m/{way}?template={nine}"' in home
        page = await text(browser, f"/m/{way}?template={five}&q=京A12345")
        assert f'name="template_id" value="{five}"' in page
        assert f'name="template_id" value="{nine}"' not in page
        assert f'value="{nine}"' in await text(browser, f"/m/{way}?template=999&q=京A12345")
    assert "优惠车辆" in issue


async def test_the_merchant_and_its_operator_set_below_what_it_is_warned(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "merchant")

    status, page = await post(browser, "/m", "/m/low", low_yuan="200", low_minutes="")
    wrong, _ = await post(browser, "/m", "/m/low", low_yuan="some", low_minutes="")
    browser.session.cookie_jar.clear()
    await sign_in(browser, "finance")
    (merchant_id,) = cloud.db.run_here(lambda conn: [row["merchant_id"] for row in merchants.everyone(conn, 1)])
    one = f"/admin/merchants/{merchant_id}"
    set_back, _ = await post(browser, one, f"{one}/low", low_yuan="0", low_minutes="30")

    assert (status, wrong, set_back) == (200, 422, 200)
    assert "金额余额偏低" in page
    row = cloud.db.run_here(lambda conn: merchants.get(conn, 1, merchant_id))
    assert row is not None
    assert (row["low_fen"], row["low_min"]) == (0, 30)
