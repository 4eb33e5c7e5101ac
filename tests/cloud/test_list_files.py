"""Lists as files: what a page shows is in the file, and nothing in it is ever a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl  # type: ignore[import-untyped]
import pytest

from cloud.coupons import plates
from cloud.coupons import service as coupons
from cloud.merchants import statements
from cloud.merchants.tables import merchant
from cloud.web.state import Cloud
from domain.events import VoucherRedeemed
from tests.cloud.test_leases import granted, issued
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in

__all__ = ["browser", "cloud", "hashed"]

EVIL = '=HYPERLINK("http://x")'


def fill(conn: object, cloud: Cloud) -> None:
    """A merchant whose name is a formula, with a lease, papers, a statement, and a plate without coupons."""
    world = _again(conn, cloud)  # type: ignore[arg-type]
    world.apply(issued(world, 7, granted(world)))
    world.apply(VoucherRedeemed("r7", world.key_id, 7, "s1", 400))
    world.conn.execute(merchant.update().values(name=EVIL))
    assert isinstance(plates.block(world.conn, world.act(), "沪B12345", EVIL), int)
    act = replace(cloud.act("x"), now_ms=cloud.now_ms() + 1)
    assert isinstance(statements.close(world.conn, act, world.merchant_id, act.now_ms, coupons.facts), int)


@pytest.mark.parametrize(
    ("who", "path", "shown", "rows"),
    [
        ("admin", "/admin/leases", f"'{EVIL}", 1),
        ("admin", "/admin/coupons/plates", f"'{EVIL}", 1),
        ("admin", "/admin/coupons/vouchers", f"'{EVIL}", 1),
        ("admin", "/admin/merchants/1/statements", "1", 1),
        ("admin", "/admin/coupons/often", "", 0),
        ("merchant", "/m/statements", "1", 1),
        ("merchant", "/m/records/vouchers", "-7", 1),
    ],
)
async def test_a_list_is_a_file_of_both_kinds_without_formulas(
    browser: Browser, cloud: Cloud, who: str, path: str, shown: str, rows: int
) -> None:
    cloud.db.run_here(fill, cloud)
    await sign_in(browser, who)

    page = await (await browser.get(path)).text()
    text = await browser.get(f"{path}.csv")
    book = await browser.get(f"{path}.xlsx")

    assert f"{path}.csv" in page
    found = list(csv.reader(io.StringIO((await text.read()).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(await book.read())).active
    cells = [[str(cell or "") for cell in row] for row in sheet.values]
    for lines in (found, cells):
        assert len(lines) >= 1 + rows
        assert any(shown in cell for line in lines for cell in line)
        assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)
