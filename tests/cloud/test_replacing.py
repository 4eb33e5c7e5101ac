"""A device is put out and succeeded in one act; its successor is told what was known, and may tell what it kept."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.joining import join
from cloud.lots import edges as lot_edges
from cloud.replacing import replace_edge, takeover_of
from cloud.sync import channels, cursors
from cloud.sync.context import ApplyContext
from cloud.sync.salvage import apply_salvage
from cloud.sync.tables import inbox
from domain import events
from domain.claim import Claim
from domain.moment import Moment
from domain.sync.batch import Batch
from domain.takeover import Takeover, open_takeover
from domain.wire import GENESIS, BadMessageError
from tests.cloud.world import NOW, World

BOOTED = Moment("b", 5, NOW)


def replaced(world: World) -> str:
    """The world's edge is dead; the id of the one that took its place."""
    claim = replace_edge(world.conn, world.act(), world.edge_id, "http://cloud.example", b"k" * 32)
    assert isinstance(claim, Claim), claim
    joined = join(world.conn, claim.edge_id, claim.secret, b"n" * 32, NOW)
    assert not isinstance(joined, Refused)
    return joined.edge_id


def issued(world: World, stay_id: str) -> str:
    world.car(stay_id)
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), stay_id)
    assert not isinstance(made, Refused), made
    return str(world.conn.execute(select(coupon.c.coupon_id)).scalar_one())


def test_the_dead_device_is_put_out_and_its_successor_begins_in_an_epoch_after_it(world: World) -> None:
    before = cursors.position(world.conn, world.edge_id)
    assert before is not None

    new = replaced(world)

    after = cursors.position(world.conn, new)
    assert after is not None
    assert after["epoch"] == before["epoch"] + 1
    assert lot_edges.identity(world.conn, world.edge_id) is None
    assert lot_edges.replaced_by(world.conn, new) == world.edge_id
    assert "edge_replaced" in world.codes()


def test_an_edge_nobody_claimed_or_somebody_elses_is_not_replaced(world: World) -> None:
    assert replace_edge(world.conn, world.act(), "nobody", "http://x", b"k") == Refused("edge_unknown")


def test_it_is_told_of_cars_payments_and_debts_until_its_own_log_begins(world: World) -> None:
    world.car("s1")
    world.apply(events.PaymentTaken("p1", "s1", "cash", 200, "li"))
    world.car("s2", "粤B98765")
    world.apply(events.StayClosed("s2", "out", "粤B98765", "UNPAID", "forced", 500, 0, 0, 0, 500, "d2", "t"))
    world.apply(events.DebtRecorded("debt-1", "s2", "粤B98765", 500))
    new = replaced(world)

    told = takeover_of(world.conn, new)
    assert isinstance(told, Takeover)
    assert [car.stay_id for car in told.inside] == ["s1"]
    assert [(one.payment_id, one.amount_fen) for one in told.paid] == [("p1", 200)]
    assert [(one.debt_id, one.owed_fen, one.state) for one in told.owed] == [("debt-1", 500, "open")]
    assert open_takeover(told.message()) == told
    cursors.advance(world.conn, new, told.epoch, 1, bytes(32))
    assert takeover_of(world.conn, new) == Refused("edge_has_begun")


def test_lists_and_coupons_go_over_to_the_successor(world: World) -> None:
    coupon_id = issued(world, "s1")
    new = replaced(world)

    assert channels.get_row(world.conn, new, "coupons", coupon_id) is not None
    world.apply(events.CouponRedeemed("r1", coupon_id, "s1", 500), edge_id=new)
    world.apply(events.StayClosed("s1", "out", "京A12345", "PAID", "", 500, 500, 0, 0, 0, "d", "t"), edge_id=new)

    state = world.conn.execute(select(coupon.c.state)).scalar_one()
    assert (state, channels.get_row(world.conn, new, "coupons", coupon_id)) == ("REDEEMED", None)
    world.accounts()


def test_a_void_the_dead_device_never_confirmed_waits_for_the_successor(world: World) -> None:
    coupon_id = issued(world, "s1")
    assert coupons.void(world.conn, world.act(), coupon_id, "mistyped") is None
    new = replaced(world)
    (row,) = world.conn.execute(select(coupon.c.state, coupon.c.void_version))
    assert row.state == "VOID_PENDING"

    world.apply(events.ChannelApplied("coupons", row.void_version), edge_id=new)

    assert world.conn.execute(select(coupon.c.state)).scalar_one() == "VOIDED"


def kept(world: World) -> Batch:
    """Two events of the dead device's log that never came."""
    facts = (
        events.StayOpened("s9", "in", "inside", "沪C11223", "沪C11223", "small", "d9"),
        events.PaymentTaken("p9", "s9", "cash", 100, "li"),
    )
    bodies = tuple(events.encode(seq, BOOTED, fact) for seq, fact in enumerate(facts, 1))
    return Batch(1, 1, GENESIS, bodies)


def told_late(world: World, teller: str, batch: Batch) -> object:
    ctx = ApplyContext(world.edge_id, world.lot_id, world.operator_id, batch.epoch, NOW)
    at = cursors.position(world.conn, teller)
    assert at is not None
    return apply_salvage(world.conn, ctx, teller, at["epoch"], batch, batch.hashes())


def test_what_the_dead_device_kept_is_applied_once_in_its_name(world: World) -> None:
    new, batch = replaced(world), kept(world)

    first, again = told_late(world, new, batch), told_late(world, new, batch)

    assert first == again == {"what": "salvaged", "s": 2}
    rows = world.conn.execute(select(func.count()).select_from(inbox).where(inbox.c.edge_id == world.edge_id))
    assert rows.scalar_one() == 2
    told = takeover_of(world.conn, new)
    assert isinstance(told, Takeover)
    assert [one.payment_id for one in told.paid] == ["p9"]


def test_only_the_successor_tells_it_and_only_what_goes_on_from_what_is_held(world: World) -> None:
    new, batch = replaced(world), kept(world)
    gap = Batch(1, 2, batch.hashes()[0], batch.bodies[1:])

    assert told_late(world, new, gap) == {"what": "salvage_refused", "why": "gap"}
    assert "salvage_refused" in world.codes()
    ctx = ApplyContext("somebody", world.lot_id, world.operator_id, 1, NOW)
    with pytest.raises(BadMessageError):
        apply_salvage(world.conn, ctx, new, 2, batch, batch.hashes())
