"""Bills beside our book, line by line, and invoices that never hold a fen twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, update

from cloud.access import audit
from cloud.act import Refused
from cloud.merchants import service as merchants
from cloud.paid import DUTIES
from cloud.payments import accounts, bills, giving_back, invoices, notices, orders, refunds
from cloud.payments.comparing import Difference, Ours, compare
from cloud.payments.orders import PayOrder
from cloud.payments.provider import BillLine, Outcome, State
from cloud.payments.tables import pay_order
from domain.ledger import Commodity
from tests.cloud.paying import pay
from tests.cloud.test_payments import wanted
from tests.cloud.world import NOW, World

DAY = datetime.fromtimestamp(NOW / 1000, bills.CHINA).date()


def line(number: str, fen: int = 5_000, fee: int = 30, refund: str = "") -> BillLine:
    return BillLine(number, fen, fee, f"p-{number}", NOW, refund)


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        ([Ours("a", 5_000)], [line("a")], []),
        ([], [line("a")], ["not_ours"]),
        ([Ours("a", 5_000)], [], ["not_in_bill"]),
        ([Ours("a", 4_999)], [line("a")], ["amount"]),
        ([Ours("a", 5_000), Ours("a", 100, "r")], [line("a"), line("a", 100, 0, "r")], []),
        ([Ours("a", 5_000)], [line("a"), line("a", 100, 0, "r")], ["refund_not_ours"]),
        ([Ours("a", 5_000), Ours("a", 100, "r")], [line("a")], ["refund_not_in_bill"]),
        ([Ours("a", 5_000), Ours("a", 99, "r")], [line("a"), line("a", 100, 0, "r")], ["refund_amount"]),
        ([Ours("a", 5_000)], [line("a", fee=31)], []),
        ([Ours("a", 5_000)], [line("a", fee=32)], ["fee"]),
        ([], [line("a"), line("a", 5_000, -30, "REVOKED")], []),
    ],
)
def test_two_books_are_laid_side_by_side(ours: list[Ours], theirs: list[BillLine], kinds: list[str]) -> None:
    assert [each.kind for each in compare(ours, theirs, 6)] == kinds


def paid_order(world: World) -> tuple[PayOrder, str]:
    order = wanted(world)
    pay(world.conn, world.act(), DUTIES, order)
    (row,) = orders.tries(world.conn, order.order_id)
    return order, row["number"]


def taken(world: World, *lines: BillLine) -> list[Difference]:
    (account,) = accounts.accounts(world.conn, world.operator_id)
    return bills.take(world.conn, world.act("payments"), DUTIES, account["account_id"], DAY, lines, 6)


def open_kinds(world: World) -> list[str]:
    found = bills.differences(world.conn, world.operator_id, only_open=True)
    return sorted(row["kind"] for row in found.items)


def test_a_difference_stays_until_a_person_says_how_it_was_worked_off(world: World) -> None:
    _, number = paid_order(world)

    taken(world, line(number, 5_100, 31), line("foreign", 700, 4))
    raised = world.codes()
    row = next(row for row in bills.differences(world.conn, world.operator_id, only_open=True).items
               if row["kind"] == "not_ours")  # fmt: skip
    unsaid = bills.close(world.conn, world.act("li"), row["difference_id"], " ")
    said = bills.close(world.conn, world.act("li"), row["difference_id"], "provider's own test")
    twice = bills.close(world.conn, world.act("li"), row["difference_id"], "again")
    taken(world, line(number), line("foreign", 700, 4))

    assert raised == ["pay_difference"]
    assert (unsaid, said, twice) == (Refused("reason_missing"), None, Refused("difference_not_open"))
    assert open_kinds(world) == []
    closed = bills.differences(world.conn, world.operator_id, only_open=False).items
    assert {row["kind"]: (row["closed_by"], row["reason"]) for row in closed} == {
        "not_ours": ("li", "provider's own test"),
        "amount": ("payments", ""),
    }
    (bill,) = bills.listed(world.conn, world.operator_id).items
    assert (bill["paid_fen"], bill["ours_paid_fen"], bill["lines"]) == (5_700, 5_000, 2)


def test_what_the_bill_leaves_out_is_found_on_its_day_and_not_on_another(world: World) -> None:
    paid_order(world)

    assert [each.kind for each in taken(world)] == ["not_in_bill"]
    (account,) = accounts.accounts(world.conn, world.operator_id)
    other = date.fromordinal(DAY.toordinal() + 1)
    assert bills.take(world.conn, world.act(), DUTIES, account["account_id"], other, [], 6) == []


def test_bills_are_due_the_next_morning_from_the_day_the_account_was_known(world: World) -> None:
    paid_order(world)
    ten = int(datetime(DAY.year, DAY.month, DAY.day, 2, tzinfo=UTC).timestamp() * 1000) + 86_400_000  # 10:00 in China

    def due(now_ms: int) -> list[date]:
        return [day for _, _, day in bills.days_due(world.conn, world.operator_id, now_ms)]

    assert due(ten - 1) == []
    assert due(ten) == [DAY]
    taken(world)
    assert due(ten) == []


def give_back(world: World, order: PayOrder, fen: int) -> Refused | None:
    return giving_back.ask(world.conn, world.act("li"), DUTIES, order.order_id, fen, "asked for", 10_000)


def done(world: World, order: PayOrder) -> None:
    """The provider has made every refund."""
    for row in refunds.of_order(world.conn, order.order_id):
        notices.refund_heard(world.conn, world.act(), DUTIES, row, Outcome(State.REFUNDED, row["amount_fen"]))


def ask_invoice(world: World, order: PayOrder) -> str | Refused:
    return invoices.request(world.conn, world.act("payer"), order.order_id, "面馆", "", "a@b.cn")


def test_an_invoice_holds_what_was_paid_once_and_is_reversed_after_a_refund(world: World) -> None:
    order, _ = paid_order(world)
    first = ask_invoice(world, order)
    assert isinstance(first, str)
    assert ask_invoice(world, order) == Refused("invoice_there")
    assert invoices.issue(world.conn, world.act("li"), first, "24312000000000000001") is None

    assert give_back(world, order, 2_000) is None
    done(world, order)
    standing = invoices.current(world.conn, order.order_id)
    assert standing is not None
    assert (standing["state"], standing["amount_fen"]) == ("to_reverse", 5_000)
    assert ask_invoice(world, order) == Refused("invoice_there")
    assert invoices.reverse(world.conn, world.act("li"), first, "24312000000000000002") is None
    second = ask_invoice(world, order)

    assert isinstance(second, str)
    again = invoices.current(world.conn, order.order_id)
    assert again is not None
    assert again["amount_fen"] == 3_000


def test_an_invoice_not_issued_yet_follows_a_refund_down_to_nothing(world: World) -> None:
    order, _ = paid_order(world)
    assert isinstance(ask_invoice(world, order), str)
    amounts = []

    for fen in (2_000, 3_000):
        assert give_back(world, order, fen) is None
        done(world, order)
        row = invoices.current(world.conn, order.order_id)
        amounts.append(None if row is None else row["amount_fen"])

    assert amounts == [3_000, None]
    assert ask_invoice(world, order) == Refused("invoice_nothing")


def test_a_top_up_given_back_leaves_the_purse_and_one_that_is_spent_stays(world: World, conn: Connection) -> None:
    before = world.accounts()["available"]
    order, _ = paid_order(world)

    assert give_back(world, order, 5_000) is None
    assert world.accounts()["available"] == before
    other, _ = paid_order(world)
    purse = merchants.refund(conn, world.act(), world.merchant_id, Commodity.FEN, 15_000, "spent")
    refused = give_back(world, other, 5_000)

    assert purse is None
    assert refused is not None
    assert refused.code == "balance_short"
    assert refunds.of_order(conn, other.order_id) == []


def test_a_merchant_sees_its_payments_each_with_the_invoice_last_asked_for(world: World) -> None:
    order, _ = paid_order(world)
    conn, whose = world.conn, world.merchant_id
    conn.execute(update(pay_order).values(merchant_id=whose))

    def seen(state: str = "", merchant_id: int = whose) -> list[tuple[str, str]]:
        page, asked = invoices.of_merchant(conn, world.operator_id, merchant_id, state)
        return [(one["order_id"], asked[one["order_id"]]["state"] if asked else "") for one in page.items]

    nobody_asked = seen("none")
    first = ask_invoice(world, order)
    assert isinstance(first, str)
    invoices.refuse(conn, world.act("li"), first, "no such company")
    world.now_ms += 1
    refused = seen("refused")
    ask_invoice(world, order)

    assert (nobody_asked, refused) == ([(order.order_id, "")], [(order.order_id, "refused")])
    assert seen() == [(order.order_id, "requested")]
    assert (seen("refused"), seen("none"), seen("", whose + 1)) == ([], [], [])
    row = next(row for row in audit.listed(conn, world.operator_id).items if row["act"] == "invoice.refused")
    assert (row["before"], row["after"]) == ('{"invoice_state":"requested"}', '{"invoice_state":"refused"}')
