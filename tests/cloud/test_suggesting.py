"""A top-up order made by itself below a merchant's line: one at a time, never paid by itself (E17)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from cloud.act import Refused
from cloud.db import Database
from cloud.hooks import service as hooks
from cloud.hooks.tables import hook_message
from cloud.merchants import service
from cloud.paid import DUTIES
from cloud.payments import orders
from cloud.payments.orders import PayOrder
from cloud.shop import suggesting
from cloud.web.state import Cloud
from domain.ledger import Commodity
from tests.cloud.paying import pay
from tests.cloud.stage import set_up
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in
from tests.cloud.test_paying_back import paid_left
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]

LEFT = 12_000  # of the world's merchant, with its bonus


def wants(world: World, below_fen: int | None = LEFT + 1, suggest_fen: int = 5_000) -> None:
    act, who = world.act("shop"), world.merchant_id
    assert service.set_low(world.conn, act, who, below_fen, None, suggest_fen) is None


def suggest(world: World) -> list[PayOrder]:
    return suggesting.suggest(world.conn, world.act("cloud"))


def standing(world: World) -> PayOrder | None:
    return suggesting.standing(world.conn, world.operator_id).get(world.merchant_id)


@pytest.mark.parametrize(("below", "amount"), [(LEFT + 1, 0), (LEFT, 5_000), (0, 5_000), (None, 5_000)])
def test_nothing_is_ordered_above_the_line_or_where_none_is_wanted(
    world: World, below: int | None, amount: int
) -> None:
    wants(world, below, amount)

    assert suggest(world) == []


def test_one_order_is_made_below_the_line_and_no_second_while_it_is_open(world: World) -> None:
    before = world.accounts()
    wants(world)

    (made,) = suggest(world)
    again = suggest(world)

    assert (made.amount_fen, made.purpose, made.merchant_id, made.created_by) == (
        5_000, "topup", world.merchant_id, suggesting.BY,
    )  # fmt: skip
    assert again == []
    assert world.accounts() == before, "nobody is charged by itself"
    assert orders.tries(world.conn, made.order_id) == []


def test_it_is_paid_like_any_other_and_then_none_is_due(world: World) -> None:
    wants(world)
    (made,) = suggest(world)
    had = paid_left(world)

    pay(world.conn, world.act(), DUTIES, made)

    assert paid_left(world) == had + 5_000
    assert (suggest(world), standing(world)) == ([], None)


def test_unpaid_it_ends_after_a_day_and_another_is_made(world: World) -> None:
    wants(world)
    (made,) = suggest(world)

    world.now_ms += suggesting.PAY_WITHIN_MS
    assert orders.expire(world.conn, world.act()) == [made.order_id]
    (other,) = suggest(world)

    assert other.order_id != made.order_id


@pytest.mark.parametrize("why", ["filled", "wanted no more", "disabled"])
def test_it_ends_once_it_is_not_due_any_more(world: World, why: str) -> None:
    wants(world)
    (made,) = suggest(world)
    if why == "filled":
        assert service.top_up(world.conn, world.act(), world.merchant_id, Commodity.FEN, 1, 0, "") is None
    elif why == "disabled":
        assert service.set_enabled(world.conn, world.act(), world.merchant_id, enabled=False) is None
    else:
        wants(world, suggest_fen=0)

    assert suggest(world) == []

    ended = orders.get(world.conn, world.operator_id, made.order_id)
    assert ended is not None
    assert ended.state == "cancelled"


def test_programs_hear_of_it_once(world: World) -> None:
    hook = hooks.create(world.conn, world.act(), "https://hooks.example.com/in", ["topup.suggested"])
    assert isinstance(hook, hooks.Made)
    wants(world)

    (made,) = suggest(world)
    suggest(world)

    (body,) = world.conn.execute(select(hook_message.c.body)).scalars().all()
    told = json.loads(body)
    assert (told["order_id"], told["amount_fen"], told["left_fen"]) == (made.order_id, 5_000, LEFT)
    assert told["pay_path"] == made.cashier_path


def test_an_amount_no_order_could_have_is_refused(world: World) -> None:
    act, most = world.act("shop"), service.MOST_SUGGESTED
    for amount in (-1, most + 1):
        assert service.set_low(world.conn, act, world.merchant_id, None, None, amount) == Refused("amount_malformed")


def _made(conn: Connection, cloud: Cloud) -> str:
    world = _again(conn, cloud)
    (made,) = suggest(world)
    return made.cashier_path


async def test_the_merchants_home_shows_it_with_its_code(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "merchant")
    status, page = await post(browser, "/m", "/m/low", low_yuan="500", low_minutes="", suggest_yuan="50")
    path = cloud.db.run_here(_made, cloud)
    home = await (await browser.get("/m")).text()
    cashier = await browser.get(path)

    assert (status, cashier.status) == (200, 200)
    assert "充值订单已备好" not in page
    assert "¥50.00 的充值订单已备好" in home
    assert f'href="{path}"' in home
    assert "data:image/svg+xml" in home


async def test_workers_that_look_at_the_same_moment_make_one_order(database: Database, tmp_path: Path) -> None:
    stage = set_up(database, tmp_path)
    who, act = int(stage.own["merchant_id"]), stage.cloud.act("cloud")
    assert database.run_here(service.set_low, act, who, service.MOST_LOW, None, 5_000) is None

    made = await asyncio.gather(*(database.run(suggesting.suggest, stage.cloud.act("cloud")) for _ in range(4)))

    assert sum(len(each) for each in made) == 1
    assert len(database.run_here(suggesting.standing, 1)) == 1
