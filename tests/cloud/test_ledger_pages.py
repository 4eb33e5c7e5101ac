"""The ledger purse by purse on a merchant's page, a branch's own alone, and money files in words."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from sqlalchemy import Connection

from cloud.merchants import branches, leases
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.merchants.ending import ENDED
from cloud.web.state import Cloud
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in  # noqa: F401

ENGLISH = {"lg_lang": "en"}


def branch_filled(conn: Connection, cloud: Cloud) -> int:  # noqa: F811
    world = _again(conn, cloud)
    number = branches.add(world.conn, world.act(), world.merchant_id, Plan("south", own_purse=True))
    assert isinstance(number, int)
    assert branches.fill(world.conn, world.act(), number, Commodity.FEN, 1234) is None
    assert branches.admit(world.conn, world.act(), "merchant", world.merchant_id, number) is None
    return number


async def text(browser: Browser, path: str) -> str:  # noqa: F811
    answer = await browser.get(path, cookies=ENGLISH)
    assert answer.status == 200, path
    return await answer.text()


async def test_a_merchant_chooses_the_purse_and_a_branch_sees_its_own(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    number = cloud.db.run_here(branch_filled, cloud)
    await sign_in(browser, "merchant")
    own, of_branch = "/m/ledger", f"/m/ledger?account=branch:{number}"

    assert "Purse of branch south" in await text(browser, own)
    assert "branch south</td>" in await text(browser, own)
    assert "¥12.34" in await text(browser, of_branch)
    assert "−¥12.34" not in await text(browser, of_branch)
    assert "−¥12.34" in await text(browser, own)
    (row,) = list(csv.reader(io.StringIO(await text(browser, f"/m/ledger.csv?account=branch:{number}"))))[1:]
    assert "12.34" in row
    for other in ("branch:999", "recharge", "lease:1"):
        assert (await browser.get(f"/m/ledger?account={other}")).status == 404

    await post(browser, "/m/places", "/m/places", merchant_id="1", branch_id=str(number))
    shown = await text(browser, own)
    assert "¥12.34" in shown
    assert "−¥12.34" not in shown
    assert (await browser.get("/m/ledger?account=available")).status == 404
    assert (await browser.get("/m/ledger.csv?account=available")).status == 404


async def test_who_books_by_itself_is_told_in_words_and_an_allowance_by_its_lot(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    def filled(conn: Connection) -> str:
        world = _again(conn, cloud)
        merchants.top_up(conn, replace(world.act(), by="payments"), world.merchant_id, Commodity.FEN, 700, 0, ENDED)
        leases.grant(conn, replace(world.act(), by="cloud"), world.edge_id, world.merchant_id, Commodity.FEN)
        return str(conn.exec_driver_sql("SELECT name FROM lot ORDER BY lot_id").scalars().first())

    lot = cloud.db.run_here(filled)
    await sign_in(browser, "finance")

    books = await text(browser, "/admin/books")

    assert "<td>online payment</td>" in books
    assert "<td>the system</td>" in books
    assert "service at the lot ended</td>" in books
    assert f"<td>{lot} <span" in await text(browser, "/admin/leases")
    rows = list(csv.reader(io.StringIO(await text(browser, "/admin/books.csv"))))
    assert {"online payment", "the system"} <= {row[9] for row in rows}


async def test_the_file_of_the_books_is_in_words(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    cloud.db.run_here(branch_filled, cloud)
    await sign_in(browser, "finance")

    heads, *rows = csv.reader(io.StringIO(await text(browser, "/admin/books.csv")))

    assert heads[0].lstrip("\ufeff") == "Number"
    assert heads[1:3] == ["When", "Merchant"]
    assert rows
    newest = next(row for row in rows if row[5].startswith("Purse of branch"))
    assert newest[1][4] == "-"
    assert newest[8] in ("12.34", "'-12.34")
    assert "FEN" not in newest
    assert "PAID" not in newest
