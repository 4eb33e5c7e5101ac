"""Branches: own and shared purses, monthly limits, lots served, and who may act for whom."""

from __future__ import annotations

from cloud.access import service as access
from cloud.access.roles import Role
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.lots import service as lots
from cloud.merchants import branches, contracts, leases, ledger
from cloud.merchants import service as merchants
from cloud.merchants.branches import Place, Plan
from domain.events import ChannelApplied
from domain.ledger import Commodity
from tests.cloud.world import LANES, World


def opened(world: World, **plan: object) -> int:
    made = branches.add(world.conn, world.act(), world.merchant_id, Plan("south", **plan))  # type: ignore[arg-type]
    assert isinstance(made, int), made
    return made


def give(world: World, branch_id: int, template_id: int, stay_id: str) -> coupons.Issued | Refused:
    world.car(stay_id)
    return coupons.issue(world.conn, world.act(), world.merchant_id, template_id, stay_id, 0, branch_id)


def test_a_branch_with_its_own_purse_spends_only_that(world: World) -> None:
    branch_id = opened(world, own_purse=True)
    before = world.accounts()["available"]
    short = give(world, branch_id, template := world.template(), "s1")

    assert branches.fill(world.conn, world.act(), branch_id, Commodity.FEN, 600) is None
    given = give(world, branch_id, template, "s2")
    more = give(world, branch_id, template, "s3")

    assert short == Refused("balance_short", {"left": 0, "needed": 500})
    assert isinstance(given, coupons.Issued)
    assert more == Refused("balance_short", {"left": 100, "needed": 500})
    assert (world.accounts()["available"], world.accounts()[f"branch:{branch_id}"]) == (before - 600, 100)


def test_what_comes_back_goes_to_the_purse_it_came_from(world: World) -> None:
    branch_id = opened(world, own_purse=True)
    branches.fill(world.conn, world.act(), branch_id, Commodity.FEN, 500)
    given = give(world, branch_id, world.template(), "s1")
    assert isinstance(given, coupons.Issued)

    coupons.void(world.conn, world.act(), given.coupon_id, "mistake")
    world.apply(ChannelApplied("coupons", 10**6))
    emptied = branches.fill(world.conn, world.act(), branch_id, Commodity.FEN, -500)

    assert emptied is None
    assert f"branch:{branch_id}" not in world.accounts()


def test_a_branch_that_shares_stays_within_its_month(world: World) -> None:
    branch_id = opened(world, month_fen=900)
    template = world.template()

    first, second = give(world, branch_id, template, "s1"), give(world, branch_id, template, "s2")
    other = give(world, 0, template, "s3")
    world.now_ms += 31 * 86_400_000
    next_month = give(world, branch_id, template, "s4")

    assert isinstance(first, coupons.Issued)
    assert second == Refused("branch_limit", {"left": 400})
    assert isinstance(other, coupons.Issued)
    assert isinstance(next_month, coupons.Issued)


def test_a_branch_gives_only_at_its_lots_and_while_it_is_open(world: World) -> None:
    branch_id = opened(world)
    south = merchants_lot(world)
    template = world.template()

    branches.limit(world.conn, world.act(), branch_id, Plan("south", lot_ids=(south,)), enabled=True)
    elsewhere = give(world, branch_id, template, "s1")
    branches.limit(world.conn, world.act(), branch_id, Plan("south"), enabled=False)
    closed = give(world, branch_id, template, "s2")

    assert (elsewhere, closed) == (Refused("branch_lot"), Refused("branch_closed"))


def merchants_lot(world: World) -> int:
    made = lots.create_lot(world.conn, world.act(), "south lot", "Asia/Shanghai", 10, LANES)
    assert isinstance(made, int)
    return made


def test_leases_of_a_shared_purse_never_exceed_it_together(world: World) -> None:
    """Two lots lease from one purse while coupons are given out of it; a branch's own purse is never leased."""
    branch_id = opened(world, own_purse=True)
    branches.fill(world.conn, world.act(), branch_id, Commodity.FEN, 4_000)
    south, _ = world.new_edge(merchants_lot(world), "south")
    south_lot = world.ctx(south).lot_id
    assert isinstance(contracts.set_contract(world.conn, world.act(), world.merchant_id, south_lot), int)
    terms = leases.Terms(cap=50_000)
    before = ledger.purse(world.conn, world.merchant_id, Commodity.FEN).total

    for edge_id in (world.edge_id, south) * 4:
        leases.grant(world.conn, world.act(), edge_id, world.merchant_id, Commodity.FEN, terms)

    accounts = world.accounts()
    leased = sum(amount for name, amount in accounts.items() if name.startswith("lease:"))
    assert 0 < leased <= before * 60 // 100
    assert leased + accounts["available"] == before
    assert accounts[f"branch:{branch_id}"] == 4_000


def login(world: World, name: str) -> int:
    made = access.create_user(world.conn, world.act(), name, name, Role.MERCHANT, "x", world.merchant_id)
    assert isinstance(made, int)
    return made


def test_one_login_may_act_for_several_merchants_until_it_may_not(world: World) -> None:
    user_id = login(world, "wang")
    other = merchants.create_merchant(world.conn, world.act(), "bookshop", "13800000001")
    assert not isinstance(other, Refused)
    branch_id = opened(world)

    admitted = branches.admit(world.conn, world.act(), "wang", other["merchant_id"])
    again = branches.admit(world.conn, world.act(), "wang", other["merchant_id"])
    branches.admit(world.conn, world.act(), "wang", world.merchant_id, branch_id)
    stranger = branches.admit(world.conn, world.act(), "wang", other["merchant_id"], branch_id)
    found = branches.places(world.conn, world.operator_id, user_id)
    branches.dismiss(world.conn, world.act(), user_id, other["merchant_id"], 0)
    after = branches.places(world.conn, world.operator_id, user_id)

    assert (admitted, again) == (None, Refused("login_member", {"login": "wang"}))
    assert stranger == Refused("branch_unknown")
    assert found == [
        Place(world.merchant_id, 0, "面馆", ""),
        Place(world.merchant_id, branch_id, "面馆", "south"),
        Place(other["merchant_id"], 0, "bookshop", ""),
    ]
    assert len(after) == 2
