"""Leases and vouchers: what lots spend while the cloud is away, and who pays when something is lost (sync §6, §7)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from cloud.access import audit
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.joining import put_out
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import leases
from cloud.merchants import service as merchants
from cloud.merchants.leases import Terms
from cloud.sync.errors import CannotApplyError
from cloud.sync.tables import command
from domain.events import (
    LeaseApplied,
    LeaseReturned,
    VoucherIssued,
    VoucherPrinted,
    VoucherRedeemed,
    VoucherRestored,
    VoucherVoided,
)
from domain.ledger import Commodity
from tests.cloud.world import LANES, World


def granted(world: World, cap: int = 3_000) -> int:
    lease_id = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN, Terms(cap))
    assert isinstance(lease_id, int), lease_id
    return lease_id


def issued(world: World, counter: int, lease_id: int, amount: int = 500, key_id: int | None = None) -> VoucherIssued:
    return VoucherIssued(
        world.key_id if key_id is None else key_id,
        counter,
        lease_id,
        world.merchant_id,
        1,
        amount,
        amount,
        30_000_000,
        "counter",
    )


def test_a_grant_moves_money_and_queues_one_command_for_the_epoch(world: World) -> None:
    lease_id = granted(world, cap=2_000)

    sent = world.conn.execute(select(command)).one()
    assert world.accounts() == {"recharge": -12_000, "available": 10_000, f"lease:{lease_id}": 2_000}
    assert (sent.kind, sent.epoch, sent.cmd_seq) == ("lease.grant", 1, 1)
    assert json.loads(sent.body) == {
        "lease_id": lease_id,
        "merchant_id": world.merchant_id,
        "commodity": "FEN",
        "funds": "BONUS",
        "granted": 2_000,
        "spend_h": 72,
        "papers": {},
    }


def test_all_leases_together_never_pass_sixty_percent(world: World) -> None:
    sizes = []
    for _ in range(8):
        lease_id = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN, Terms(3_000))
        if isinstance(lease_id, Refused):
            break
        sizes.append(world.accounts()[f"lease:{lease_id}"])

    assert sum(sizes) <= 7_200
    assert world.accounts()["available"] >= 4_800


def test_an_edge_that_never_said_hello_gets_no_lease(world: World) -> None:
    lot_id = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    claim = lot_edges.create_edge(world.conn, world.act(), lot_id, "south", "https://c.example", b"k")
    assert not isinstance(claim, Refused)

    refused = leases.grant(world.conn, world.act(), claim.edge_id, world.merchant_id, Commodity.FEN)

    assert refused == Refused("edge_not_active")


def test_a_voucher_issued_printed_and_used_is_charged_once(world: World) -> None:
    lease_id = granted(world, 2_000)
    for event in (
        LeaseApplied(lease_id, 2_000),
        issued(world, 1, lease_id),
        VoucherPrinted(world.key_id, 1, "confirmed"),
        VoucherRedeemed("r1", world.key_id, 1, "s1", 450),
        VoucherRedeemed("r1", world.key_id, 1, "s1", 450),  # the same use told twice
        VoucherRedeemed("r2", world.key_id, 1, "s2", 450),  # a second use
    ):
        world.apply(event)

    assert world.accounts() == {
        "recharge": -12_000,
        "available": 10_000,
        f"lease:{lease_id}": 1_500,
        "redeemed": 500,
        "operator_loss": -450,
        "unfunded": 450,
    }
    assert world.codes() == ["voucher_used_again"]


def test_a_spend_beyond_the_lease_is_the_operators_loss(world: World) -> None:
    lease_id = granted(world, 2_000)

    world.apply(issued(world, 1, lease_id, 1_800))
    world.apply(issued(world, 2, lease_id, 500))

    assert world.accounts() == {
        "recharge": -12_000,
        "available": 10_000,
        "outstanding": 2_000,
        "operator_loss": -300,
        "unfunded": 300,
    }
    assert world.codes() == ["lease_overdrawn"]


def test_a_spend_from_a_lease_nobody_granted_is_the_operators_loss(world: World) -> None:
    world.apply(issued(world, 1, 999))

    assert world.accounts() == {"recharge": -12_000, "available": 12_000, "operator_loss": -500, "unfunded": 500}
    assert world.codes() == ["lease_unknown"]


def test_an_edge_moves_nothing_of_another_edges_lease(world: World) -> None:
    lease_id = granted(world, 2_000)
    lot_id = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    other, other_key = world.new_edge(lot_id, "south")

    world.apply(issued(world, 1, lease_id, key_id=other_key), edge_id=other)
    for event in (
        LeaseReturned(lease_id, 2_000),
        LeaseApplied(lease_id, 2_000),
        issued(world, 2, lease_id),
        VoucherRedeemed("r", world.key_id, 77, "s", 1),
    ):
        with pytest.raises(CannotApplyError):
            world.apply(event, edge_id=other)

    assert world.accounts()[f"lease:{lease_id}"] == 2_000
    assert world.accounts()["operator_loss"] == -500


def test_a_void_at_the_booth_returns_the_money_and_a_later_use_costs_the_operator(world: World) -> None:
    lease_id = granted(world, 2_000)
    world.apply(issued(world, 1, lease_id))

    world.apply(VoucherVoided(world.key_id, 1, "paper jam", "booth"))
    returned = world.accounts()
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 500))
    world.apply(VoucherVoided(world.key_id, 1, "again", "booth"))

    assert returned == {"recharge": -12_000, "available": 10_500, f"lease:{lease_id}": 1_500}
    assert world.accounts() == returned | {"operator_loss": -500, "unfunded": 500}
    assert sorted(world.codes()) == ["void_refused", "voucher_used_after_void"]


def test_a_return_closes_the_lease_if_both_sides_count_the_same(world: World) -> None:
    lease_id = granted(world, 2_000)
    world.apply(issued(world, 1, lease_id))

    with pytest.raises(CannotApplyError, match="books hold 1500"):
        world.apply(LeaseReturned(lease_id, 1_501))
    world.apply(LeaseReturned(lease_id, 1_500))
    with pytest.raises(CannotApplyError, match="returned before"):
        world.apply(LeaseReturned(lease_id, 1_500))

    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "outstanding": 500}


def test_a_counter_used_twice_is_parked(world: World) -> None:
    lease_id = granted(world, 2_000)
    world.apply(issued(world, 1, lease_id))

    with pytest.raises(CannotApplyError, match="issued before"):
        world.apply(issued(world, 1, lease_id))


def test_refill_waits_until_less_than_forty_percent_is_left_and_calls_the_old_lease_back(world: World) -> None:
    first = leases.refill(world.conn, world.act(), world.edge_id, Terms(2_000))
    assert leases.refill(world.conn, world.act(), world.edge_id, Terms(2_000)) == []  # not even applied yet
    for lease_id in first:
        size = leases.listed(world.conn, world.operator_id).items[-1]["granted"] if lease_id == first[0] else 360
        world.apply(LeaseApplied(lease_id, size))
    world.apply(issued(world, 1, first[0], 1_000))
    half = leases.refill(world.conn, world.act(), world.edge_id, Terms(2_000))

    world.apply(issued(world, 2, first[0], 300))
    again = leases.refill(world.conn, world.act(), world.edge_id, Terms(2_000))

    kinds = [row.kind for row in world.conn.execute(select(command).order_by(command.c.cmd_seq))]
    assert len(first) == 2  # one in money, one in minutes
    assert half == []
    assert len(again) == 1
    assert kinds == ["lease.grant", "lease.grant", "lease.grant", "lease.return"]


def test_a_disabled_merchant_gets_no_more_leases(world: World) -> None:
    merchants.set_enabled(world.conn, world.act(), world.merchant_id, enabled=False)

    assert leases.refill(world.conn, world.act(), world.edge_id) == []


def test_a_revoked_edge_keeps_its_money_frozen_and_gets_nothing_new(world: World) -> None:
    lease_id = granted(world, 2_000)
    world.apply(issued(world, 1, lease_id))
    world.car("s1")
    template, before = world.template(), world.accounts()

    assert put_out(world.conn, world.act(), world.edge_id, "stolen") is None

    (row,) = leases.listed(world.conn, world.operator_id).items
    assert (row["state"], row["left"], world.accounts()) == ("frozen", 1_500, before)
    assert leases.held(world.conn, world.operator_id) == {("frozen", "FEN"): 1_500}
    assert leases.refill(world.conn, world.act(), world.edge_id) == []
    assert leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN) == Refused(
        "edge_not_active"
    )
    assert isinstance(coupons.issue(world.conn, world.act(), world.merchant_id, template, "s1"), Refused)
    assert leases.call_back(world.conn, world.act(), lease_id) == Refused("lease_not_active")
    assert put_out(world.conn, world.act(), world.edge_id, "again") == Refused("edge_unknown")
    acts = [each["act"] for each in audit.listed(world.conn, world.operator_id).items]
    assert acts[:2] == ["leases.frozen", "edge.revoked"]


def test_a_voucher_whose_use_is_taken_back_is_out_again(world: World) -> None:
    lease_id = granted(world, 2_000)
    world.apply(issued(world, 1, lease_id))
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 500))

    world.apply(VoucherRestored("r1", world.key_id, 1, "s1"))

    held = world.accounts()
    assert (held["outstanding"], held.get("redeemed", 0)) == (500, 0)
    world.apply(VoucherRedeemed("r2", world.key_id, 1, "s1", 500))
    assert (world.accounts().get("outstanding", 0), world.accounts()["redeemed"], world.codes()) == (0, 500, [])
