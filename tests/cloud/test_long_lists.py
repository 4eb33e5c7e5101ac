"""A page of a long list costs the same however long the list grows: the database's own steps are counted, not time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from cloud.coupons import records
from cloud.coupons import service as coupons
from cloud.coupons.records import Sought
from cloud.coupons.tables import coupon
from cloud.db import COUNTED, open_engine, paged
from cloud.lots import service as lots
from cloud.lots.tables import stay
from cloud.merchants import service as merchants
from domain.events import CouponRedeemed, StayClosed
from tests.cloud.world import NOW, World, build

LISTS: dict[str, Callable[[Connection, int, int], object]] = {
    "merchants": lambda conn, of, _: merchants.listed(conn, of),
    "coupons of all": lambda conn, of, _: coupons.coupons(conn, of),
    "coupons of one": lambda conn, of, one: coupons.coupons(conn, of, one),
    "usage of all": lambda conn, of, _: paged(conn, records.usage(of, Sought()), 1),
    "usage of one": lambda conn, of, one: paged(conn, records.usage(of, Sought(one)), 2),
    "discounts of all": lambda conn, of, _: paged(conn, records.discounts(of, Sought()), 1),
    "discounts of one": lambda conn, of, one: paged(conn, records.discounts(of, Sought(one)), 1),
    "cars inside": lambda conn, of, _: lots.cars_inside(conn, of, "A12"),
    "one car": lambda conn, of, _: lots.look_for_cars(conn, of, "京A12346"),
    "one with few": lambda conn, of, one: coupons.coupons(conn, of, one + 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def steps(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[int]]]:
    """How many thousand steps each list takes with *COUNTED* coupons and stays and with three times as many."""
    path = tmp_path_factory.mktemp("long") / "cloud.sqlite"
    shutil.copy(migrated_sqlite, path)
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as conn:
        world = build(conn)
        world.car("s-1")
        made = coupons.issue(conn, world.act(), world.merchant_id, world.template(), "s-1")
        assert isinstance(made, coupons.Issued)
        world.apply(CouponRedeemed("r-1", made.coupon_id, "s-1", 100))
        world.apply(StayClosed("s-1", "out", "京A12345", "PAID", "", 1_500, 100, 0, 1_400, 0, "x-1", "t"))
        merchants.create_merchant(conn, world.act(), "few", "13900000000")
        found: dict[str, list[int]] = {name: [] for name in LISTS}
        for first, last in ((1, COUNTED + 500), (COUNTED + 501, 3 * COUNTED)):
            _copy(conn, made.coupon_id, first, last)
            for name, listed in LISTS.items():
                found[name].append(_steps(world, listed))
    yield found
    engine.dispose()


def _copy(conn: Connection, coupon_id: str, first: int, last: int) -> None:
    one = conn.execute(select(coupon).where(coupon.c.coupon_id == coupon_id)).mappings().one()
    many = [
        {**one, "coupon_id": f"c{n}", "serial": f"s{n}", "issued_ms": NOW + n, "redeemed_ms": NOW + n}
        for n in range(first, last)
    ]
    conn.execute(insert(coupon), many)
    gone = conn.execute(select(stay).where(stay.c.stay_id == one["stay_id"])).mappings().one()
    conn.execute(insert(stay), [{**gone, "stay_id": f"s-{n}"} for n in range(first + 1, last)])


def _steps(world: World, listed: Callable[[Connection, int, int], object]) -> int:
    count = 0

    def one() -> None:
        nonlocal count
        count += 1

    driver: Any = world.conn.connection.dbapi_connection
    driver.set_progress_handler(one, 1_000)
    listed(world.conn, world.operator_id, world.merchant_id)
    driver.set_progress_handler(None, 0)
    return count


@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_the_same_when_the_list_is_three_times_as_long(steps: dict[str, list[int]], name: str) -> None:
    shorter, longer = steps[name]

    assert longer <= 1.1 * shorter + 1
