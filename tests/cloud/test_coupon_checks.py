"""What a verifier is told of a number: a coupon's serial, a voucher's number or its code; and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from cloud.app import make_app
from cloud.coupons import checking
from cloud.coupons import service as coupons
from cloud.coupons.checking import Verdict
from cloud.db import Database
from cloud.reach import Lots
from domain import voucher
from domain.events import VoucherIssued
from tests.cloud.stage import PASSWORD, Stage, set_up
from tests.cloud.test_pages import Browser, post
from tests.cloud.test_slips import KEY, genuine, payload  # noqa: F401
from tests.cloud.world import World

PLATE = "京A12345"


def look(world: World, typed: str, within: Lots | None = None, later_ms: int = 0) -> Verdict | None:
    reach = within if within is not None else Lots()
    return checking.look(world.conn, world.operator_id, typed, genuine, world.now_ms + later_ms, reach)


def told(found: Verdict | None) -> tuple[str, bool]:
    assert found is not None
    return found.state, found.is_good


def test_a_serial_tells_whether_its_coupon_is_good(world: World) -> None:
    world.car("s1", PLATE)
    made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), "s1")
    assert isinstance(made, coupons.Issued)
    serial = coupons.coupons(world.conn, world.operator_id).items[0]["serial"]

    found = look(world, f" {serial.lower()} ")

    assert told(found) == ("coupon.BOUND", True)
    assert found is not None
    assert (found.merchant, found.lot, found.plate) == ("面馆", "north lot", PLATE)
    assert told(look(world, serial, later_ms=40 * 86_400_000)) == ("coupon.EXPIRED", False)
    assert look(world, serial[:-1]) is None
    assert look(world, serial, Lots(frozenset({world.lot_id + 1}))) is None
    coupons.void(world.conn, world.act(), made.coupon_id, "wrong car", None)
    assert told(look(world, serial)) == ("coupon.VOID_PENDING", False)


def test_the_code_on_a_genuine_voucher_tells_of_it_before_its_lot_has(
    world: World,
    payload: voucher.Payload,  # noqa: F811
) -> None:
    link = f"HTTPS://C.EXAMPLE/V/{voucher.issue(payload, KEY)}"
    first = told(look(world, link))
    world.apply(
        VoucherIssued(
            world.key_id, 7, 1, world.merchant_id, payload.template_id, 500, 500, payload.not_after_min, "counter"
        )
    )

    assert first == ("check.untold", True)
    assert told(look(world, link)) == ("voucher.OUTSTANDING", True)
    assert told(look(world, f"{world.key_id}-7")) == ("voucher.OUTSTANDING", True)
    assert told(look(world, link, later_ms=3 * 86_400_000)) == ("coupon.EXPIRED", False)
    assert look(world, voucher.issue(replace(payload, cap_fen=900), type(KEY).generate())) is None
    assert look(world, f"{world.key_id}-8") is None


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    return set_up(database, tmp_path)


async def test_a_verifier_begins_at_the_page_sees_plates_masked_and_no_other_page(
    browser: Browser, stage: Stage
) -> None:
    serial = stage.cloud.db.run_here(coupons.coupons, stage.cloud.operator_id).items[-1]["serial"]

    _, page = await post(browser, "/login", "/login", account="verifier", password=PASSWORD)
    shown = await (await browser.get("/admin/check", params={"q": serial})).text()

    assert "核销查询" in page
    assert "有效" in shown
    assert "京A11111" not in shown
    assert "京A" in shown
    assert (await browser.get("/admin")).status == 403
    assert "没有这张券" in await (await browser.get("/admin/check", params={"q": "nothing"})).text()
    asked = [(await browser.get("/admin/check", params={"q": "1-1"})).status for _ in range(60)]
    assert (asked[0], asked[-1]) == (200, 429)
