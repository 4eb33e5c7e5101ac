"""Lists as files: what a page shows is in the file, and nothing in it is ever a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import insert, select

from cloud.access import service as access
from cloud.access import staff
from cloud.access.roles import Role
from cloud.act import Refused
from cloud.coupons import codes, plates
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon_template
from cloud.lots.tables import stay
from cloud.merchants import statements
from cloud.merchants.tables import merchant
from cloud.paid import DUTIES
from cloud.payments import invoices
from cloud.payments.tables import pay_account, pay_bill, pay_difference
from cloud.web.state import Cloud
from domain.events import IncidentRaised, StayClosed, VisitorAdded, VoucherRedeemed
from tests.cloud.paying import pay
from tests.cloud.test_leases import granted, issued
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in
from tests.cloud.test_payments import wanted
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]

ON_PAGE = {"/admin/payments/differences": "/admin/payments/bills"}
EVIL = '=HYPERLINK("http://x")'


def fill(conn: object, cloud: Cloud) -> None:
    """A merchant whose name is a formula, with a lease, papers, a statement, and a plate without coupons."""
    world = _again(conn, cloud)  # type: ignore[arg-type]
    world.apply(issued(world, 7, granted(world)))
    world.apply(VoucherRedeemed("r7", world.key_id, 7, "s1", 400))
    world.conn.execute(merchant.update().values(name=EVIL))
    assert isinstance(plates.block(world.conn, world.act(), "沪B12345", EVIL), int)
    _furnish(world)
    act = replace(cloud.act("x"), now_ms=cloud.now_ms() + 1)
    assert isinstance(statements.close(world.conn, act, world.merchant_id, act.now_ms, coupons.facts), int)


def _furnish(world: World) -> None:
    """Cars, incidents, people, codes and the payments' book, each with a formula where somebody may write one."""
    conn, act, own = world.conn, world.act(), {"operator_id": world.operator_id}
    world.apply(IncidentRaised("barrier_fault", "out", EVIL))
    world.car("s-in", "京C12345")
    world.car("s-out", "京C54321")
    conn.execute(stay.update().values(entry_lane=EVIL))
    world.apply(StayClosed("s-out", "out", "京C54321", "FREE", "", 0, 0, 0, 0, 0, "d-out", "t"))
    world.apply(VisitorAdded("v1", "京B12345", EVIL, world.now_ms, world.now_ms + 1, "li"))
    access.create_user(conn, act, "li.wei", EVIL, Role.FINANCE, "hash")
    assert not isinstance(staff.create(conn, act, world.merchant_id, "123456789", EVIL, "hash", staff.Daily()), Refused)
    template_id = world.template()
    conn.execute(coupon_template.update().values(name=EVIL))
    for begin in (codes.open_screen, codes.print_papers):
        assert isinstance(begin(conn, act, world.merchant_id, template_id, 0, 2, world.lot_id), str)
    order = wanted(world)
    pay(conn, act, DUTIES, order)
    assert isinstance(invoices.request(conn, act, order.order_id, EVIL, "", "a@b.cn"), str)
    account_id = conn.execute(select(pay_account.c.account_id)).scalar_one()
    of_day = {**own, "account_id": account_id, "day": "2026-05-28"}
    sums = ("lines", "paid_fen", "refunded_fen", "fee_fen", "ours_paid_fen", "ours_refunded_fen", "taken_ms")
    conn.execute(insert(pay_bill).values(**of_day, **dict.fromkeys(sums, 0)))
    told = {"kind": "amount", "number": EVIL, "refund_id": "", "ours_fen": 1, "theirs_fen": 2}
    conn.execute(insert(pay_difference).values(**of_day, **told, closed_by="", reason=""))


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
        ("admin", "/admin/cars", "京C12345", 1),
        ("admin", "/admin/cars?state=gone", f"'{EVIL}", 1),
        ("admin", "/admin/incidents", f"'{EVIL}", 1),
        ("admin", "/admin/people/booth-visitors", f"'{EVIL}", 1),
        ("admin", "/admin/accounts", f"'{EVIL}", 2),
        ("admin", "/admin/payments/invoices", f"'{EVIL}", 1),
        ("admin", "/admin/payments/bills", "till", 1),
        ("admin", "/admin/payments/differences", f"'{EVIL}", 1),
        ("merchant", "/m/codes", f"'{EVIL}", 1),
        ("merchant", "/m/print", f"'{EVIL}", 2),
        ("merchant", "/m/staff", f"'{EVIL}", 1),
    ],
)
async def test_a_list_is_a_file_of_both_kinds_without_formulas(
    browser: Browser, cloud: Cloud, who: str, path: str, shown: str, rows: int
) -> None:
    cloud.db.run_here(fill, cloud)
    await sign_in(browser, who)

    path, mark, query = path.partition("?")
    page = await (await browser.get(ON_PAGE.get(path, path) + mark + query)).text()
    text = await browser.get(f"{path}.csv{mark}{query}")
    book = await browser.get(f"{path}.xlsx{mark}{query}")

    assert f"{path}.csv{mark}{query}" in page
    found = list(csv.reader(io.StringIO((await text.read()).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(await book.read())).active
    cells = [[str(cell or "") for cell in row] for row in sheet.values]
    for lines in (found, cells):
        assert len(lines) >= 1 + rows
        assert any(shown in cell for line in lines for cell in line)
        assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)
