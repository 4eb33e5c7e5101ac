"""Invoices for what was paid at the office: once, without bonus, and never for what went back (E23)."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.merchants import paying_back, service, statements
from cloud.merchants.service import SettlementMode
from cloud.paid import DUTIES
from cloud.payments import invoices, office, paying_out
from cloud.payments.invoices import PaidHere
from cloud.shop import buying, products
from cloud.shop.products import Product
from domain.ledger import Commodity, Funds
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in
from tests.cloud.test_paying_back import ask as ask_back
from tests.cloud.test_paying_back import decide, topped_up
from tests.cloud.test_statements import agree, give, postpaid, stated, use
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]


def paid(world: World) -> dict[str, PaidHere]:
    return {one.name: one for one in DUTIES.paid_here(world.conn, world.operator_id, world.merchant_id)}


def left(world: World) -> list[tuple[str, int]]:
    """Kind and what is left of it, the oldest first."""
    return [(one.kind, one.left_fen) for one in reversed(list(paid(world).values()))]


def ask(world: World, name: str) -> str | Refused:
    return office.ask(world.conn, world.act("shop"), DUTIES, world.merchant_id, name, "面馆", "", "a@b.cn")


def top_up(world: World, fen: int, bonus: int = 0, unit: Commodity = Commodity.FEN) -> str:
    world.now_ms += 1_000
    before = set(paid(world))
    assert service.top_up(world.conn, world.act("li"), world.merchant_id, unit, fen, bonus, "cash") is None
    new = set(paid(world)) - before
    return new.pop() if new else ""


def state(world: World, name: str) -> tuple[str, int]:
    row = invoices.last_here(world.conn, world.operator_id, world.merchant_id)[name]
    return row["state"], row["amount_fen"]


def bought(world: World, count: int = 10) -> int:
    """A purchase of coupons at 5.00, paid at the office."""
    offered = products.offer(world.conn, world.act("li"), Product("two hours", "DURATION", 120, 500, 0, 1))
    assert isinstance(offered, int)
    made = buying.order(world.conn, world.act("shop"), world.merchant_id, offered, count)
    assert not isinstance(made, Refused)
    assert buying.settle_here(world.conn, world.act("li"), made["purchase_id"]) is None
    return int(made["purchase_id"])


def test_a_top_up_at_the_office_is_invoiced_once_without_its_bonus(world: World) -> None:
    name = top_up(world, 3_000, bonus=700)

    first = ask(world, name)
    twice = ask(world, name)

    assert isinstance(first, str)
    assert state(world, name) == ("requested", 3_000)
    assert twice == Refused("invoice_there")


def test_neither_an_online_top_up_nor_minutes_nor_a_purchase_paid_online_is_paid_at_the_office(world: World) -> None:
    before = paid(world)
    topped_up(world, 3_000)
    top_up(world, 600, unit=Commodity.MIN)

    assert paid(world) == before


def test_a_refund_lowers_what_is_asked_for_and_marks_what_is_issued(world: World) -> None:
    old, new = top_up(world, 3_000), top_up(world, 2_000)
    issued, asked = ask(world, old), ask(world, new)
    assert isinstance(issued, str)
    assert isinstance(asked, str)
    assert invoices.issue(world.conn, world.act("li"), issued, "F1") is None

    assert ask_back(world, 500) is None
    lowered = state(world, old), state(world, new)
    assert ask_back(world, 2_500) is None

    assert lowered == (("issued", 3_000), ("requested", 1_500))
    assert (state(world, old)[0], state(world, new)[0]) == ("to_reverse", "refused")
    assert ask(world, new) == Refused("invoice_nothing")
    assert invoices.reverse(world.conn, world.act("li"), issued, "F2") is None
    assert isinstance(ask(world, old), str)
    assert state(world, old) == ("requested", 2_000)


@pytest.mark.parametrize(("agreed", "then"), [(True, 1_500), (False, 2_000)])
def test_what_waits_for_a_second_person_is_not_invoiced_meanwhile(world: World, agreed: bool, then: int) -> None:
    name = top_up(world, 2_000)
    assert ask_back(world, 500, limit_fen=100) is None

    waiting = paid(world)[name].left_fen
    assert decide(world, "wang", agreed=agreed) is None

    assert (waiting, paid(world)[name].left_fen) == (1_500, then)


def test_a_correction_is_part_of_what_was_paid(world: World) -> None:
    name = top_up(world, 2_000)
    correct = service.correct_top_up
    act, who = world.act("li"), world.merchant_id
    assert isinstance(ask(world, name), str)
    assert correct(world.conn, act, who, Commodity.FEN, Funds.PAID, -300, "typed twice") is None
    less = state(world, name)
    before = len(paid(world))
    assert correct(world.conn, act, who, Commodity.FEN, Funds.PAID, 400, "typed too little") is None
    assert correct(world.conn, act, who, Commodity.FEN, Funds.BONUS, 900, "bonus forgotten") is None

    assert less == ("requested", 1_700)
    assert sorted(left(world)[-2:]) == [("topup", 400), ("topup", 1_700)]
    assert len(paid(world)) == before + 1


def test_a_purchase_paid_at_the_office_is_invoiced_less_what_went_back(world: World) -> None:
    purchase_id = bought(world)
    name = f"purchase-{purchase_id}"
    asked = ask(world, name)
    assert isinstance(asked, str)
    assert invoices.issue(world.conn, world.act("li"), asked, "F1") is None

    assert isinstance(buying.refund(world.conn, world.act("li"), purchase_id, 4, "closing", 100), int)
    waiting = state(world, name)[0], paid(world)[name].left_fen
    assert buying.decide(world.conn, world.act("wang"), purchase_id, agreed=True) is None

    assert waiting == ("to_reverse", 3_000)
    assert paid(world)[name].left_fen == 3_000
    assert paying_out.hand_over(world.conn, world.act("wang"), DUTIES, 1, "cash") is None
    assert paid(world)[name].left_fen == 3_000


def test_a_statement_is_invoiced_when_a_postpaid_merchant_has_paid_it(world: World) -> None:
    postpaid(world, SettlementMode.ON_REDEEM)
    world.car("s1")
    use(world, give(world), 500)
    world.now_ms += 1_000
    made = stated(world)
    unpaid = paid(world)
    agree(world, made)
    assert statements.mark_paid(world.conn, world.act("li"), made, "by transfer") is None

    assert unpaid == {}
    assert left(world) == [("statement", 500)]
    assert isinstance(ask(world, f"statement-{made}"), str)


def test_a_prepaid_statement_tells_of_what_was_paid_before_and_gets_no_invoice(world: World) -> None:
    world.car("s1")
    use(world, give(world, value=2_500), 2_500)
    world.now_ms += 1_000
    made = stated(world)
    agree(world, made)
    assert statements.mark_paid(world.conn, world.act("li"), made, "") is None

    assert {one.kind for one in paid(world).values()} == {"topup"}


def test_another_merchants_payment_is_nobodys(world: World) -> None:
    name = top_up(world, 2_000)
    act = world.act("shop")

    assert office.ask(world.conn, act, DUTIES, world.merchant_id + 1, name, "x", "", "a@b.cn") == Refused(
        "order_not_paid"
    )
    assert paying_back.waits(world.conn, world.merchant_id) is None


async def test_a_merchant_asks_for_it_on_its_own_page_and_the_office_issues_it(browser: Browser) -> None:
    await sign_in(browser, "merchant")
    listed = await (await browser.get("/m/invoices")).text()
    at = listed[listed.index("/m/invoices/topup-") :].split('"')[0]
    wrong = await post(browser, at, at, title="", tax_number="", email="a@b.cn")
    asked = await post(browser, at, at, title="面馆有限公司", tax_number="", email="a@b.cn")
    gone = await browser.get("/m/invoices/topup-999999")
    file = await (await browser.get("/m/invoices.csv?q=面馆有限公司")).text()
    browser.session.cookie_jar.clear()
    await sign_in(browser, "admin")
    office_page = await (await browser.get("/admin/payments/invoices")).text()

    assert "线下充值" in listed
    assert (wrong[0], asked[0], gone.status) == (422, 200, 404)
    assert "已申请，等待开票。" in asked[1]
    assert len(file.splitlines()) == 2
    assert "面馆有限公司" in office_page
    assert 'href="/admin/merchants/1"' in office_page
