"""What the office gives back by hand is paid once somebody has handed it over, and not before."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cloud.access.tables import audit_log
from cloud.act import Refused
from cloud.checking import check_all
from cloud.merchants import ledger, paying_back, service
from cloud.paid import DUTIES
from cloud.payments import paying_out
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in
from tests.cloud.test_paying_back import ask, decide, paid_left
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]


def hand_over(world: World, payout_id: int = 1, means: str = "cash", by: str = "zhao") -> Refused | None:
    return paying_out.hand_over(world.conn, world.act(by), DUTIES, payout_id, means, "receipt 7")


def take_back(world: World, payout_id: int = 1, reason: str = "they stay") -> Refused | None:
    return paying_out.take_back(world.conn, world.act("zhao"), DUTIES, payout_id, reason)


def held(world: World) -> tuple[int, int]:
    """(to be handed over, handed over)"""
    accounts = world.accounts()
    return accounts.get("agreed_back", 0), accounts.get("refund", 0)


def states(world: World) -> list[str]:
    return [row["state"] for row in paying_out.every(world.conn, world.operator_id, "", "", 10)]


@pytest.mark.parametrize("limit_fen", [500, 10**9])
def test_money_agreed_to_is_paid_when_it_was_handed_over(world: World, limit_fen: int) -> None:
    had = paid_left(world)
    assert ask(world, 4_000, limit_fen) is None
    if limit_fen == 500:
        assert decide(world, "wang", agreed=True) is None

    agreed = held(world), paid_left(world), check_all(world.conn)
    assert hand_over(world, means="transfer") is None

    (row,) = paying_out.every(world.conn, world.operator_id, "paid", "receipt", 10)
    assert agreed == ((4_000, 0), had - 4_000, [])
    assert (held(world), paid_left(world), check_all(world.conn)) == ((0, 4_000), had - 4_000, [])
    assert (row["means"], row["remark"], row["ended_by"], row["reason"]) == ("transfer", "receipt 7", "zhao", "closing")
    assert (row["asked_by"], row["agreed_by"]) == ("li", "wang" if limit_fen == 500 else "li")


def test_said_twice_it_is_paid_once_and_another_person_hears_that_it_was(world: World) -> None:
    assert ask(world, 4_000) is None

    said = [hand_over(world), hand_over(world), hand_over(world, by="sun"), take_back(world)]

    assert said == [None, None, Refused("payout_not_due"), Refused("payout_not_due")]
    assert held(world) == (0, 4_000)
    acts = world.conn.execute(select(audit_log.c.act).where(audit_log.c.subject == "payout:1")).scalars().all()
    assert acts == ["payout.paid"]


def test_what_is_not_handed_over_after_all_is_in_the_purse_again(world: World) -> None:
    before = world.accounts()
    assert ask(world, 4_000) is None

    said = [take_back(world, reason=" "), take_back(world), take_back(world), hand_over(world)]

    not_due = Refused("payout_not_due")
    assert said == [Refused("reason_missing"), None, not_due, not_due]
    assert {name: sum_ for name, sum_ in world.accounts().items() if sum_} == before
    assert states(world) == ["taken_back"]
    assert check_all(world.conn) == []


def test_several_may_wait_and_none_of_it_can_be_spent(world: World) -> None:
    left = paid_left(world)
    assert (ask(world, left - 100), ask(world, 60)) == (None, None)

    short = service.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 41, "")

    assert short == Refused("balance_short", {"left": 40})
    assert ask(world, 41) == Refused("balance_short", {"left": 40})
    assert [row["amount"] for row in paying_out.due_of(world.conn, world.merchant_id)] == [left - 100, 60]
    assert (hand_over(world, 2), held(world)) == (None, (left - 100, 60))
    assert check_all(world.conn) == []


def test_minutes_are_ticked_off_as_well(world: World) -> None:
    act, who = world.act("li"), world.merchant_id
    assert service.top_up(world.conn, act, who, Commodity.MIN, 900, 0, "") is None
    had = ledger.purse(world.conn, who, Commodity.MIN).paid
    assert paying_back.ask(world.conn, act, DUTIES, who, 300, "closing", 300, Commodity.MIN) is None

    assert take_back(world) is None

    assert ledger.purse(world.conn, who, Commodity.MIN).paid == had
    assert check_all(world.conn) == []


@pytest.mark.parametrize("means", ["", "card"])
def test_it_is_said_how_it_was_paid(world: World, means: str) -> None:
    assert ask(world, 4_000) is None

    assert hand_over(world, means=means) == Refused("means_unknown")
    assert states(world) == ["due"]


def test_another_operators_is_nobodys(world: World) -> None:
    assert ask(world, 4_000) is None
    world.operator_id += 1

    assert hand_over(world) == Refused("payout_not_due")
    assert paying_out.listed(world.conn, world.operator_id).items == []


async def test_the_office_ticks_it_off_on_its_page_and_reads_of_it_in_the_list_of_what_waits(browser: Browser) -> None:
    await sign_in(browser, "finance")
    merchant, page = "/admin/merchants/1", "/admin/payments/payouts"
    await post(browser, merchant, f"{merchant}/refund", commodity="FEN", amount="40", remark="closing")
    await post(browser, merchant, f"{merchant}/refund", commodity="FEN", amount="7", remark="slip")
    waits = await (await browser.get("/admin/waiting")).text()
    listed = await (await browser.get(f"{page}?state=due")).text()
    no_means = await post(browser, page, f"{page}/1/handed", means="", note="")
    paid = await post(browser, page, f"{page}/1/handed", means="cash", note="收条 3")
    back = await post(browser, page, f"{page}/2/back", reason="no")
    again = await post(browser, page, f"{page}/2/back", reason="no")
    file = await (await browser.get(f"{page}.csv?state=paid")).text()

    assert waits.count("线下退款待支付") == 2
    assert "¥40.00" in listed
    assert '<option value="">现金还是转账？</option>' in listed, "nobody says by oversight that it was cash"
    assert [answer[0] for answer in (no_means, paid, back, again)] == [422, 200, 200, 422]
    assert "收条 3" in paid[1]
    assert "现金" in file
    assert "已支付" in file
    assert "7.00" not in file
