"""A service with two tenants beside the one that looks: whoever shows or changes theirs is caught."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import Connection, select, text

from cloud.access import service as access
from cloud.access.roles import RIGHTS, Right, Role
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.db import Database
from cloud.merchants import branches, contracts, statements
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.schema import metadata
from cloud.settings import ApiSettings, CloudSettings
from cloud.web.state import Cloud
from domain.events import StayOpened
from domain.ledger import Commodity
from plumbing.passwords import Passwords
from plumbing.signing import PrivateKey
from tests.cloud.world import World, build

PASSWORD = "seven cars waiting"
SECRET = "zz-other-tenant"
THEIR_PLATE = "沪Z98765"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests hash often and guard nothing


@dataclass(frozen=True)
class Stage:
    """A service with one account of every role, a neighbour under the same operator, and a second operator."""

    cloud: Cloud
    own: dict[str, str]  # what the merchant account may reach
    neighbour: dict[str, str]  # what is another merchant's, by the names that paths and forms use
    stranger: dict[str, str]  # what is another operator's


def _fill(conn: Connection, hashed: str) -> tuple[World, dict[str, str], dict[str, str], dict[str, str]]:
    world = build(conn)
    for role in Role:
        owner = world.merchant_id if Right.GIVE in RIGHTS[role] else None
        access.create_user(conn, world.act(), role.value, role.value, role, hashed, owner)
    conn.exec_driver_sql("UPDATE app_user SET must_change = false")
    branch_id = branches.add(conn, world.act(), world.merchant_id, Plan("north door"))
    assert isinstance(branch_id, int)
    assert branches.admit(conn, world.act(), Role.MERCHANT_BRANCH.value, world.merchant_id, branch_id) is None
    neighbour = _things(_next_door(world), "s-next")
    own = _things(world, "s-own", "京A11111")
    strangers = build(conn, first_byte=900)
    conn.execute(text("UPDATE lot SET name = :name WHERE lot_id = :id"), {"name": SECRET, "id": strangers.lot_id})
    stranger = _things(strangers, "s-strange")
    for tenant in (neighbour, stranger):
        values = {"name": SECRET, "id": int(tenant["merchant_id"])}
        conn.execute(text("UPDATE merchant SET name = :name WHERE merchant_id = :id"), values)
    conn.exec_driver_sql("UPDATE edge SET state = 'claimed'")  # the job that leases money to lots has nothing to do
    return world, own, neighbour, stranger


def _next_door(world: World) -> World:
    """The same lot with the eyes of another merchant."""
    made = merchants.create_merchant(world.conn, world.act(), "next door", "13900000000")
    assert not isinstance(made, Refused)
    other = replace(world, merchant_id=made["merchant_id"])
    modes = PaymentMode.PREPAID, SettlementMode.ON_ISSUE
    merchants.configure_settlement(world.conn, world.act(), other.merchant_id, *modes)
    contracts.set_contract(world.conn, world.act(), other.merchant_id, world.lot_id)
    merchants.top_up(world.conn, world.act(), other.merchant_id, Commodity.FEN, 10_000, 0, "")
    return other


def _things(world: World, stay_id: str, plate: str = THEIR_PLATE) -> dict[str, str]:
    """One of everything, by the names that paths and forms use."""
    world.apply(StayOpened(stay_id, "in", "inside", plate, plate, "small", f"d-{stay_id}"))
    template_id = world.template()
    coupon = coupons.issue(world.conn, world.act(), world.merchant_id, template_id, stay_id)
    assert isinstance(coupon, coupons.Issued), coupon
    world.now_ms += 1000
    statement = statements.close(world.conn, world.act(), world.merchant_id, world.now_ms, coupons.facts)
    assert isinstance(statement, int), statement
    return {
        "merchant_id": str(world.merchant_id),
        "merchant": str(world.merchant_id),
        "lot_id": str(world.lot_id),
        "lot": str(world.lot_id),
        "edge_id": world.edge_id,
        "template_id": str(template_id),
        "coupon_id": coupon.coupon_id,
        "stay_id": stay_id,
        "statement_id": str(statement),
        "lane": "in",
        "operator_id": str(world.operator_id),
    }


def set_up(database: Database, folder: Path) -> Stage:
    """The stage in this empty *database*, with *folder* for its files."""
    passwords = Passwords(WEAK)
    world, own, neighbour, stranger = database.run_here(_fill, passwords.hash_blocking(PASSWORD))
    settings = CloudSettings(data=folder, api=ApiSettings(100_000, 100_000))
    cloud = Cloud(settings, database, PrivateKey.generate(), world.operator_id, "http://c.example", passwords)
    cloud.now_ms = lambda: world.now_ms + 60_000
    return Stage(cloud, own, neighbour, stranger)


def rows_of(cloud: Cloud, column: str, value: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that is this tenant's."""

    def rows(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
        return {
            name: [tuple(row) for row in conn.execute(select(table).where(table.c[column] == int(value)))]
            for name, table in metadata.tables.items()
            if column in table.c
        }

    return cloud.db.run_here(rows)
