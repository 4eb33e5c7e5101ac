"""Which merchants serve which lots: by contract, by lot, and for a lot manager those of the own lots alone."""

from __future__ import annotations

import csv
import io

from cloud.act import Refused
from cloud.lots import service as lots
from cloud.merchants import contracts, serving
from cloud.merchants import service as merchants
from cloud.merchants.serving import Sought
from cloud.reach import Lots
from cloud.web.state import Cloud
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in
from tests.cloud.world import LANES, World

__all__ = ["browser", "cloud", "hashed"]


def grown(world: World) -> tuple[int, int]:
    """A second lot, and a second merchant that serves it alone."""
    south = lots.create_lot(world.conn, world.act(), "=south", "Asia/Shanghai", 10, LANES)
    made = merchants.create_merchant(world.conn, world.act(), "tea", "13900000000")
    assert isinstance(south, int)
    assert not isinstance(made, Refused)
    contracts.set_contract(world.conn, world.act(), made["merchant_id"], south)
    world.now_ms += 5_000
    contracts.set_contract(world.conn, world.act(), made["merchant_id"], south)
    return south, made["merchant_id"]


def told(world: World, sought: Sought) -> dict[str, dict[int, int]]:
    found = serving.listed(world.conn, world.operator_id, sought).items
    return {one.merchant["name"]: {lot: version for lot, (version, _) in one.lots.items()} for one in found}


def test_each_merchant_stands_beside_the_lots_it_has_a_contract_with(world: World) -> None:
    south, _ = grown(world)
    everything = {"tea": {south: 2}, "面馆": {world.lot_id: 1}}

    assert told(world, Sought()) == everything
    assert told(world, Sought("te")) == {"tea": {south: 2}}
    assert told(world, Sought(lot_id=world.lot_id)) == {"面馆": {world.lot_id: 1}}
    assert told(world, Sought(within=Lots(frozenset({south})))) == {"tea": {south: 2}}
    assert told(world, Sought(lot_id=world.lot_id, within=Lots(frozenset({south})))) == {}
    assert serving.listed(world.conn, world.operator_id + 1, Sought()).total == 0


async def test_the_page_leads_to_the_prices_of_each_lot_and_goes_out_as_a_file(browser: Browser, cloud: Cloud) -> None:
    south, merchant_id = cloud.db.run_here(lambda conn: grown(_again(conn, cloud)))
    await sign_in(browser, "admin")

    page = await (await browser.get("/admin/lots/merchants")).text()
    file = await (await browser.get("/admin/lots/merchants.csv")).read()

    assert f'href="/admin/merchants/{merchant_id}#lot-{south}"' in page
    assert f'id="lot-{south}"' in await (await browser.get(f"/admin/merchants/{merchant_id}")).text()
    head, *rows = csv.reader(io.StringIO(file.decode("utf-8-sig")))
    assert head[-1] == "'=south"
    assert [(row[0], bool(row[3]), bool(row[4])) for row in rows] == [("tea", False, True), ("面馆", True, False)]
