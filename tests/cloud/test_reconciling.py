"""A lot's day laid side by side: every link breaks into its own difference, and a whole day sums to zero (E72)."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update

from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon, redemption
from cloud.fees.tables import phone_fee
from cloud.lots.tables import debt, payment, stay
from cloud.paid import DUTIES
from cloud.payments.tables import pay_refund
from cloud.reconciling import comparing, gathering, service
from cloud.reconciling.comparing import KINDS, Difference, LotDay, PhoneBook, StayBook, UseBook
from domain.events import (
    CouponRedeemed,
    DebtMoved,
    DebtRecorded,
    PaymentApplied,
    PaymentTaken,
    StayClosed,
    StayReopened,
)
from tests.cloud.paying import pay
from tests.cloud.test_fees import opened, quoted
from tests.cloud.world import NOW, World

CHINA = ZoneInfo("Asia/Shanghai")
TODAY = datetime.fromtimestamp(NOW / 1000, CHINA).date()
DAY_MS = 86_400_000
ORDER = itertools.count(1)


def used_coupon(world: World, stay_id: str, off: int, kind: str = "AMOUNT", value: int = 500) -> str:
    """A coupon of the merchant, used on a car inside; its id."""
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(kind, value), stay_id)
    assert isinstance(made, coupons.Issued), made
    world.apply(CouponRedeemed(f"r-{stay_id}", made.coupon_id, stay_id, off))
    return made.coupon_id


def by_phone(world: World, stay_id: str, used: int, back: int, *, is_digits: bool = False) -> str:
    """A fee of 10 yuan paid by phone and booked by the lot; the payment's name."""
    number = f"{next(ORDER):016x}"
    order = opened(world, quoted(world, number=number, stay_id=stay_id, fee_fen=1000, off_fen=0))
    pay(world.conn, world.act(), DUTIES, order)
    name = order.order_id.replace("-", "")
    if used:
        world.apply(PaymentTaken(f"code-{number}" if is_digits else name, stay_id, "phone", used, "phone"))
    world.apply(PaymentApplied(name, number, stay_id, "list", "settled", used, back))
    return name


def whole_day(world: World) -> dict[str, str]:
    """Five cars: a coupon and cash; phone with a part back; a debt and then its payment; time coupon; digits."""
    for number in range(1, 6):
        world.car(f"s{number}", f"京A1234{number}")
    named = {"coupon": used_coupon(world, "s1", 400)}
    world.apply(PaymentTaken("cash-1", "s1", "cash", 600, "li"))
    world.apply(StayClosed("s1", "out", "京A12341", "PAID", "", 1000, 400, 0, 600, 0, "d1", "t"))
    named["phone"] = by_phone(world, "s2", 800, 200)
    world.apply(StayClosed("s2", "out", "京A12342", "PAID", "", 1100, 0, 300, 800, 0, "d2", "t"))
    world.apply(DebtRecorded("debt-3", "s3", "京A12343", 700))
    world.apply(StayClosed("s3", "out", "京A12343", "UNPAID", "tailgate", 700, 0, 0, 0, 700, "d3", "t"))
    named["time"] = used_coupon(world, "s4", 500, "DURATION", 60)
    world.apply(PaymentTaken("cash-4", "s4", "cash", 1200, "li"))  # 500 for this visit, 700 for what s3 owed
    world.apply(DebtMoved("m1", "debt-3", "paid", 700, "cash-4", "li", ""))
    world.apply(StayClosed("s4", "out", "京A12344", "PAID", "", 1000, 500, 0, 500, 0, "d4", "t"))
    named["digits"] = by_phone(world, "s5", 1000, 0, is_digits=True)
    world.apply(StayClosed("s5", "out", "京A12345", "PAID", "", 1000, 0, 0, 1000, 0, "d5", "t"))
    world.now_ms = NOW + DAY_MS
    return named


