"""A template's total over several lots: what lots may print counts as given until they say otherwise (S2.24)."""

from __future__ import annotations

import json

from sqlalchemy import select

from cloud.act import Refused
from cloud.coupons import rules, sharing
from cloud.coupons import service as coupons
from cloud.lots import service as lots
from cloud.merchants import contracts, leases
from cloud.sync.tables import command
from domain.coupon.limits import Level, Limits
from domain.events import LeaseApplied, LeaseReturned, VoucherIssued
from domain.ledger import Commodity
from tests.cloud.world import LANES, World

TERMS = leases.Terms(3_000, 72)


def limited(world: World, total: int = 0, day_total: int = 0) -> int:
    template_id, limits = world.template("AMOUNT", 100), Limits(total=total, day_total=day_total)
    assert rules.set_limits(world.conn, world.act(), Level.COUPON, template_id, limits) is None
    return template_id


def second_lot(world: World) -> tuple[str, int]:
    lot_id = lots.create_lot(world.conn, world.act(), "south lot", "Asia/Shanghai", 100, LANES)
    assert isinstance(lot_id, int)
    assert isinstance(contracts.set_contract(world.conn, world.act(), world.merchant_id, lot_id), int)
    return world.new_edge(lot_id, "south")


def out(world: World, template_id: int) -> int:
    return int(world.conn.execute(leases.papers_out(template_id)).scalar_one())


def told(world: World, edge_id: str) -> list[dict[str, int]]:
    """The papers of every lease of money granted to an edge, in their order."""
    query = select(command.c.body).where(command.c.edge_id == edge_id, command.c.kind == "lease.grant")
    bodies = [json.loads(body) for body in world.conn.execute(query.order_by(command.c.cmd_seq)).scalars()]
    return [body["papers"] for body in bodies if body["commodity"] == "FEN"]


def take(world: World, edge_id: str) -> list[int]:
    """Refill an edge and have it hold what it was granted; returns the leases of money."""
    made = sharing.refill(world.conn, world.act(), edge_id, TERMS)
    rows = [row for row in leases.listed(world.conn, world.operator_id).items if row["lease_id"] in made]
    for row in rows:
        world.apply(LeaseApplied(row["lease_id"], row["granted"]), edge_id=edge_id)
    return [row["lease_id"] for row in rows if row["commodity"] == Commodity.FEN.value]


def paper(world: World, lease_id: int, counter: int, template_id: int, edge: tuple[str, int] | None = None) -> None:
    edge_id, key_id = edge or (world.edge_id, world.key_id)
    issued = VoucherIssued(key_id, counter, lease_id, world.merchant_id, template_id, 100, 100, 30_000_000, "counter")
    world.apply(issued, edge_id=edge_id)


def given(world: World, template_id: int, tries: int) -> int:
    """How many of so many tries to give a coupon to a car succeed."""
    made = [
        coupons.issue(
            world.conn, world.act(), world.merchant_id, template_id, world.car(f"s{world.now_ms}-{n}", f"京B{n:05}")
        )
        for n in range(tries)
    ]
    world.now_ms += 1
    assert {one.code for one in made if isinstance(one, Refused)} <= {"all_taken", "all_taken_today"}
    return sum(not isinstance(one, Refused) for one in made)


def test_what_lots_may_print_counts_as_given(world: World) -> None:
    template_id, south = limited(world, total=40), second_lot(world)
    take(world, world.edge_id)
    take(world, south[0])

    here = given(world, template_id, 40)

    assert told(world, world.edge_id) == [{str(template_id): 10}]
    assert told(world, south[0]) == [{str(template_id): 7}]
    assert here == 40 - 10 - 7


def test_a_paper_is_counted_once_whether_the_cloud_has_heard_of_it_or_not(world: World) -> None:
    template_id = limited(world, total=20)
    (lease_id,) = take(world, world.edge_id)
    before = out(world, template_id)
    for counter in range(1, 4):
        paper(world, lease_id, counter, template_id)

    assert (before, out(world, template_id)) == (10, 7)
    assert given(world, template_id, 20) == 10


def test_a_returned_leases_papers_may_be_given_again_and_a_frozen_ones_not(world: World) -> None:
    template_id, south = limited(world, total=40), second_lot(world)
    (mine,) = take(world, world.edge_id)
    take(world, south[0])
    leases.freeze(world.conn, world.act(), south[0])
    paper(world, mine, 1, template_id)

    world.apply(LeaseReturned(mine, 1_900))

    assert out(world, template_id) == 7
    assert given(world, template_id, 40) == 40 - 1 - 7


def test_a_lot_that_printed_most_of_its_papers_gets_more_though_its_money_lasts(world: World) -> None:
    template_id = limited(world, total=1_000)
    (first,) = take(world, world.edge_id)
    for counter in range(1, 8):
        paper(world, first, counter, template_id)

    (second,) = take(world, world.edge_id)

    assert second != first
    assert told(world, world.edge_id) == [{str(template_id): 10}, {str(template_id): 10}]
    kinds = select(command.c.kind).where(command.c.edge_id == world.edge_id).order_by(command.c.cmd_seq)
    assert list(world.conn.execute(kinds).scalars())[-2:] == ["lease.grant", "lease.return"]


def test_papers_nobody_prints_are_called_back_when_the_rest_is_gone(world: World) -> None:
    template_id = limited(world, total=24)
    (first,) = take(world, world.edge_id)
    assert given(world, template_id, 24) == 14

    for _ in range(6):
        made = take(world, world.edge_id)
        for lease_id in [first, *made][:1]:
            row = next(one for one in leases.listed(world.conn, world.operator_id).items if one["lease_id"] == lease_id)
            if row["state"] == "active":
                world.apply(LeaseReturned(lease_id, row["granted"]))
        first = made[0] if made else first
        given(world, template_id, 24)

    assert given(world, template_id, 1) == 0
    assert out(world, template_id) <= 1


def test_the_days_total_counts_what_lots_may_print_too(world: World) -> None:
    template_id = limited(world, day_total=12)
    take(world, world.edge_id)

    today = given(world, template_id, 12)
    world.now_ms += 86_400_000

    assert (told(world, world.edge_id), today) == ([{str(template_id): 6}], 6)
    assert given(world, template_id, 12) == 6


def test_a_coupon_on_its_way_back_leaves_no_room_for_another(world: World) -> None:
    template_id = limited(world, total=1)
    world.car("s1")
    made = coupons.issue(world.conn, world.act(), world.merchant_id, template_id, "s1")
    assert isinstance(made, coupons.Issued)
    assert coupons.void(world.conn, world.act(), made.coupon_id, "mistake") is None

    before = given(world, template_id, 1)
    assert coupons.release_voids(world.conn, world.edge_id, 1_000, world.now_ms, "told") == 1

    assert (before, given(world, template_id, 1)) == (0, 1)


def test_templates_without_a_total_are_in_no_lease(world: World) -> None:
    world.template()
    take(world, world.edge_id)

    assert told(world, world.edge_id) == [{}]
