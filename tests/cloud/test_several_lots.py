"""Codes, papers and posters good at several lots: each becomes one lot's coupon when it is claimed (E9)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import booth_claims, claiming, codes, placing, posters, voiding
from cloud.coupons import service as coupons
from cloud.coupons.claiming import Claimed
from cloud.lots import service as lots
from cloud.merchants import contracts
from cloud.sync.channels import get_row, rows_of
from domain.contract import Basis, Terms
from domain.coupon import terms as coupon_terms
from domain.coupon.limits import Limits
from domain.events import CouponRedeemed, StayOpened
from tests.cloud.world import LANES, World

PLATE, PHONE = "京A12345", "a phone's own secret"
HOUR_MS = 3_600_000


class Town:
    """The world's lot, named north lot, and two more of the same merchant."""

    def __init__(self, world: World, south: Terms | None = None, east: Terms | None = None) -> None:
        self.world, self.north = world, world.lot_id
        self.south, self.south_edge = self._lot("a south lot", south)
        self.east, self.east_edge = self._lot("east lot", east)

    def _lot(self, name: str, terms: Terms | None) -> tuple[int, str]:
        world = self.world
        lot_id = lots.create_lot(world.conn, world.act(), name, "Asia/Shanghai", 100, LANES)
        assert isinstance(lot_id, int)
        edge_id, _ = world.new_edge(lot_id, name)
        assert isinstance(contracts.set_contract(world.conn, world.act(), world.merchant_id, lot_id, terms), int)
        return lot_id, edge_id

    def enter(self, edge_id: str, stay_id: str, plate: str = PLATE) -> None:
        opened = StayOpened(stay_id, "in", "inside", plate, plate, "small", f"d-{stay_id}")
        self.world.apply(opened, edge_id=edge_id)

    def paper(
        self, kind: str = "AMOUNT", value: int = 500, copies: int = 1, valid_min: int = 1_440, **terms: Any
    ) -> list[str]:
        world = self.world
        more: dict[str, Any] = {"valid_min": valid_min, "terms": coupon_terms.Terms(**terms)}
        template = coupons.create_template(world.conn, world.act(), world.merchant_id, "x", kind, value, **more)
        assert isinstance(template, int), template
        made = codes.print_papers(world.conn, world.act("m"), world.merchant_id, template, 0, copies, anywhere=True)
        assert isinstance(made, str), made
        return [str(row["token"]) for row in codes.of_batch(world.conn, made)]

    def claim(self, code: str, plate: str = PLATE, lot_id: int = 0) -> Claimed:
        made = claiming.claim(self.world.conn, self.world.act("driver"), code, plate, PHONE, lot_id=lot_id)
        assert isinstance(made, Claimed), made
        return made

    def coupon_at(self, edge_id: str) -> list[str]:
        return [key for key, _ in rows_of(self.world.conn, edge_id, "coupons")]


def test_a_paper_for_several_lots_is_good_where_the_car_is(world: World) -> None:
    town = Town(world)
    (code,) = town.paper()
    town.enter(town.south_edge, "s1")

    made = town.claim(code, lot_id=town.east)  # the car itself says more than the driver
    again = claiming.claim(world.conn, world.act("driver"), code, "京B54321", "another phone", lot_id=town.east)

    coupon_id = made.offered.coupon["coupon_id"]
    assert (made.is_inside, made.offered.lot) == (True, "a south lot")
    assert [town.coupon_at(each) for each in (world.edge_id, town.south_edge, town.east_edge)] == [[], [coupon_id], []]
    assert again == Refused("claim_taken")
    world.apply(CouponRedeemed("r1", coupon_id, "s1", 500), edge_id=town.south_edge)
    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}
    assert check_all(world.conn) == []


def test_a_car_inside_none_of_them_takes_the_lot_its_driver_chooses_or_the_first_by_name(world: World) -> None:
    town = Town(world)
    codes_ = town.paper(copies=3)

    made = [town.claim(codes_[0], "京B00001", town.east), town.claim(codes_[1], "京B00002")]
    nonsense = town.claim(codes_[2], "京B00003", 77)

    assert [one.offered.lot for one in made] == ["east lot", "a south lot"]
    assert nonsense.offered.lot == "a south lot"
    assert list(made[0].offered.lots) == []


def test_a_template_that_names_lots_is_good_at_those_alone(world: World) -> None:
    town = Town(world)
    (code,) = town.paper(lots=(town.north, town.east))
    town.enter(town.south_edge, "s1")

    offered = claiming.find(world.conn, world.operator_id, code)
    made = town.claim(code, lot_id=town.south)

    assert offered is not None
    assert list(offered.lots.items()) == [(town.east, "east lot"), (town.north, "north lot")]
    assert (made.is_inside, made.offered.coupon["lot_id"]) == (False, town.east)