def made(world: World, day: date = TODAY) -> list[Difference]:
    found = service.make(world.conn, world.act("service"), world.lot_id, day)
    assert not isinstance(found, Refused), found
    return list(found)


def test_a_whole_day_sums_to_zero(world: World) -> None:
    whole_day(world)

    assert made(world) == []
    (day,) = service.listed(world.conn, world.operator_id).items
    told = day.sums
    assert (told.cars, told.fee, told.discount, told.waived, told.paid, told.owed) == (5, 4800, 900, 300, 2900, 700)
    assert (told.cash, told.phone, told.orders, told.ordered, told.back) == (1800, 1800, 2, 2000, 200)
    assert (told.charged, told.charged_min, told.lost) == (500, 60, 0)  # the whole coupon; sixty minutes
    assert all(here == there for _, here, there in told.chain())
    assert day.open == 0
    assert "day_difference" not in world.codes()


CHANGES: list[tuple[str, Any]] = [
    ("stay_sum", update(stay).where(stay.c.stay_id == "s1").values(fee_fen=1001)),
    ("stay_paid", update(payment).where(payment.c.payment_id == "cash-1").values(amount_fen=599)),
    ("stay_paid", update(payment).where(payment.c.payment_id == "cash-4").values(amount_fen=1201)),
    ("stay_coupons", update(redemption).where(redemption.c.stay_id == "s1").values(off_fen=300)),
    ("stay_debt", update(debt).where(debt.c.debt_id == "debt-3").values(owed_fen=701)),
    ("phone_unbooked", update(phone_fee).where(phone_fee.c.used_fen == 800).values(state="paid")),
    ("phone_split", update(phone_fee).where(phone_fee.c.used_fen == 800).values(amount_fen=1001)),
    ("phone_taken", update(phone_fee).where(phone_fee.c.used_fen == 800).values(used_fen=801, back_fen=199)),
    ("phone_back", update(pay_refund).values(amount_fen=199)),
    ("phone_unknown", update(phone_fee).where(phone_fee.c.used_fen == 800).values(state="open", paid_ms=None)),
    ("charge", update(coupon).where(coupon.c.charged == 500).values(charged=499)),
    ("charge_min", update(coupon).where(coupon.c.charged == 60).values(charged=61)),
]


def test_each_link_that_breaks_is_its_own_difference(world: World) -> None:
    whole_day(world)

    for kind, change in CHANGES:
        attempt = world.conn.begin_nested()
        assert world.conn.execute(change).rowcount == 1, kind
        found = made(world)
        (day,) = service.listed(world.conn, world.operator_id).items
        codes = world.codes()
        attempt.rollback()
        assert kind in [one.kind for one in found]
        assert (day.open, "day_difference" in codes) == (len(found), True)


def test_every_kind_is_broken_above() -> None:
    assert {kind for kind, _ in CHANGES} == set(KINDS)


def test_a_difference_is_worked_off_by_name_and_reason_and_opens_again_when_it_changes(world: World) -> None:
    whole_day(world)
    other = update(payment).where(payment.c.payment_id == "cash-1")
    world.conn.execute(other.values(amount_fen=599))
    made(world)
    (row,) = service.differences(world.conn, world.operator_id, only_open=True).items

    refused = service.close(world.conn, world.act("li"), row["difference_id"], " ")
    assert refused == Refused("reason_missing")
    assert service.close(world.conn, world.act("li"), row["difference_id"], "counted again") is None
    assert service.close(world.conn, world.act("li"), row["difference_id"], "twice") == Refused("difference_not_open")
    made(world)  # laid side by side again: what was written stays
    (kept,) = service.differences(world.conn, world.operator_id, only_open=False).items
    world.conn.execute(other.values(amount_fen=500))
    made(world)
    (again,) = service.differences(world.conn, world.operator_id, only_open=True).items
    world.conn.execute(other.values(amount_fen=600))
    assert made(world) == []

    assert (kept["closed_by"], kept["reason"]) == ("li", "counted again")
    assert (again["there"], again["difference_id"]) == (500, row["difference_id"])
    assert service.differences(world.conn, world.operator_id, only_open=True).items == []


