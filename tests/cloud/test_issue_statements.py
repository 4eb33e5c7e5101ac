"""How often the database is asked while one coupon is given through the machine interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.access import keys
from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.app import make_app
from cloud.coupons import rules
from cloud.coupons import service as coupons
from cloud.db import Database
from domain.coupon.limits import Level, Limits
from tests.cloud.asked import heard
from tests.cloud.stage import Stage, set_up
from tests.cloud.world import World

PLAIN = 11  # who calls; all that decides; the books; eight tables written: docs/performance.md
KEPT = 2  # the idempotency key: taken, then its answer
LIMITED = 5  # what the plate took: coupons, its stays, slips used on them, shops' names; what all plates took

Caller = TestClient[web.Request, web.Application]


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    return set_up(database, tmp_path)


@pytest.fixture
async def caller(stage: Stage) -> AsyncIterator[Caller]:
    made = stage.cloud.db.run_here(keys.create, stage.cloud.act("admin"), "till", list(Scope))
    assert isinstance(made, keys.Made)
    app = make_app(stage.cloud)
    del app.cleanup_ctx[:]  # no jobs beside
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {made.text}"}) as client:
        await give(client, stage, "s-own")  # the first call notes that the key is used
        yield client
    stage.cloud.passwords.close()


async def give(caller: Caller, stage: Stage, stay_id: str, **headers: str) -> None:
    body = {name: int(stage.own[name]) for name in ("merchant_id", "template_id")}
    answer = await caller.post("/api/v1/coupons", json={**body, "stay_id": stay_id}, headers=headers)
    assert answer.status == 201, await answer.text()


async def asked(caller: Caller, stage: Stage, stay_id: str, **headers: str) -> list[str]:
    with heard(stage.cloud.db.engine) as seen:
        await give(caller, stage, stay_id, **headers)
        return list(seen)


async def test_a_coupon_takes_one_statement_for_each_thing_that_must_be_known_or_kept(
    caller: Caller, stage: Stage
) -> None:
    stage.cloud.db.run_here(cars, stage, 2)

    plain = await asked(caller, stage, "s-car-0")
    once = await asked(caller, stage, "s-car-1", **{"Idempotency-Key": "k1"})

    assert (len(plain), len(once)) == (PLAIN, PLAIN + KEPT), "\n".join(plain)


async def test_limits_cost_the_same_however_much_the_plate_took_before(caller: Caller, stage: Stage) -> None:
    stage.cloud.db.run_here(cars, stage, 8)
    stage.cloud.db.run_here(limit)

    first = await asked(caller, stage, "s-car-0")
    for number in range(1, 6):
        await give(caller, stage, f"s-car-{number}")
    later = await asked(caller, stage, "s-car-6")

    assert (len(first), len(later)) == (PLAIN + LIMITED, PLAIN + LIMITED), "\n".join(later)


def cars(conn: Connection, stage: Stage, count: int) -> None:
    """Stays of one plate."""
    world = World(conn, stage.cloud.operator_id, int(stage.own["lot_id"]), stage.own["edge_id"])
    for number in range(count):
        world.car(f"s-car-{number}", "京C33333")
    conn.exec_driver_sql("UPDATE edge SET state = 'active'")


def limit(conn: Connection) -> None:
    act = Act(1, "admin", 1, lambda size: bytes(size))
    for level, subject_id in ((Level.LOT, 1), (Level.MERCHANT, 1)):
        assert rules.set_limits(conn, act, level, subject_id, Limits(per_day=100)) is None
    templates = coupons.templates(conn, 1, 1)
    for row in templates:
        totals = Limits(total=100, day_total=100)
        assert rules.set_limits(conn, act, Level.COUPON, row["template_id"], totals) is None
