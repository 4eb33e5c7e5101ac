"""Usage records at once, discount records once the car has left, and the figures over them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from cloud.coupons import papers, records, withdrawing
from cloud.coupons import service as coupons
from cloud.coupons.records import Sought
from cloud.coupons.tables import coupon
from domain.events import CouponRedeemed, StayClosed, VoucherRedeemed, VoucherVoided
from tests.cloud.test_leases import granted, issued
from tests.cloud.world import World

ALL = Sought()


def _given(world: World, stay: str, kind: str = "AMOUNT", value: int = 500, plate: str = "京A12345") -> str:
    world.car(stay, plate)
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(kind, value), stay)
    assert isinstance(made, coupons.Issued), made
    return made.coupon_id


def _left(world: World, stay: str) -> None:
    world.apply(StayClosed(stay, "out", "京A12345", "PAID", "", 1_500, 500, 0, 1_000, 0, f"x-{stay}", "t"))


def _seen(world: World, query: object, sought: Sought) -> list[str]:
    rows = world.conn.execute(query(world.operator_id, sought)).mappings()  # type: ignore[operator]
    return [row["stay_id"] for row in rows]


def test_a_coupon_is_a_usage_at_once_and_a_discount_once_the_car_has_left(world: World) -> None:
    given = _given(world, "s1")
    at_once = _seen(world, records.usage, ALL), _seen(world, records.discounts, ALL)
    world.apply(CouponRedeemed("r1", given, "s1", 500))
    inside = _seen(world, records.discounts, ALL)
    _left(world, "s1")

    assert (at_once, inside) == ((["s1"], []), [])
    assert _seen(world, records.discounts, ALL) == ["s1"]


def test_records_are_found_by_plate_kind_state_merchant_and_time(world: World) -> None:
    _given(world, "s1")
    _given(world, "s2", "DURATION", 60, plate="沪B88888")

    def usage(**sought: object) -> list[str]:
        return _seen(world, records.usage, replace(ALL, **sought))  # type: ignore[arg-type]

    assert usage(search="B888") == ["s2"]
    assert usage(kind="AMOUNT") == ["s1"]
    assert usage(state="REDEEMED") == []
    assert usage(merchant_id=world.merchant_id + 1) == []
    assert usage(from_ms=world.now_ms + 1) == []
    assert usage(until_ms=world.now_ms) == []
    assert sorted(usage(from_ms=world.now_ms, until_ms=world.now_ms + 1)) == ["s1", "s2"]


def test_the_funnel_counts_each_coupon_where_it_got_to(world: World) -> None:
    used, _, back = _given(world, "s1"), _given(world, "s2"), _given(world, "s3")
    world.apply(CouponRedeemed("r1", used, "s1", 400))
    coupons.void(world.conn, world.act(), back, "mistake")
    world.now_ms += 2 * 86_400_000
    coupons.record_expiries(world.conn, world.operator_id, world.now_ms)

    row = world.conn.execute(records.funnel(world.operator_id, 0, world.now_ms)).mappings().one()
    quarters = world.conn.execute(records.by_quarter(world.operator_id, 0, world.now_ms)).all()

    assert dict(row) == {"issued": 3, "bound": 3, "redeemed": 1, "expired": 1, "voided": 1}
    assert [(one.merchant_id, one.off_fen, one.coupons) for one in quarters] == [(world.merchant_id, 400, 1)]


def test_disabling_may_take_back_what_is_out_but_never_what_was_used(world: World) -> None:
    used = _given(world, "s1")
    _given(world, "s2")
    world.apply(CouponRedeemed("r1", used, "s1", 500))

    gone = withdrawing.withdraw_unused(world.conn, world.act(), world.merchant_id, "merchant disabled")

    states = {row["stay_id"]: row["state"] for row in coupons.coupons(world.conn, world.operator_id).items}
    assert gone == 1
    assert states == {"s1": "REDEEMED", "s2": "VOID_PENDING"}


def test_a_coupon_tied_to_a_plate_before_the_car_came_is_a_discount_of_the_stay_it_was_used_in(world: World) -> None:
    gone, inside = _given(world, "s1"), _given(world, "s2", plate="京B22222")
    world.conn.execute(update(coupon).values(stay_id=""))
    world.apply(CouponRedeemed("r1", gone, "s1", 500))
    world.apply(CouponRedeemed("r2", inside, "s2", 500))
    _left(world, "s1")

    row = world.conn.execute(records.discounts(world.operator_id, ALL)).mappings().one()

    assert (row["coupon_id"], row["of_stay"]) == (gone, "s1")


def test_vouchers_printed_at_a_counter_are_in_records_and_report(world: World) -> None:
    lease = granted(world)
    for number in (1, 2, 3):
        world.apply(issued(world, number, lease))
    world.car("s1")
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 400))
    world.apply(VoucherRedeemed("r2", world.key_id, 1, "s1", 400))  # used again, at the operator's expense
    world.apply(VoucherVoided(world.key_id, 2, "spoilt", "li"))

    rows = world.conn.execute(papers.usage(world.operator_id, ALL)).mappings().all()
    far_ms = world.now_ms + 400 * 86_400_000
    funnel = world.conn.execute(papers.funnel(world.operator_id, 0, far_ms, far_ms)).mappings().one()
    quarters = world.conn.execute(papers.by_quarter(world.operator_id, 0, far_ms)).all()

    assert [(row["number"], row["state"], row["of_stay"]) for row in rows] == [
        (f"{world.key_id}-3", "OUTSTANDING", ""),
        (f"{world.key_id}-2", "VOIDED", ""),
        (f"{world.key_id}-1", "REDEEMED", "s1"),
    ]
    assert dict(funnel) == {"issued": 3, "bound": 1, "redeemed": 1, "expired": 1, "voided": 1}
    assert [(one.merchant_id, one.off_fen, one.coupons) for one in quarters] == [(world.merchant_id, 400, 1)]
    for sought in (Sought(world.merchant_id + 1), Sought(state="REDEEMED", search="-3"), Sought(until_ms=0)):
        assert world.conn.execute(papers.usage(world.operator_id, sought)).all() == []
    assert world.conn.execute(papers.usage(world.operator_id + 1, ALL)).all() == []
