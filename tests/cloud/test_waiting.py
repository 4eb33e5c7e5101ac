"""One list of everything that waits for the office or for a second person's word."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from cloud.coupons import service as coupons
from cloud.merchants import statements
from cloud.paid import DUTIES
from cloud.payments import giving_back, invoices, paying_out
from cloud.payments.tables import pay_account, pay_difference
from cloud.shop import buying, products
from cloud.shop.products import Product
from cloud.waiting.service import everything
from cloud.web.state import Cloud
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in
from tests.cloud.test_paying_back import ask, asked_of, decide, topped_up
from tests.cloud.test_statements import give, use
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]


def kinds(world: World) -> list[str]:
    return [item.kind for item in everything(world.conn, world.operator_id)]


def test_a_refund_waits_in_the_list_until_the_second_person_has_spoken(world: World) -> None:
    order_id = topped_up(world, 3_000)
    assert ask(world, 7_000, limit_fen=500) is None

    found = {item.kind: item for item in everything(world.conn, world.operator_id)}
    assert decide(world, "wang", agreed=False) is None
    rest = kinds(world)
    refund_id = asked_of(world, order_id)
    assert giving_back.decide(world.conn, world.act("wang"), DUTIES, refund_id, agreed=True) is None

    assert sorted(found) == ["purse_asked", "refund_asked"]
    assert (found["refund_asked"].amount, found["purse_asked"].amount) == (3_000, 4_000)
    assert {(item.by, item.since_ms) for item in found.values()} == {("li", world.now_ms)}
    assert len({item.merchant for item in found.values()}) == 1
    assert rest == ["refund_asked"]
    assert kinds(world) == []


def test_coupons_paid_at_the_office_wait_there_too(world: World) -> None:
    act = world.act("li")
    offered = products.offer(world.conn, act, Product("two hours", "DURATION", 120, 500, 0, 1))
    assert isinstance(offered, int)
    bought = buying.order(world.conn, act, world.merchant_id, offered, 10)
    purchase_id = bought["purchase_id"]  # type: ignore[index]
    assert buying.settle_here(world.conn, act, purchase_id) is None
    assert isinstance(buying.refund(world.conn, act, purchase_id, 4, "closing", 100), int)

    (item,) = everything(world.conn, world.operator_id)

    assert (item.kind, item.amount, item.commodity, item.by) == ("stock_asked", 2_000, Commodity.FEN.value, "li")
    assert item.since_ms == world.now_ms
    assert buying.decide(world.conn, world.act("wang"), purchase_id, agreed=True) is None
    (due,) = everything(world.conn, world.operator_id)
    assert (due.kind, due.amount, due.by, due.page) == (
        "payout_due",
        2_000,
        "wang",
        "/admin/payments/payouts?state=due",
    )
    assert due.merchant == item.merchant
    assert paying_out.hand_over(world.conn, world.act("zhao"), DUTIES, int(due.about), "cash") is None
    assert kinds(world) == []


def test_invoices_disputes_and_differences_wait_for_the_office(world: World) -> None:
    conn, act = world.conn, world.act("li")
    asked = invoices.request(conn, act, topped_up(world, 3_000), "a company", "", "a@b.cn")
    assert isinstance(asked, str)
    world.car("s1")
    use(world, give(world, value=2_500), 2_500)
    world.now_ms += 1
    made = statements.close(conn, world.act("li"), world.merchant_id, world.now_ms, coupons.facts)
    assert isinstance(made, int)
    assert statements.say(conn, act, made, "merchant", [1], statements.DISPUTED, "not ours") is None
    account_id = conn.execute(select(pay_account.c.account_id)).scalars().first()
    told = {"kind": "amount", "number": "n1", "refund_id": "", "ours_fen": 1, "theirs_fen": 4, "day": "2026-05-28"}
    whose = {"operator_id": world.operator_id, "account_id": account_id, "closed_by": "", "reason": ""}
    conn.execute(insert(pay_difference).values(**told, **whose))

    found = {item.kind: item for item in everything(conn, world.operator_id)}

    assert sorted(found) == ["bill_differs", "invoice_requested", "statement_disputed"]
    assert found["bill_differs"].amount == 3
    assert (found["bill_differs"].day, found["bill_differs"].about) == ("2026-05-28", "n1")
    assert invoices.issue(conn, act, asked, "F1") is None
    assert statements.say(conn, act, made, "merchant", [1], statements.CONFIRMED) is None
    assert kinds(world) == ["bill_differs"]


def test_another_operator_waits_for_its_own_alone(world: World) -> None:
    topped_up(world, 3_000)
    assert ask(world, 7_000, limit_fen=500) is None

    assert everything(world.conn, world.operator_id + 1) == []


def _waits(conn: Connection, cloud: Cloud) -> None:
    assert ask(_again(conn, cloud), 4_000, limit_fen=500) is None


async def test_the_home_counts_and_leads_to_what_waits(browser: Browser, cloud: Cloud) -> None:
    cloud.db.run_here(_waits, cloud)
    await sign_in(browser, "admin")

    home = await (await browser.get("/admin")).text()
    page = await (await browser.get("/admin/waiting")).text()
    file = await (await browser.get("/admin/waiting.csv")).text()

    assert '<a href="/admin/waiting">1</a>' in home
    assert "线下退款待同意" in page
    assert 'href="/admin/merchants/1"' in page
    assert "40.00" in file
