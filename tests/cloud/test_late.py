"""A coupon for a car that has paid: what is refused before it is given, and how the difference goes back once."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.coupons import history, late
from cloud.coupons.service import Issued
from cloud.lots import service as lots
from cloud.lots import succession
from cloud.paid import DUTIES
from cloud.sync.channels import get_row
from cloud.sync.errors import CannotApplyError
from domain.coupon.limits import Level
from domain.coupon.terms import Late, LotWays
from domain.events import CouponRedeemed, PaymentApplied, PaymentGivenBack, PaymentTaken
from tests.cloud.paying import pay
from tests.cloud.test_fees import due, listed, opened, quoted
from tests.cloud.test_limits import give, limit
from tests.cloud.world import World

NUMBER = "0123456789abcdef"


def paid_by_phone(world: World, most_fen: int = 20_000) -> str:
    """Ten yuan, at a lot that gives differences back; the payment's id."""
    world.car("s1")
    limit(world, Level.LOT, world.lot_id, LotWays(late=Late.REFUND, back_most_fen=most_fen))
    pay(world.conn, world.act(), DUTIES, opened(world, quoted(world)))
    (payment_id,) = listed(world)
    world.apply(PaymentTaken(payment_id, "s1", "phone", 1000, "phone"))
    world.apply(PaymentApplied(payment_id, NUMBER, "s1", "list", "settled", 1000, 0))
    return payment_id


def test_the_lot_hears_that_it_gives_back_and_how_much(world: World) -> None:
    paid_by_phone(world, 500)

    row = get_row(world.conn, world.edge_id, "rules", f"limits:lot:{world.lot_id}")

    assert row == {"late": "refund", "back_most_fen": 500}


@pytest.mark.parametrize(
    ("kind", "value", "most_fen", "given"),
    [
        ("AMOUNT", 300, 300, True),
        ("AMOUNT", 301, 300, False),
        ("FULL_WAIVER", 0, 1000, True),
        ("FULL_WAIVER", 0, 999, False),
        ("DURATION", 30, 999, False),
    ],
)
def test_what_may_be_above_the_limit_is_refused_before_it_is_given(
    world: World, kind: str, value: int, most_fen: int, given: bool
) -> None:
    paid_by_phone(world, most_fen)

    said = give(world, world.template(kind, value))

    assert isinstance(said, Issued) is given
    assert given or said == Refused("back_too_much", {"most": f"{most_fen / 100:.2f}"})


def test_what_a_drawer_took_does_not_go_back_to_a_phone(world: World) -> None:
    paid_by_phone(world)
    world.apply(PaymentTaken("p2", "s1", "cash", 100, "li"))

    assert give(world, world.template()) == Refused("paid_in_cash")
    assert late.paid(world.conn, [{"stay_id": "s1", "lot_id": world.lot_id}]) == {"s1": (1100, "cash")}


@pytest.mark.parametrize(("value", "given"), [(500, True), (501, False)])
def test_a_car_that_paid_cash_gets_one_where_the_booth_gives_the_difference_back(
    world: World, value: int, given: bool
) -> None:
    world.car("s1")
    ways = LotWays(late=Late.REFUND, back_most_fen=500, cash_back=True)
    limit(world, Level.LOT, world.lot_id, ways)
    world.apply(PaymentTaken("p1", "s1", "cash", 1000, "li"))

    said = give(world, world.template("AMOUNT", value))

    assert isinstance(said, Issued) is given
    assert given or said == Refused("back_too_much", {"most": "5.00"})
    assert late.paid(world.conn, [{"stay_id": "s1", "lot_id": world.lot_id}]) == {"s1": (1000, "booth")}
    told = get_row(world.conn, world.edge_id, "rules", f"limits:lot:{world.lot_id}")
    assert told == {"late": "refund", "back_most_fen": 500, "cash_back": True}


def test_what_was_paid_partly_in_cash_goes_back_nowhere(world: World) -> None:
    paid_by_phone(world)
    limit(world, Level.LOT, world.lot_id, LotWays(late=Late.REFUND, back_most_fen=20_000, cash_back=True))
    world.apply(PaymentTaken("p2", "s1", "cash", 100, "li"))

    assert give(world, world.template()) == Refused("paid_in_cash")


def test_the_difference_goes_back_once_by_the_order_it_came_with(world: World) -> None:
    payment_id = paid_by_phone(world)
    made = give(world, world.template())
    assert isinstance(made, Issued)
    told = PaymentGivenBack("b1", payment_id, NUMBER, "s1", made.coupon_id, 500)

    for _ in range(2):
        world.apply(told)
    world.apply(PaymentGivenBack("b2", payment_id, NUMBER, "s1", made.coupon_id, 200))
    world.apply(CouponRedeemed("r1", made.coupon_id, "s1", 700))

    assert sorted(due(world)) == [("coupon", 200), ("coupon", 500)]
    assert lots.paid_by_method(world.conn, ["s1"]) == {"s1": {"phone": 300}}
    assert [(one.payment_id, one.amount_fen) for one in succession.paid_inside(world.conn, world.lot_id)] == [
        (payment_id, 300)
    ]
    found = history.of(world.conn, world.operator_id, made.coupon_id, world.merchant_id)
    assert found is not None
    assert [(step.what, step.off_fen) for step in found[1] if step.off_fen] == [
        ("redeemed", 700),
        ("given_back", 500),
        ("given_back", 200),
    ]


def test_never_more_goes_back_than_was_paid(world: World) -> None:
    payment_id = paid_by_phone(world)

    for number in range(3):
        world.apply(PaymentGivenBack(f"b{number}", payment_id, NUMBER, "s1", "c", 600))

    assert sorted(due(world)) == [("coupon", 400), ("coupon", 600)]


def test_a_payment_known_by_its_digits_goes_back_by_its_quote(world: World) -> None:
    paid_by_phone(world)

    world.apply(PaymentGivenBack("b1", f"code-{NUMBER}", NUMBER, "s1", "c", 100))

    assert due(world) == [("coupon", 100)]


def test_another_lot_gives_nothing_of_this_one_back(world: World) -> None:
    payment_id = paid_by_phone(world)

    with pytest.raises(CannotApplyError):
        world.apply(PaymentGivenBack("b1", payment_id, NUMBER, "s1", "c", 100), edge_id="elsewhere")

    assert due(world) == []
