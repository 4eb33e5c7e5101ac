"""A lot claims a code for a car at its booth: signed, for its own lot, once."""

from __future__ import annotations

from cloud.act import Refused
from cloud.coupons import codes
from cloud.coupons.booth_claims import bind
from cloud.coupons.claiming import Claimed
from cloud.sync import channels
from tests.cloud.world import World

PLATE, MARK = "京A12345", "0" * 32


def code_of(world: World) -> str:
    template = world.template("AMOUNT", 500)
    batch = codes.open_screen(world.conn, world.act("m"), world.merchant_id, template, most=1)
    assert isinstance(batch, str), batch
    return str(codes.of_batch(world.conn, batch)[0]["token"])


def test_a_code_is_claimed_for_the_car_and_the_lot_hears_of_the_coupon(world: World) -> None:
    world.car("s1", PLATE)
    code = code_of(world)

    first = bind(world.conn, world.act(), world.lot_id, code, PLATE, MARK)
    again = bind(world.conn, world.act(), world.lot_id, code, PLATE, MARK)

    assert isinstance(first, Claimed)
    assert isinstance(again, Claimed), "the same form sent twice"
    rows = [row for _, row in channels.rows_of(world.conn, world.edge_id, "coupons")]
    assert [(row["plate"], row["stay_id"]) for row in rows if row] == [(PLATE, "s1")]
    assert bind(world.conn, world.act(), world.lot_id, code, PLATE, "1" * 32) == Refused("claim_taken")


def test_another_lots_code_and_none_at_all_are_refused(world: World) -> None:
    world.car("s1", PLATE)

    assert bind(world.conn, world.act(), world.lot_id + 1, code_of(world), PLATE, MARK) == Refused("claim_other_lot")
    assert bind(world.conn, world.act(), world.lot_id, "LC1" + "A" * 16, PLATE, MARK) == Refused("claim_unknown")