def test_the_dearest_lots_price_is_held_and_the_claim_settles_to_its_own(world: World) -> None:
    town = Town(world, Terms(amount_percent=40), Terms(amount_percent=80))
    contracts.set_contract(world.conn, world.act(), world.merchant_id, town.north, Terms(amount_percent=60))
    cheap, dear, unclaimed = town.paper(value=1_000, copies=3)
    held = world.accounts()
    world.now_ms += HOUR_MS
    contracts.set_contract(world.conn, world.act(), world.merchant_id, town.south, Terms(amount_percent=100))

    first, second = town.claim(cheap, "京B00001", town.south), town.claim(dear, "京B00002", town.east)

    assert held == {"recharge": -12_000, "available": 9_600, "outstanding": 2_400}
    assert world.accounts() == {"recharge": -12_000, "available": 10_000, "outstanding": 400 + 800 + 800}
    assert [one.offered.coupon["contract_version"] for one in (first, second)] == [1, 1]
    row = claiming.find(world.conn, world.operator_id, unclaimed)
    assert row is not None
    assert coupons.void(world.conn, world.act(), row.coupon["coupon_id"], "torn") is None
    assert world.accounts() == {"recharge": -12_000, "available": 10_800, "outstanding": 1_200}
    assert check_all(world.conn) == []


def test_the_allotment_of_the_lot_claimed_for_is_spent_first_and_has_its_part_back_in_that_month(world: World) -> None:
    town = Town(world, Terms(free_fen=300))
    (code,) = town.paper(valid_min=20 * 24 * 60)
    before = world.accounts()
    world.now_ms += 10 * 24 * HOUR_MS  # into the next month

    row = town.claim(code, lot_id=town.south).offered.coupon
    spent = world.accounts()
    assert coupons.void(world.conn, world.act(), row["coupon_id"], "mistake") is None
    assert voiding.release_voids(world.conn, town.south_edge, 1_000, world.now_ms, "told") == 1

    assert before == {"recharge": -12_000, "available": 11_500, "outstanding": 500}
    assert (row["reserved_free"], row["reserved_bonus"], row["reserved_paid"]) == (300, 200, 0)
    assert spent == {"recharge": -12_000, "allotment": -300, "available": 11_800, "outstanding": 500}
    assert world.accounts()[f"free:{town.south}"] == 300
    assert check_all(world.conn) == []


def test_money_at_one_lot_and_minutes_at_another_is_no_code_for_both(world: World) -> None:
    town = Town(world, Terms(duration_basis=Basis.HOURLY, fen_per_hour=300))
    template = world.template("DURATION", 60)

    both = codes.print_papers(world.conn, world.act("m"), world.merchant_id, template, 0, 1, anywhere=True)
    one = codes.print_papers(world.conn, world.act("m"), world.merchant_id, template, 0, 1, town.south)

    assert both == Refused("lots_in_two_purses")
    assert isinstance(one, str)


def test_a_lot_that_came_later_at_a_higher_price_is_not_offered(world: World) -> None:
    town = Town(world)
    (code,) = town.paper()
    world.now_ms += HOUR_MS
    later, _ = town._lot("b new lot", Terms())

    offered = claiming.find(world.conn, world.operator_id, code)

    assert offered is not None
    assert later not in offered.lots
    assert len(offered.lots) == 3


def test_a_dear_lot_that_got_its_device_later_is_not_offered_what_was_held_for_cheaper_ones(world: World) -> None:
    town = Town(world, Terms(amount_percent=40), Terms(amount_percent=40))
    contracts.set_contract(world.conn, world.act(), world.merchant_id, town.north, Terms(amount_percent=60))
    bare = lots.create_lot(world.conn, world.act(), "b lot", "Asia/Shanghai", 100, LANES)
    assert isinstance(bare, int)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, bare)
    (before,) = town.paper()
    world.new_edge(bare, "b")
    (after,) = town.paper()

    found = [claiming.find(world.conn, world.operator_id, code) for code in (before, after)]

    assert [bare in one.lots for one in found if one is not None] == [False, True]


def test_the_booth_of_a_lot_claims_for_that_lot_and_of_no_other(world: World) -> None:
    town = Town(world)
    ours, theirs = town.paper(copies=1, lots=(town.south, town.east))[0], town.paper(lots=(town.south,))[0]
    town.enter(town.south_edge, "s1")  # the cloud has not heard that it left there

    made = booth_claims.bind(world.conn, world.act("edge"), town.east, ours, PLATE, "m" * 16)
    refused = booth_claims.bind(world.conn, world.act("edge"), town.east, theirs, PLATE, "m" * 16)

    assert isinstance(made, Claimed)
    assert made.offered.coupon["edge_id"] == town.east_edge
    assert refused == Refused("claim_other_lot")


