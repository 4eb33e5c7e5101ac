"""A lot manager's monthly cars and passes: those of the own lots, and nothing of another one (E65)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, insert

from cloud.access.roles import Role
from cloud.app import make_app
from cloud.members import extending
from cloud.members.service import Wanted, listed
from cloud.members.tables import pass_month
from cloud.payments import orders
from cloud.payments.orders import Wanted as Ordered
from tests.cloud.stage import SECRET, Stage, another_lot
from tests.cloud.test_doors import Browser, sign_in
from tests.cloud.test_people_import import HEADER, A, B, send, sheet


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def names(stage: Stage) -> set[str]:
    def found(conn: Connection, now_ms: int) -> set[str]:
        return {row.row["name"] for row in listed(conn, 1, Wanted(), now_ms).items}

    return stage.cloud.db.run_here(found, stage.cloud.now_ms())


async def test_cars_are_imported_for_the_own_lot_and_for_no_other(browser: Browser, stage: Stage) -> None:
    other = another_lot(stage.cloud, Role.LOT_MANAGER)
    await sign_in(browser, Role.LOT_MANAGER)

    page = await (await browser.get("/admin/people/import")).text()
    there, _ = await send(browser, sheet(HEADER, (A, "elsewhere")), zone=other["lot"])
    here, _ = await send(browser, sheet(HEADER, (B, "my own")), zone=stage.own["lot_id"])

    assert SECRET not in page
    assert (there, here) == (422, 200)
    assert "my own" in names(stage)
    assert "elsewhere" not in names(stage)


def _paid(conn: Connection, stage: Stage, lots: dict[str, int]) -> None:
    act = stage.cloud.act("admin")
    for name, lot_id in lots.items():
        assert extending.set_price(conn, act, lot_id, 30_000 + lot_id) is None
        wanted = Ordered("monthly", f"pass:{name}", 30_000, name, act.now_ms + 1, lot_id=lot_id)
        order = orders.open_order(conn, act, wanted)
        held = conn.exec_driver_sql("SELECT min(entitlement_id) FROM entitlement").scalar_one()
        row: dict[str, Any] = {"order_id": order.order_id, "operator_id": 1, "entitlement_id": held, "lot_id": lot_id}
        row |= {"amount_fen": lot_id * 1_111, "from_ms": 0, "until_ms": act.now_ms, "state": "done"}
        conn.execute(insert(pass_month).values(**row, created_ms=act.now_ms, created_by="x", done_ms=act.now_ms))


async def test_prices_of_passes_and_months_paid_are_those_of_the_own_lot(browser: Browser, stage: Stage) -> None:
    other, own = int(another_lot(stage.cloud, Role.LOT_MANAGER)["lot"]), int(stage.own["lot_id"])
    stage.cloud.db.run_here(_paid, stage, {"own": own, "other": other})
    token = await sign_in(browser, Role.LOT_MANAGER)

    page = await (await browser.get("/admin/people/passes")).text()
    months = await (await browser.get("/admin/people/passes.csv")).text()
    prices = await (await browser.get("/admin/people/passes/prices.csv")).text()
    form = {"lot_id": str(own), "yuan": "1", "csrf_token": token}
    changed = await browser.post("/admin/people/passes", data=form, allow_redirects=False)

    assert f"{(30_000 + own) / 100:.2f}" in page
    for shown in (page, months, prices):
        assert SECRET not in shown
        assert f"{(30_000 + other) / 100:.2f}" not in shown
        assert f"{other * 1_111 / 100:.2f}" not in shown
    assert f"{own * 1_111 / 100:.2f}" in months
    assert len(months.splitlines()) == 2
    assert "/admin/payments/" not in page
    assert changed.status == 403