def test_an_exit_taken_back_leaves_nothing_on_either_side(world: World) -> None:
    world.car("s1")
    world.apply(DebtRecorded("debt-1", "s1", "京A12345", 700))
    world.apply(StayClosed("s1", "out", "京A12345", "UNPAID", "tailgate", 700, 0, 0, 0, 700, "d1", "t"))
    world.apply(StayReopened("s1", "京A12345", "li", "wrong car"))
    world.apply(DebtMoved("m1", "debt-1", "reversed", 700, "", "li", "wrong car"))
    world.apply(PaymentTaken("cash-1", "s1", "cash", 900, "li"))
    world.apply(StayClosed("s1", "out", "京A12345", "PAID", "", 900, 0, 0, 900, 0, "d2", "t"))
    world.now_ms = NOW + DAY_MS

    assert made(world) == []


def test_a_use_at_the_operators_expense_is_its_loss_on_both_sides(world: World) -> None:
    world.car("s1")
    coupon_id = used_coupon(world, "s1", 400)
    world.apply(CouponRedeemed("again", coupon_id, "s1", 100))
    world.apply(PaymentTaken("cash-1", "s1", "cash", 500, "li"))
    world.apply(StayClosed("s1", "out", "京A12345", "PAID", "", 1000, 500, 0, 500, 0, "d1", "t"))
    world.now_ms = NOW + DAY_MS

    assert made(world) == []
    (day,) = service.listed(world.conn, world.operator_id).items
    assert (day.sums.lost, day.sums.lost_posted) == (100, 100)


def test_days_fall_due_at_ten_and_are_done_again_for_what_comes_late(world: World) -> None:
    midnight = datetime.combine(TODAY, datetime.min.time(), CHINA).timestamp() * 1000

    def due(hour: float) -> list[str]:
        world.now_ms = round(midnight + hour * 3_600_000)
        return [day.isoformat() for _, day in service.days_due(world.conn, world.operator_id, world.now_ms)]

    assert len(due(34)) == service.BACK_DAYS
    for lot_id, day in service.days_due(world.conn, world.operator_id, world.now_ms):
        service.make(world.conn, world.act("service"), lot_id, day)
    assert due(34.1) == due(57.9) == []  # until ten the next morning
    assert due(58)[-1] == datetime.fromtimestamp(midnight / 1000 + 90_000, CHINA).date().isoformat()
    assert len(due(58)) == service.BACK_DAYS


def test_a_day_that_is_not_over_or_of_nobodys_lot_is_refused(world: World) -> None:
    assert service.make(world.conn, world.act(), world.lot_id, TODAY) == Refused("day_not_over")
    assert service.make(world.conn, world.act(), 99, TODAY) == Refused("lot_missing")


def test_another_operators_day_has_nothing_of_it(world: World) -> None:
    whole_day(world)
    made(world)

    other = world.operator_id + 1
    theirs = gathering.lot_day(world.conn, other, world.lot_id, 0, NOW + DAY_MS)
    assert not any((theirs.stays, theirs.phone, theirs.uses, theirs.unknown, theirs.by_method))
    assert service.listed(world.conn, other).items == []
    assert service.every(world.conn, other, "", None, 10) == []


def test_the_pure_rule_names_the_side_that_says_more() -> None:
    day = LotDay(
        [StayBook("s", 10, 1, 2, 3, 4, 3, 1, 4)],
        [PhoneBook("p", 10, True, 6, 4, 6, 4)],
        [UseBook("c", 5, 5, "FEN", lost=False)],
        [("x", 7)],
        {"cash": 3, "phone": 13},
    )

    assert comparing.compare(day) == [Difference("phone_unknown", "x", 0, 7)]
    assert comparing.sums(day).phone == 13
