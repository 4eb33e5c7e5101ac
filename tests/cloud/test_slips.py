"""A printed voucher named for a car on a phone: the lot is told, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from cloud.act import Refused
from cloud.coupons import slips
from cloud.coupons.claiming import Claimed
from cloud.lots.tables import voucher_key
from cloud.sync.channels import get_row
from domain import voucher
from domain.events import VoucherIssued
from plumbing.signing import PrivateKey, PublicKey
from tests.cloud.world import World

KEY = PrivateKey.generate()
PLATE, OTHER_PLATE = "京A12345", "京B54321"


def genuine(public: bytes, purpose: bytes, body: bytes, signature: bytes) -> bool:
    return PublicKey.from_raw(public)(purpose, body, signature)


@pytest.fixture
def payload(world: World) -> voucher.Payload:
    """A slip of the world's edge, good for a day."""
    its = voucher_key.c.key_id == world.key_id
    world.conn.execute(update(voucher_key).where(its).values(public_key=KEY.public.raw))
    template, minute = world.template("AMOUNT", 500), world.now_ms // 60_000
    return voucher.Payload(world.key_id, 7, template, world.merchant_id, 500, 1, minute + 1440, 25, world.lot_id)


def bind(world: World, payload: voucher.Payload, plate: str = PLATE, key: PrivateKey = KEY) -> Claimed | Refused:
    return slips.bind(world.conn, world.act("driver"), voucher.issue(payload, key), plate, genuine)


def test_a_slip_is_named_for_one_car_and_moves_no_money(world: World, payload: voucher.Payload) -> None:
    world.car("s1")
    before = world.accounts()

    first, again, other = bind(world, payload), bind(world, payload), bind(world, payload, OTHER_PLATE)

    assert isinstance(first, Claimed)
    assert first.is_inside
    assert isinstance(again, Claimed)
    assert other == Refused("slip_bound")
    row = get_row(world.conn, world.edge_id, "vstate", f"{world.key_id}:7")
    assert row is not None
    assert (row["state"], row["plate"], row["cap_fen"]) == ("BOUND", PLATE, 500)
    assert world.accounts() == before


def test_only_genuine_slips_in_time_are_taken(world: World, payload: voucher.Payload) -> None:
    forged = bind(world, payload, key=PrivateKey.generate())
    test_slip = bind(world, replace(payload, test=True))
    elsewhere = bind(world, replace(payload, home_lot=world.lot_id + 1))
    world.now_ms += 1_442 * 60_000

    assert [forged, test_slip, elsewhere] == [Refused("slip_unknown")] * 3
    assert bind(world, payload) == Refused("slip_expired")


def test_what_the_lot_told_is_believed(world: World, payload: voucher.Payload) -> None:
    issued = VoucherIssued(
        world.key_id, 7, 1, world.merchant_id, payload.template_id, 500, 500, payload.not_after_min, "w"
    )
    world.apply(issued)
    world.conn.exec_driver_sql("UPDATE voucher SET state = 'REDEEMED'")

    assert bind(world, payload) == Refused("slip_used")


def test_a_binding_leaves_the_lots_list_a_week_after_its_end(world: World, payload: voucher.Payload) -> None:
    bind(world, payload)

    slips.forget(world.conn, world.operator_id, world.now_ms + 7 * 86_400_000)
    kept = get_row(world.conn, world.edge_id, "vstate", f"{world.key_id}:7")
    slips.forget(world.conn, world.operator_id, world.now_ms + 9 * 86_400_000)

    assert kept is not None
    assert get_row(world.conn, world.edge_id, "vstate", f"{world.key_id}:7") is None
