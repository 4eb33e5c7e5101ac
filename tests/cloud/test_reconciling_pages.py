"""The page of days over a real port: figures, differences worked off, files, who may."""

from __future__ import annotations

import csv

from sqlalchemy import Connection, update

from cloud.act import Act
from cloud.lots.tables import payment
from cloud.reconciling import service
from cloud.web.state import Cloud
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in, token_in  # noqa: F401
from tests.cloud.test_reconciling import TODAY, whole_day
from tests.cloud.world import NOW

DAYS = "/admin/payments/days"


def spoilt(cloud: Cloud) -> None:  # noqa: F811
    """A whole day, of which one payment was told wrongly; the next day has begun."""

    def fill(conn: Connection) -> None:
        whole_day(_again(conn, cloud))
        conn.execute(update(payment).where(payment.c.payment_id == "cash-1").values(amount_fen=599))

    cloud.db.run_here(fill)
    cloud.now_ms = lambda: NOW + 86_400_000


async def test_a_day_is_made_shown_worked_off_and_kept_as_a_file(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    spoilt(cloud)
    await sign_in(browser, "finance")

    status, page = await post(browser, DAYS, DAYS, lot_id="1", day=TODAY.isoformat())
    early, told = await post(browser, DAYS, DAYS, lot_id="1", day="2199-01-01")
    _, closed = await post(browser, DAYS, f"{DAYS}/differences", difference_id="1", reason="钱箱少了一分")
    everything = await (await browser.get(f"{DAYS}?all=1&lang=en")).text()
    kept = await (await browser.get(f"{DAYS}.csv")).text()
    xlsx = await browser.get(f"{DAYS}.xlsx")

    assert (status, "停车已付与收款不符" in page, "1 处差异" in page) == (200, True, True)
    assert (early, "还没有结束" in told) == (422, True)
    assert "没有差异" in closed
    assert ("钱箱少了一分" in everything, "Paid and payments differ" in everything) == (True, True)
    heads, *rows = csv.reader(kept.lstrip("\ufeff").splitlines())
    (row,) = [each for each in rows if each[0] == TODAY.isoformat()]
    assert len(heads) == len(row)
    assert row[1:9] == ["north lot", "5", "48.00", "9.00", "3.00", "29.00", "7.00", "28.99"]
    assert row[-2:] == ["0", "no bill"]
    assert xlsx.status == 200


async def test_who_only_looks_closes_and_makes_nothing(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    spoilt(cloud)

    def make(conn: Connection, act: Act) -> None:
        service.make(conn, act, 1, TODAY)

    cloud.db.run_here(make, cloud.act("service"))
    await sign_in(browser, "read_only")
    page = await (await browser.get(DAYS)).text()
    token = token_in(page)

    answers = [
        (await browser.post(path, data={"csrf_token": token, "difference_id": "1", "reason": "x"})).status
        for path in (DAYS, f"{DAYS}/differences")
    ]

    assert answers == [403, 403]
    assert 'name="reason"' not in page
