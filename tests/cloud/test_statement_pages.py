"""A postpaid merchant's statement on the pages of both sides."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from cloud.coupons import service as coupons
from cloud.web.state import Cloud
from domain.events import CouponRedeemed
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in
from tests.cloud.test_statements import DAY_MS, give, postpaid, stated

__all__ = ["browser", "cloud", "hashed"]


def _used(conn: Connection, cloud: Cloud) -> tuple[int, int]:
    """A postpaid merchant with a statement of one coupon; (merchant, statement)."""
    world = _again(conn, cloud)
    merchant_id = postpaid(world)
    world.car("s9")
    given = give(world, stay="s9")
    assert isinstance(given, coupons.Issued)
    world.apply(CouponRedeemed("r9", given.coupon_id, "s9", 300))
    world.now_ms += DAY_MS
    return merchant_id, stated(world)


async def test_the_operator_confirms_corrects_and_is_paid_on_the_pages(browser: Browser, cloud: Cloud) -> None:
    merchant_id, number = cloud.db.run_here(lambda conn: _used(conn, cloud))
    await sign_in(browser, "finance")
    at, one = f"/admin/merchants/{merchant_id}/statements", f"/admin/statements/{number}"

    listed = await (await browser.get(at)).text()
    early, said = await post(browser, one, f"{one}/pay", note="")
    status, page = await post(browser, one, f"{one}/say", word="confirmed")
    corrected = await post(browser, one, f"{one}/correct", line="1", back="2.00", reason="agreed")
    table = await (await browser.get(f"{one}.csv")).text()

    assert f'href="{one}"' in listed
    assert early == 422
    assert "1 行没有双方确认" in said
    assert (status, corrected[0]) == (200, 200)
    assert "已确认" in page
    assert re.search(r"核销优惠券.*,5\.00,金额,已确认", table)
    assert not re.search(r"FEN|coupon\.|confirmed|happened_ms|reduced_fen", table)


async def test_a_merchant_sees_its_own_statements_and_nobody_elses(browser: Browser, cloud: Cloud) -> None:
    _, number = cloud.db.run_here(lambda conn: _used(conn, cloud))  # another merchant's
    await sign_in(browser, "merchant")

    own = await browser.get("/m/statements")
    foreign = [(await browser.get(f"/m/statements/{number}{end}")).status for end in ("", ".csv")]
    status, _ = await post(browser, "/m/statements", f"/m/statements/{number}/say", word="confirmed")
    operators = await browser.get(f"/admin/statements/{number}")

    assert own.status == 200
    assert [*foreign, status, operators.status] == [404, 404, 404, 403]
