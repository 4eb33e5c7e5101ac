"""Debts on the operator's pages: listed by state, with their history, exported, masked where plates are not needed."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from cloud.sheets import read_xlsx
from cloud.web.state import Cloud
from domain import events
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in  # noqa: F401

PLATE = "京A12345"


@pytest.fixture
def owing(cloud: Cloud) -> Cloud:  # noqa: F811
    def fill(conn: Connection) -> None:
        world = _again(conn, cloud)
        world.car("s1")
        world.apply(events.StayClosed("s1", "out", PLATE, "UNPAID", "tailgate", 500, 0, 0, 0, 500, "d2", "mall"))
        world.apply(events.DebtRecorded("x1", "s1", PLATE, 500))
        world.apply(events.DebtMoved("m1", "x1", "paid", 200, "p1", "li", "at the booth"))

    cloud.db.run_here(fill)
    return cloud


async def page(browser: Browser, path: str, language: str = "en") -> str:  # noqa: F811
    answer = await browser.get(path, cookies={"lg_lang": language})
    assert answer.status == 200, (path, await answer.text())
    return await answer.text()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_debt_is_listed_with_what_is_left_and_what_became_of_it(
    browser: Browser,  # noqa: F811
    owing: Cloud,
    language: str,
) -> None:
    await sign_in(browser, "admin")

    listed = await page(browser, "/admin/arrears?q=123", language)
    one = await page(browser, "/admin/arrears/x1", language)

    assert "¥3.00" in listed
    assert "/admin/arrears/x1" in listed
    assert "at the booth" in one
    assert "/admin/arrears/x1" not in await page(browser, "/admin/arrears?q=999", language)
    assert "/admin/arrears/x1" not in await page(browser, "/admin/arrears?state=settled", language)
    assert (await browser.get("/admin/arrears/none")).status == 404


async def test_the_export_masks_plates_for_who_has_no_need_of_them(browser: Browser, owing: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")
    whole = await (await browser.get("/admin/arrears.csv")).text()
    sheet = read_xlsx(await (await browser.get("/admin/arrears.xlsx")).read(), 10, 10)
    await sign_in(browser, "read_only")
    masked = await (await browser.get("/admin/arrears.csv")).text()

    assert PLATE in whole
    assert "3.00" in whole
    assert sheet[1][0] == PLATE
    assert PLATE not in masked
    assert PLATE not in await page(browser, "/admin/arrears")
