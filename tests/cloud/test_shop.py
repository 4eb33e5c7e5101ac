"""Coupons bought ahead: the cap, the lots of purchase, and books that hold what is left of them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from cloud import checking
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.merchants import service as merchants
from cloud.merchants import statements
from cloud.paid import DUTIES
from cloud.payments import giving_back, orders, paying_out, refunds
from cloud.payments.orders import Settled
from cloud.payments.provider import Outcome, State
from cloud.payments.tables import pay_out, pay_refund
from cloud.shop import buying, products, stock
from cloud.shop.products import Product
from cloud.shop.tables import purchase
from domain.events import ChannelApplied, CouponRedeemed
from domain.ledger import Commodity
from tests.cloud.paying import begun, pay
from tests.cloud.world import World

DAY_MS = 86_400_000
FIVE = Product("5 元券", "AMOUNT", 500, unit_fen=400, max_purchasable=100, valid_months=12)


def offered(world: World, product: Product = FIVE) -> int:
    made = products.offer(world.conn, world.act(), product)
    assert isinstance(made, int), made
    return made


def buy(world: World, product_id: int, quantity: int, *, unit: int = 400) -> int:
    """A purchase that was paid for."""
    row = buying.order(world.conn, world.act("shop"), world.merchant_id, product_id, quantity)
    assert not isinstance(row, Refused), row
    refused = buying.settle(world.conn, world.act("gateway"), row["purchase_id"], quantity * unit)
    assert refused is None, refused
    return int(row["purchase_id"])


def template_of(world: World, product_id: int) -> int:
    found = coupons.templates(world.conn, world.operator_id, world.merchant_id)
    return next(int(row["template_id"]) for row in found if row["product_id"] == product_id)


def give(world: World, template_id: int, stay_id: str) -> coupons.Issued | Refused:
    world.car(stay_id)
    return coupons.issue(world.conn, world.act(), world.merchant_id, template_id, stay_id)


def hand_over(world: World, payout_id: int) -> None:
    assert paying_out.hand_over(world.conn, world.act("wang"), DUTIES, payout_id, "cash") is None


def sound(world: World) -> bool:
    """The books as ``lotgate verify-ledger`` looks at them."""
    return [wrong for check in checking.CHECKS[:7] for wrong in check(world.conn)] == []


def test_stock_is_paid_for_given_and_used_up_in_the_books(world: World) -> None:
    before = world.accounts()
    number = buy(world, offered(world), 3)
    template = template_of(world, 1)

    given = give(world, template, "s1")
    assert isinstance(given, coupons.Issued), given
    held = world.accounts()
    world.apply(CouponRedeemed("r1", given.coupon_id, "s1", 200))  # a fee below the face value

    after = world.accounts()
    assert (held[f"stock:{number}"], held["outstanding"]) == (800, 400)
    assert (after[f"stock:{number}"], after["redeemed"]) == (800, 400)
    assert after["available"] == before["available"]
    assert sound(world)


def test_the_cap_counts_every_purchase_of_the_merchant_and_refuses_as_a_whole(world: World) -> None:
    product = offered(world)
    buy(world, product, 80)

    over = buying.order(world.conn, world.act(), world.merchant_id, product, 21)
    rest = buying.order(world.conn, world.act(), world.merchant_id, product, 20)
    meanwhile = buying.order(world.conn, world.act(), world.merchant_id, product, 1)

    assert over == Refused("purchase_cap", {"most": 100})
    assert not isinstance(rest, Refused)
    assert meanwhile == Refused("purchase_cap", {"most": 100})  # the one that waits for its payment counts


def test_an_order_not_paid_in_time_lapses_and_frees_the_cap(world: World) -> None:
    product = offered(world)
    late = buying.order(world.conn, world.act(), world.merchant_id, product, 100)
    assert not isinstance(late, Refused)

    world.now_ms += buying.PAY_WITHIN_MS
    again = buying.order(world.conn, world.act(), world.merchant_id, product, 100)
    assert not isinstance(again, Refused)
    first = buying.settle(world.conn, world.act(), again["purchase_id"], 40_000, "o2")
    second = buying.settle(world.conn, world.act(), late["purchase_id"], 40_000, "o1")

    assert (first, second) == (None, Refused("purchase_cap", {"most": 100}))
    assert sound(world)


def test_a_payment_told_twice_leaves_one_stock(world: World) -> None:
    number = buy(world, offered(world), 2)

    again = buying.settle(world.conn, world.act(), number, 800)
    other = buying.settle(world.conn, world.act(), number, 800, "o9")

    assert (again, other) == (None, Refused("purchase_paid"))
    assert world.accounts()[f"stock:{number}"] == 800


def test_a_payment_of_another_amount_is_not_honoured(world: World) -> None:
    row = buying.order(world.conn, world.act(), world.merchant_id, offered(world), 2)
    assert not isinstance(row, Refused)

    assert buying.settle(world.conn, world.act(), row["purchase_id"], 799, "o1") == Refused("purchase_differs")


def test_the_lot_of_purchase_that_runs_out_first_is_used_first(world: World) -> None:
    product = offered(world)
    later = buy(world, product, 1)
    sooner = buy(world, product, 1)
    world.conn.execute(
        update(purchase).where(purchase.c.purchase_id == sooner).values(valid_to_ms=world.now_ms + DAY_MS // 2)
    )
    template = template_of(world, product)

    first = give(world, template, "s1")
    left = stock.held(world.conn, world.merchant_id, world.now_ms)[product]
    second, third = give(world, template, "s2"), give(world, template, "s3")

    assert isinstance(first, coupons.Issued)
    assert isinstance(second, coupons.Issued)
    found = {row["coupon_id"]: row for row in coupons.coupons(world.conn, world.operator_id).items}
    assert [found[one.coupon_id]["purse"] for one in (first, second)] == [f"stock:{sooner}", f"stock:{later}"]
    assert found[first.coupon_id]["expires_ms"] == world.now_ms + DAY_MS // 2  # no longer than its lot
    assert left.left == 1
    assert third == Refused("stock_empty")


def test_stock_is_good_until_its_day_and_no_longer(world: World) -> None:
    product = offered(world)
    number = buy(world, product, 1)
    row = buying.get(world.conn, world.operator_id, number)
    assert row is not None

    world.now_ms = row["valid_to_ms"]

    assert give(world, template_of(world, product), "s1") == Refused("stock_empty")
    assert 365 * DAY_MS - DAY_MS < row["valid_to_ms"] - row["valid_from_ms"] <= 366 * DAY_MS


def test_a_coupon_taken_back_may_be_given_again(world: World) -> None:
    product = offered(world)
    number = buy(world, product, 1)
    template = template_of(world, product)
    given = give(world, template, "s1")
    assert isinstance(given, coupons.Issued)

    coupons.void(world.conn, world.act(), given.coupon_id, "wrong car")
    waiting = give(world, template, "s2")
    world.apply(ChannelApplied("coupons", 10**6))

    assert waiting == Refused("stock_empty")
    assert world.accounts()[f"stock:{number}"] == 400
    assert isinstance(give(world, template, "s3"), coupons.Issued)
    assert sound(world)


def test_only_unused_stock_is_refunded_and_the_cap_counts_it_no_more(world: World) -> None:
    product = offered(world)
    number = buy(world, product, 100)
    give(world, template_of(world, product), "s1")

    much = buying.refund(world.conn, world.act(), number, 100, "closing", 100_000)
    paid_out = buying.refund(world.conn, world.act(), number, 99, "closing", 100_000)

    assert (much, paid_out) == (Refused("stock_short", {"left": 99}), 99 * 400)
    assert world.accounts().get(f"stock:{number}", 0) == 0
    assert buying.bought(world.conn, world.merchant_id, product) == 100
    hand_over(world, 1)
    assert buying.bought(world.conn, world.merchant_id, product) == 1
    assert sound(world)


def test_a_product_of_one_lot_is_not_given_at_another(world: World) -> None:
    elsewhere = Product("5", "AMOUNT", 500, 400, 0, 1, lot_id=world.lot_id)
    product = offered(world, elsewhere)
    buy(world, product, 1)

    found = stock.next_lot(world.conn, world.merchant_id, product, world.lot_id + 1, world.now_ms)

    assert found is None


@pytest.mark.parametrize(
    "wrong",
    [
        Product("", "AMOUNT", 500, 400, 0, 12),
        Product("x", "AMOUNT", 0, 400, 0, 12),
        Product("x", "AMOUNT_CUSTOM", 500, 400, 0, 12),
        Product("x", "FULL_WAIVER", 1, 400, 0, 12),
        Product("x", "AMOUNT", 500, 0, 0, 12),
        Product("x", "AMOUNT", 500, 400, 0, 0),
    ],
)
def test_a_product_nobody_can_mean_is_refused(world: World, wrong: Product) -> None:
    assert isinstance(products.offer(world.conn, world.act(), wrong), Refused)


def test_what_was_bought_is_never_owed_again(world: World) -> None:
    product = offered(world)
    buy(world, product, 2)
    given = give(world, template_of(world, product), "s1")
    assert isinstance(given, coupons.Issued)
    world.apply(CouponRedeemed("r1", given.coupon_id, "s1", 500))

    assert statements.unstated(world.conn, world.merchant_id, "ON_REDEEM", world.now_ms) == {}


def test_a_disabled_merchant_buys_nothing(world: World) -> None:
    product = offered(world)
    merchants.set_enabled(world.conn, world.act(), world.merchant_id, enabled=False)

    assert buying.order(world.conn, world.act(), world.merchant_id, product, 1) == Refused("merchant_disabled")


def test_a_check_finds_stock_that_is_not_in_the_books(world: World) -> None:
    number = buy(world, offered(world), 2)

    stock.count_given(world.conn, number, 1)

    assert checking.stock_holds(world.conn) == [f"stock:{number} should hold 400, it holds 800"]
    assert world.accounts(Commodity.MIN)["available"] == 600


def test_a_payment_from_a_phone_leaves_stock_once_and_unused_coupons_go_back_the_same_way(world: World) -> None:
    order = buying.order_to_pay(world.conn, world.act("shop"), world.merchant_id, offered(world), 3)
    assert not isinstance(order, Refused)
    number, told = begun(world.conn, world.act(), order), Outcome(State.PAID, 1_200, "p")

    first = orders.settled(world.conn, world.act(), DUTIES, number, told)
    again = orders.settled(world.conn, world.act(), DUTIES, number, told)
    back = buying.refund(world.conn, world.act(), 1, 2, "closing", 10_000)

    due = refunds.to_send(world.conn, world.operator_id, world.now_ms)
    assert (first, again, back) == (Settled.DONE, Settled.AGAIN, 800)
    assert [row["amount_fen"] for row in due] == [800]
    assert world.accounts()["stock:1"] == 400


def paid_online(world: World, quantity: int) -> tuple[int, int, str]:
    """A product, a purchase of it paid from a phone, and its order."""
    product = offered(world)
    order = buying.order_to_pay(world.conn, world.act("shop"), world.merchant_id, product, quantity)
    assert not isinstance(order, Refused)
    assert pay(world.conn, world.act(), DUTIES, order) is Settled.DONE
    return product, int(order.subject.removeprefix("purchase:")), order.order_id


def asked_back(world: World, number: int, order_id: str) -> str:
    """Two coupons asked back above the limit; the refund's id."""
    assert buying.refund(world.conn, world.act("li"), number, 2, "closing", 500) == 800
    (waiting,) = refunds.of_order(world.conn, order_id)
    assert waiting["state"] == "asked"
    return str(waiting["refund_id"])


