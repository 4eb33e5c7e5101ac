"""A merchant's service to a lot ends: nothing new there, and what is out is taken back or stays good (E18)."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import codes
from cloud.coupons import service as coupons
from cloud.lots import service as lots
from cloud.merchants import contracts, ending, leases, serving
from cloud.merchants.serving import Sought
from cloud.sync.channels import get_row
from domain.contract import Terms
from domain.events import CouponRedeemed
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in
from tests.cloud.world import LANES, World

__all__ = ["browser", "cloud", "hashed"]

DAY_MS = 86_400_000


def end(world: World, last_day: str = "", *, take_back: bool = False) -> Refused | None:
    return ending.end(world.conn, world.act(), world.merchant_id, world.lot_id, last_day, take_back=take_back)


def give(world: World, template_id: int, stay_id: str = "s1") -> coupons.Issued | Refused:
    return coupons.issue(world.conn, world.act(), world.merchant_id, template_id, stay_id)


def prices_told(world: World) -> set[str]:
    row = get_row(world.conn, world.edge_id, "rules", f"merchant:{world.merchant_id}")
    assert row is not None
    return set(row["contracts"])


def test_after_the_end_nothing_new_is_given_and_what_is_out_stays_good(world: World) -> None:
    world.car("s1")
    template_id = world.template()
    given = give(world, template_id)
    assert isinstance(given, coupons.Issued)
    leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN)

    assert end(world) is None

    assert give(world, template_id) == Refused("contract_missing")
    assert codes.print_papers(world.conn, world.act(), world.merchant_id, template_id, 0, 1) == Refused(
        "contract_missing"
    )
    assert leases.refill(world.conn, world.act(), world.edge_id) == []
    assert prices_told(world) == set()
    assert world.lot_id not in serving.served(world.conn, world.merchant_id)
    assert serving.listed(world.conn, world.operator_id, Sought(lot_id=world.lot_id)).total == 0
    called = world.conn.exec_driver_sql("SELECT count(*) FROM command WHERE kind = 'lease.return'").scalar_one()
    assert called == 1
    world.apply(CouponRedeemed("r1", given.coupon_id, "s1", 500))
    assert world.accounts()["redeemed"] == 500
    assert check_all(world.conn) == []


def test_what_is_out_is_taken_back_where_the_operator_wants_it_but_no_code_good_elsewhere(world: World) -> None:
    world.car("s1")
    south = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(south, int)
    world.new_edge(south, "south")
    contracts.set_contract(world.conn, world.act(), world.merchant_id, south, Terms(amount_percent=50))
    template_id = world.template()
    args = (world.conn, world.act(), world.merchant_id, template_id, 0, 1)
    here, anywhere = codes.print_papers(*args, world.lot_id), codes.print_papers(*args, anywhere=True)
    given = give(world, template_id)
    assert isinstance(given, coupons.Issued)

    assert end(world, take_back=True) is None

    states = [codes.of_batch(world.conn, str(batch))[0]["state"] for batch in (here, anywhere)]
    assert states == ["VOIDED", "PRINTED"]
    assert coupons.coupons(world.conn, world.operator_id, search="京A12345").items[0]["state"] == "VOID_PENDING"
    assert check_all(world.conn) == []


def test_the_last_day_is_the_lots_own_and_still_counts(world: World) -> None:
    world.car("s1")
    template_id = world.template()  # it is 2026-05-29, 04:26 at the lot

    assert end(world, "2026-05-30") is None
    announced = ending.announced(world.conn, world.merchant_id)
    world.now_ms += DAY_MS
    assert ending.end_due(world.conn, world.act()) == 0
    last = give(world, template_id)
    world.now_ms = announced[world.lot_id]
    assert [ending.end_due(world.conn, world.act()) for _ in range(2)] == [1, 0]

    assert isinstance(last, coupons.Issued)
    assert give(world, template_id) == Refused("contract_missing")
    assert ending.announced(world.conn, world.merchant_id) == {}


def test_new_prices_begin_the_service_again_before_and_after_its_last_day(world: World) -> None:
    world.car("s1")
    template_id = world.template()
    assert end(world, "2026-06-30") is None

    versions = [contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id)]
    world.now_ms += 60 * DAY_MS
    assert (ending.end_due(world.conn, world.act()), ending.announced(world.conn, world.merchant_id)) == (0, {})
    assert end(world) is None
    versions.append(contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id))

    assert versions == [2, 3]
    assert isinstance(give(world, template_id), coupons.Issued)
    assert prices_told(world) == {str(world.lot_id)}


@pytest.mark.parametrize("day", ["2026-05-27", "tomorrow", "9999-12-31"])
def test_an_end_that_is_no_day_to_come_is_refused(world: World, day: str) -> None:
    assert end(world, day) == Refused("service_end_malformed")
    assert contracts.current_contract(world.conn, world.merchant_id, world.lot_id) is not None


async def test_the_office_ends_a_service_on_the_merchants_page(browser: Browser) -> None:
    await sign_in(browser, "admin")
    at = "/admin/merchants/1"

    set_, page = await post(browser, at, f"{at}/contract/end", lot_id="1", last_day="2099-12-31")
    now, after = await post(browser, at, f"{at}/contract/end", lot_id="1", take_back="1")
    again, _ = await post(browser, at, f"{at}/contract/end", lot_id="1")

    assert (set_, now, again) == (200, 200, 422)
    assert "服务至 2099-12-31 止" in page
    assert "contract/end" not in after
