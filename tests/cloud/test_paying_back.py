"""Money of a purse goes back by the way it came, and above the limit by two people, wherever it was paid."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.checking import check_all
from cloud.merchants import ledger, paying_back, service
from cloud.paid import DUTIES
from cloud.payments import giving_back, refunds
from cloud.shop import top_up
from domain.ledger import Commodity
from tests.cloud.paying import pay
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]

OFFICE_FEN = 10_000  # of the world's merchant, paid at the office


def topped_up(world: World, fen: int) -> str:
    """An online top-up that was paid; its order."""
    order = top_up.order(world.conn, world.act("shop"), world.merchant_id, fen)
    assert not isinstance(order, Refused), order
    pay(world.conn, world.act(), DUTIES, order)
    world.now_ms += 1_000
    return order.order_id


def ask(world: World, fen: int, limit_fen: int = 10**9, reason: str = "closing") -> Refused | None:
    return paying_back.ask(world.conn, world.act("li"), DUTIES, world.merchant_id, fen, reason, limit_fen)


def decide(world: World, by: str, *, agreed: bool) -> Refused | None:
    return paying_back.decide(world.conn, world.act(by), world.merchant_id, agreed=agreed)


def going(world: World) -> list[tuple[str, int]]:
    """Orders and fen their provider is to be told to give back."""
    due = refunds.to_send(world.conn, world.operator_id, world.now_ms)
    return sorted((row["order_id"], row["amount_fen"]) for row in due)


def test_online_top_ups_go_back_first_and_only_the_rest_at_the_office(world: World) -> None:
    first, second = topped_up(world, 3_000), topped_up(world, 2_000)

    assert ask(world, 2_500) is None
    newest = going(world)
    assert ask(world, 4_000) is None

    assert newest == sorted([(second, 2_000), (first, 500)])
    assert sum(fen for _, fen in going(world)) == 5_000
    assert (world.accounts()["refund"], world.accounts()["agreed_back"]) == (5_000, 1_500)
    assert check_all(world.conn) == []


def test_above_the_limit_neither_way_pays_before_a_second_person_agrees(world: World) -> None:
    order_id = topped_up(world, 3_000)

    assert ask(world, 7_000, limit_fen=6_999) is None

    held = world.accounts()
    (waiting,) = refunds.of_order(world.conn, order_id)
    assert (going(world), waiting["state"], waiting["amount_fen"]) == ([], "asked", 3_000)
    assert (held["asked_back"], held["asked_online"], held.get("refund", 0)) == (4_000, 3_000, 0)
    assert ask(world, 1) == Refused("refund_waits")
    assert decide(world, "li", agreed=True) == Refused("refund_needs_another")
    assert decide(world, "wang", agreed=True) is None
    assert giving_back.decide(world.conn, world.act("wang"), DUTIES, waiting["refund_id"], agreed=True) is None
    assert decide(world, "wang", agreed=True) == Refused("refund_not_asked")
    assert (world.accounts()["refund"], going(world)) == (3_000, [(order_id, 3_000)])
    assert world.accounts()["agreed_back"] == 4_000
    assert check_all(world.conn) == []


def test_what_the_second_person_does_not_agree_to_is_in_the_purse_again(world: World) -> None:
    before = world.accounts()
    assert ask(world, 4_000, limit_fen=500) is None

    assert decide(world, "wang", agreed=False) is None

    assert world.accounts() == before
    assert check_all(world.conn) == []


def test_what_waits_for_its_provider_is_not_paid_at_the_office_as_well(world: World) -> None:
    topped_up(world, 3_000)
    assert ask(world, 3_000, limit_fen=500) is None

    assert ask(world, OFFICE_FEN + 1) == Refused("balance_short", {"left": OFFICE_FEN})


@pytest.mark.parametrize("reason", ["", " ", "x" * 81])
def test_a_refund_says_why(world: World, reason: str) -> None:
    assert ask(world, 1, reason=reason) == Refused("reason_missing")


def paid_left(world: World) -> int:
    return ledger.purse(world.conn, world.merchant_id, Commodity.FEN).paid


def asked_of(world: World, order_id: str) -> str:
    (waiting,) = refunds.of_order(world.conn, order_id)
    assert waiting["state"] == "asked"
    return str(waiting["refund_id"])


@pytest.mark.parametrize("agreed", [True, False])
def test_what_is_asked_back_of_an_online_top_up_cannot_be_spent_before_the_word(world: World, agreed: bool) -> None:
    order_id = topped_up(world, 3_000)
    before = paid_left(world)
    assert giving_back.ask(world.conn, world.act("li"), DUTIES, order_id, 2_500, "closing", 500) is None

    assert paid_left(world) == before - 2_500
    assert check_all(world.conn) == []
    short = service.refund(world.conn, world.act("li"), world.merchant_id, Commodity.FEN, before, "")
    assert short == Refused("balance_short", {"left": before - 2_500})
    refund_id = asked_of(world, order_id)
    assert giving_back.decide(world.conn, world.act("wang"), DUTIES, refund_id, agreed=agreed) is None

    assert world.accounts().get("asked_online", 0) == 0
    assert paid_left(world) == before - (2_500 if agreed else 0)
    assert going(world) == ([(order_id, 2_500)] if agreed else [])
    assert check_all(world.conn) == []


def test_a_top_up_already_spent_is_not_asked_back(world: World) -> None:
    order_id = topped_up(world, 3_000)
    spent = paid_left(world) - 1_000
    assert service.refund(world.conn, world.act("li"), world.merchant_id, Commodity.FEN, spent, "") is None

    refused = giving_back.ask(world.conn, world.act("li"), DUTIES, order_id, 2_500, "closing", 500)

    assert refused == Refused("balance_short", {"left": 1_000})
    assert refunds.of_order(world.conn, order_id) == []


def test_money_held_for_a_refund_that_nobody_asked_for_is_found(world: World) -> None:
    assert paying_back.hold(world.conn, world.act("li"), world.merchant_id, 700, "no-order") is None

    assert check_all(world.conn) == [
        f"merchant {world.merchant_id}: top-ups of 0 were asked back, 700 is held for that"
    ]


@pytest.mark.parametrize("agreed", [True, False])
def test_minutes_above_the_limit_go_back_by_two_people(world: World, agreed: bool) -> None:
    act, who = world.act("li"), world.merchant_id
    assert service.top_up(world.conn, act, who, Commodity.MIN, 900, 0, "") is None
    had = ledger.purse(world.conn, who, Commodity.MIN).paid

    at_once = paying_back.ask(world.conn, act, DUTIES, who, 300, "closing", 300, Commodity.MIN)
    asked = paying_back.ask(world.conn, act, DUTIES, who, 301, "closing", 300, Commodity.MIN)

    assert (at_once, asked) == (None, None)
    assert paying_back.waits(world.conn, who) == (Commodity.MIN, 301)
    assert ledger.purse(world.conn, who, Commodity.MIN).paid == had - 601
    assert ask(world, 1) == Refused("refund_waits")
    assert decide(world, "li", agreed=True) == Refused("refund_needs_another")
    assert decide(world, "wang", agreed=agreed) is None
    assert ledger.purse(world.conn, who, Commodity.MIN).paid == (had - 601 if agreed else had - 300)
    assert check_all(world.conn) == []


async def test_the_merchants_page_asks_for_a_second_person(browser: Browser) -> None:
    await sign_in(browser, "finance")
    page = "/admin/merchants/1"
    await post(browser, page, f"{page}/top-up", commodity="FEN", paid="900", bonus="")
    asked = await post(browser, page, f"{page}/refund", commodity="FEN", amount="300", remark="closing")
    own = await post(browser, page, f"{page}/refund/decide", agreed="1")
    browser.session.cookie_jar.clear()
    await sign_in(browser, "admin")
    agreed = await post(browser, page, f"{page}/refund/decide", agreed="1")

    assert (asked[0], own[0], agreed[0]) == (200, 422, 200)
    assert "申请在线下退款 ¥300.00" in asked[1]
    assert "申请在线下退款" not in agreed[1]


async def test_a_top_up_is_corrected_on_the_merchants_page(browser: Browser) -> None:
    await sign_in(browser, "finance")
    page = "/admin/merchants/1"
    wrong = await post(browser, page, f"{page}/correct", commodity="FEN", funds="PAID", amount="ten", remark="slip")
    less = await post(browser, page, f"{page}/correct", commodity="FEN", funds="PAID", amount="-1.50", remark="slip")
    more = await post(browser, page, f"{page}/correct", commodity="MIN", funds="BONUS", amount="+30", remark="slip")
    ledger = await (await browser.get("/admin/books.csv")).text()

    assert (wrong[0], less[0], more[0]) == (422, 200, 200)
    assert "-1.50" in ledger or "−1.50" in ledger