def test_a_refund_above_the_limit_holds_the_stock_until_it_is_decided(world: World) -> None:
    product, number, order_id = paid_online(world, 3)

    asked_back(world, number, order_id)

    held = world.accounts()
    assert (held["stock:1"], held["stock_asked:1"], held.get("refund", 0)) == (400, 800, 0)
    assert buying.bought(world.conn, world.merchant_id, product) == 3
    assert buying.refund(world.conn, world.act("li"), number, 2, "more", 500) == Refused("stock_short", {"left": 1})
    assert sound(world)


def test_a_refund_the_second_person_does_not_agree_to_is_stock_again(world: World) -> None:
    _, number, order_id = paid_online(world, 3)
    refund_id = asked_back(world, number, order_id)

    by_the_same = giving_back.decide(world.conn, world.act("li"), DUTIES, refund_id, agreed=False)
    refused = giving_back.decide(world.conn, world.act("wang"), DUTIES, refund_id, agreed=False)

    after = world.accounts()
    assert (by_the_same, refused) == (Refused("refund_needs_another"), None)
    assert (after["stock:1"], after.get("stock_asked:1", 0), after.get("refund", 0)) == (1_200, 0, 0)
    assert refunds.to_send(world.conn, world.operator_id, world.now_ms) == []
    assert buying.refund(world.conn, world.act("li"), number, 3, "closing", 10_000) == 1_200
    assert sound(world)