def test_a_pass_for_several_lots_goes_with_all_its_uses(world: World) -> None:
    town = Town(world, Terms(amount_percent=50))
    (code,) = town.paper(value=400, uses=3)

    town.claim(code, lot_id=town.south)

    assert len(town.coupon_at(town.south_edge)) == 3
    assert world.accounts() == {"recharge": -12_000, "available": 11_400, "outstanding": 600}
    assert check_all(world.conn) == []


def test_a_car_misread_at_one_of_them_is_found_and_one_misread_at_two_is_not(world: World) -> None:
    town = Town(world)
    first, second = town.paper(copies=2)
    town.enter(town.east_edge, "s1", "京A8B345")

    alone = claiming.find(world.conn, world.operator_id, first)
    assert alone is not None
    stay = placing.near(world.conn, world.operator_id, list(alone.lots), "京A88345")
    made = claiming.claim(world.conn, world.act("driver"), first, "京A88345", PHONE, is_near=True)
    town.enter(town.south_edge, "s2", "京A8B345")
    none = placing.near(world.conn, world.operator_id, list(alone.lots), "京A88345")

    assert stay is not None
    assert isinstance(made, Claimed)
    assert (stay["stay_id"], made.offered.coupon["stay_id"], made.offered.coupon["lot_id"]) == ("s1", "s1", town.east)
    assert none is None
    assert second


def test_a_poster_for_several_lots_gives_each_plate_one_coupon_where_its_car_is(world: World) -> None:
    town = Town(world)
    template, caps = world.template(), Limits(per_day=1)
    args = (world.conn, world.act("m"), world.merchant_id, template, None, "door", caps)
    poster_id = posters.put_up(*args)
    assert isinstance(poster_id, int)
    (code,) = [row["code"] for row in posters.listed(world.conn, world.operator_id, world.merchant_id)]
    town.enter(town.east_edge, "s1")

    def take(plate: str, lot_id: int = 0) -> posters.Taken:
        made = posters.take(world.conn, world.act("driver"), code, plate, PHONE, lot_id)
        assert isinstance(made, posters.Taken), made
        return made

    inside, chosen, tapped = take(PLATE), take("京B00002", town.south), take("京B00002", town.north)

    assert town.coupon_at(town.east_edge) == [inside.coupon_id]
    assert town.coupon_at(town.south_edge) == [chosen.coupon_id]
    assert (tapped.coupon_id, town.coupon_at(world.edge_id)) == (chosen.coupon_id, [])
    assert check_all(world.conn) == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_lots_cost_and_whoever_claims_the_books_hold_and_no_claim_lacks_money(world: World, seed: int) -> None:
    draw = random.Random(seed)
    bases = (Basis.FACE, Basis.REDUCED)
    every = [
        Terms(amount_basis=draw.choice(bases), amount_percent=draw.randrange(101), free_fen=draw.choice((0, 0, 700)))
        for _ in range(3)
    ]
    town = Town(world, every[0], every[1])
    contracts.set_contract(world.conn, world.act(), world.merchant_id, town.north, every[2])
    edges = {town.north: world.edge_id, town.south: town.south_edge, town.east: town.east_edge}
    papers = town.paper(value=draw.choice((333, 1_000, 1_111)), copies=8)
    assert coupons.void(world.conn, world.act(), _id(world, papers[-1]), "torn") is None

    for number, code in enumerate(papers[:-1]):
        world.now_ms += draw.choice((0, HOUR_MS))
        made = town.claim(code, f"京B0000{number}", draw.choice(list(edges)))
        row = made.offered.coupon
        assert get_row(world.conn, edges[row["lot_id"]], "coupons", row["coupon_id"]) is not None
        what = draw.randrange(3)
        if what == 0:
            world.apply(CouponRedeemed(f"r{number}", row["coupon_id"], "", row["value"]), edge_id=row["edge_id"])
        elif what == 1:
            assert coupons.void(world.conn, world.act(), row["coupon_id"], "mistake") is None
        assert check_all(world.conn) == []

    world.now_ms += 400 * 24 * HOUR_MS
    assert voiding.reclaim(world.conn, world.operator_id, world.now_ms) == 0
    assert world.accounts()["recharge"] == -12_000


def _id(world: World, code: str) -> str:
    offered = claiming.find(world.conn, world.operator_id, code)
    assert offered is not None
    return str(offered.coupon["coupon_id"])
