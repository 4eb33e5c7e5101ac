"""Many ask for coupons at the same moment: limits, purses and repeats hold as if they had come one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, func, select

from cloud import db
from cloud.access import audit, keys
from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.app import make_app
from cloud.coupons import rules
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.db import Database, open_engine
from cloud.merchants import ledger
from cloud.merchants import service as merchants
from domain.coupon.limits import Level, Limits
from domain.ledger import Commodity
from tests.cloud.stage import Stage, set_up
from tests.cloud.world import World

Caller = TestClient[web.Request, web.Application]
CARS = 12
MOST = 5


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    stage = set_up(database, tmp_path)
    database.run_here(_arrive, stage)
    return stage


def _arrive(conn: Connection, stage: Stage) -> None:
    world = World(conn, stage.cloud.operator_id, int(stage.own["lot_id"]), stage.own["edge_id"])
    for number in range(CARS):
        world.car(f"s-car-{number}", f"京C3333{number:X}")


def _cap(conn: Connection, stage: Stage) -> None:
    before = conn.execute(
        select(func.count()).where(coupon.c.template_id == int(stage.own["template_id"]))
    ).scalar_one()
    totals = Limits(total=before + MOST)
    assert rules.set_limits(conn, stage.cloud.act("admin"), Level.COUPON, int(stage.own["template_id"]), totals) is None


@pytest.fixture
async def caller(stage: Stage) -> AsyncIterator[Caller]:
    made = stage.cloud.db.run_here(keys.create, stage.cloud.act("admin"), "till", list(Scope))
    assert isinstance(made, keys.Made)
    app = make_app(stage.cloud)
    del app.cleanup_ctx[:]  # no jobs beside
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {made.text}"}) as client:
        yield client
    stage.cloud.passwords.close()


async def _give(caller: Caller, stage: Stage, stay_id: str, **headers: str) -> tuple[int, str]:
    body = {name: int(stage.own[name]) for name in ("merchant_id", "template_id")}
    answer = await caller.post("/api/v1/coupons", json={**body, "stay_id": stay_id}, headers=headers)
    told = await answer.json()
    return answer.status, told.get("coupon_id") or told["code"]


def _books(stage: Stage) -> tuple[bool, int | None]:
    def look(conn: Connection) -> tuple[bool, int | None]:
        return all(books.is_right for books in ledger.merchant_books(conn)), audit.first_broken(conn)

    return stage.cloud.db.run_here(look)


async def test_a_cap_holds_for_calls_that_come_together_and_a_refusal_hurts_no_neighbour(
    caller: Caller, stage: Stage
) -> None:
    stage.cloud.db.run_here(_cap, stage)
    stays = [f"s-car-{number}" for number in range(CARS)]

    said = await asyncio.gather(*(_give(caller, stage, stay_id) for stay_id in (*stays, "s-nobody", "s-nobody")))

    told = Counter(word if status != 201 else "given" for status, word in said)
    assert (told.pop("stay_not_inside"), told.pop("given")) == (2, MOST)
    assert list(told.values()) == [CARS - MOST]
    assert len({word for status, word in said if status == 201}) == MOST
    assert _books(stage) == (True, None)


async def test_the_same_call_made_many_times_at_once_gives_one_coupon(caller: Caller, stage: Stage) -> None:
    key = {"Idempotency-Key": "one-and-only"}

    said = await asyncio.gather(*(_give(caller, stage, "s-car-0", **key) for _ in range(10)))
    later = await _give(caller, stage, "s-car-0", **key)

    assert {*said, later} == {said[0]}
    assert said[0][0] == 201
    assert _given(stage.cloud.db, "s-car-0") == 1


async def test_two_workers_at_once_never_give_more_than_there_may_be(stage: Stage, database: Database) -> None:
    stage.cloud.db.run_here(_cap, stage)
    other = Database(open_engine(database.engine.url.render_as_string(hide_password=False)))
    ids = int(stage.own["merchant_id"]), int(stage.own["template_id"])

    def act(worker: str) -> Act:
        return stage.cloud.act(worker)

    said = await asyncio.gather(
        *(
            worker.share(coupons.issue, act(f"worker {number % 2}"), *ids, f"s-car-{number}")
            for number in range(CARS)
            for worker in (database, other)
        )
    )
    other.close()

    assert sum(isinstance(each, coupons.Issued) for each in said) == MOST
    assert _books(stage) == (True, None)


async def test_what_is_given_and_taken_back_at_once_never_waits_crosswise(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "DEADLOCK_TRIES", 1)
    ids = int(stage.own["merchant_id"]), int(stage.own["template_id"])
    refused = database.run_here(merchants.top_up, stage.cloud.act("admin"), ids[0], Commodity.FEN, 10**7, 0, "")
    assert refused is None

    async def give_and_take_back(stay_id: str) -> None:
        made = await database.share(coupons.issue, stage.cloud.act("till"), *ids, stay_id)
        assert isinstance(made, coupons.Issued), made
        assert await database.share(coupons.void, stage.cloud.act("till"), made.coupon_id, "wrong car") is None

    for _ in range(5):
        await asyncio.gather(*(give_and_take_back(f"s-car-{number}") for number in range(CARS)))

    assert _books(stage) == (True, None)


def _given(database: Database, stay_id: str) -> int:
    query = select(func.count()).where(coupon.c.stay_id == stay_id)
    return database.run_here(lambda conn: conn.execute(query).scalar_one())