def test_a_refund_the_second_person_agrees_to_is_sent(world: World) -> None:
    product, number, order_id = paid_online(world, 3)
    refund_id = asked_back(world, number, order_id)

    assert giving_back.decide(world.conn, world.act("wang"), DUTIES, refund_id, agreed=True) is None

    after = world.accounts()
    due = refunds.to_send(world.conn, world.operator_id, world.now_ms)
    assert [row["amount_fen"] for row in due] == [800]
    assert (after["stock:1"], after.get("stock_asked:1", 0), after["refund"]) == (400, 0, 800)
    assert buying.bought(world.conn, world.merchant_id, product) == 1
    assert sound(world)


@pytest.mark.parametrize("limit_fen", [0, 10_000])
def test_what_was_bought_is_never_asked_back_from_the_page_of_its_payment(world: World, limit_fen: int) -> None:
    _, _, order_id = paid_online(world, 3)

    refused = giving_back.ask(world.conn, world.act(), DUTIES, order_id, 800, "closing", limit_fen)

    assert refused == Refused("refund_elsewhere")
    assert list(refunds.of_order(world.conn, order_id)) == []


@pytest.mark.parametrize(("agreed", "stock_fen", "back_fen"), [(True, 400, 800), (False, 1_200, 0)])
def test_what_was_paid_at_the_office_waits_for_a_second_person_too(
    world: World, agreed: bool, stock_fen: int, back_fen: int
) -> None:
    number = buy(world, offered(world), 3)

    assert buying.refund(world.conn, world.act("li"), number, 2, "closing", 500) == 800
    again = buying.refund(world.conn, world.act("li"), number, 1, "more", 500)
    held = world.accounts()
    by_the_same = buying.decide(world.conn, world.act("li"), number, agreed=agreed)
    decided = buying.decide(world.conn, world.act("wang"), number, agreed=agreed)
    twice = buying.decide(world.conn, world.act("wang"), number, agreed=agreed)

    after = world.accounts()
    assert (again, by_the_same, decided) == (Refused("refund_waits"), Refused("refund_needs_another"), None)
    assert twice == Refused("refund_not_asked")
    assert (held["stock_asked:1"], held.get("refund", 0)) == (800, 0)
    assert (after.get("stock:1", 0), after.get("agreed_back", 0)) == (stock_fen, back_fen)
    assert after.get("refund", 0) == 0
    assert sound(world)


def test_what_the_office_did_not_pay_after_all_is_stock_again(world: World) -> None:
    product = offered(world)
    number = buy(world, product, 100)
    before = world.accounts()
    assert buying.refund(world.conn, world.act("li"), number, 60, "closing", 100_000) == 24_000
    over_cap = buying.order(world.conn, world.act("shop"), world.merchant_id, product, 1)
    assert buying.refund(world.conn, world.act("li"), number, 10, "more", 100_000) == 4_000

    assert paying_out.take_back(world.conn, world.act("wang"), DUTIES, 1, "it stays open") is None
    hand_over(world, 2)

    after = world.accounts()
    assert over_cap == Refused("purchase_cap", {"most": 100})
    assert (before["stock:1"], after["stock:1"], after["refund"]) == (40_000, 36_000, 4_000)
    assert after.get("agreed_back", 0) == 0
    assert sound(world)


def test_a_check_finds_coupons_that_nobody_pays_for(world: World) -> None:
    number = buy(world, offered(world), 3)
    assert buying.refund(world.conn, world.act(), number, 2, "closing", 10_000) == 800

    world.conn.execute(update(pay_out).values(state="paid"))

    assert checking.agreed_is_held(world.conn) == [
        f"merchant {world.merchant_id}: 0 FEN are to be handed over, 800 are held for that",
        f"purchase:{number}: 0 are to be handed over, its coupons say 800",
    ]


def test_a_check_finds_what_the_books_gave_back_and_no_provider_was_told_of(world: World) -> None:
    _, number, order_id = paid_online(world, 3)
    assert buying.refund(world.conn, world.act(), number, 2, "closing", 10_000) == 800

    world.conn.execute(update(pay_refund).values(state="refused"))

    assert checking.refunds_agree(world.conn) == [f"order {order_id}: the books gave 800 back, its refunds are 0"]


def test_a_payment_that_comes_too_late_goes_back(world: World) -> None:
    product = offered(world)
    order = buying.order_to_pay(world.conn, world.act("shop"), world.merchant_id, product, 100)
    assert not isinstance(order, Refused)
    number = begun(world.conn, world.act(), order)
    world.now_ms += buying.PAY_WITHIN_MS
    buying.lapse(world.conn, world.operator_id, world.now_ms)
    buy(world, product, 1)

    settled = orders.settled(world.conn, world.act(), DUTIES, number, Outcome(State.PAID, 40_000, "p"))

    assert settled is Settled.UNFULFILLABLE
    assert [row["amount_fen"] for row in refunds.to_send(world.conn, world.operator_id, world.now_ms)] == [40_000]
    assert sound(world)
