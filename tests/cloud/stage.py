"""A service with two tenants beside the one that looks: whoever shows or changes theirs is caught."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import Connection, insert, select, text

from cloud.access import service as access
from cloud.access.roles import RIGHTS, Right, Role
from cloud.access.tables import user, user_lot
from cloud.act import Refused
from cloud.booth import people
from cloud.coupons import service as coupons
from cloud.db import Database
from cloud.lots import service as lots
from cloud.lots.tables import incident
from cloud.members import blocking
from cloud.members import service as members
from cloud.members.terms import Terms
from cloud.merchants import branches, contracts, statements
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.schema import metadata
from cloud.settings import ApiSettings, CloudSettings
from cloud.web.state import Cloud
from domain.entitlement import Grant
from domain.events import (
    BarrierOpened,
    DebtRecorded,
    IncidentRaised,
    PaymentTaken,
    ShiftOpened,
    StayExcused,
    StayOpened,
    VisitorAdded,
)
from domain.ledger import Commodity
from plumbing.passwords import Passwords
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey
from tests.cloud.world import LANES, World, build

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


NAMED = ("merchant", "branch", "app_user", "coupon_poster")  # tables of what people gave names to
More = Callable[[World, str, str], dict[str, str]]


def _fill(
    conn: Connection, hashed: str, more: More | None
) -> tuple[World, dict[str, str], dict[str, str], dict[str, str]]:
    world = build(conn)
    for role in Role:
        owner = world.merchant_id if Right.GIVE in RIGHTS[role] else None
        access.create_user(conn, world.act(), role.value, role.value, role, hashed, owner)
    conn.exec_driver_sql("UPDATE app_user SET must_change = false")
    branch_id = branches.add(conn, world.act(), world.merchant_id, Plan("north door"))
    assert isinstance(branch_id, int)
    assert branches.admit(conn, world.act(), Role.MERCHANT_BRANCH.value, world.merchant_id, branch_id) is None
    next_door = _next_door(world)
    neighbour = _things(next_door, "s-next")
    own = _things(world, "s-own", "京A11111")
    strangers = build(conn, first_byte=900_000)
    conn.execute(text("UPDATE lot SET name = :name WHERE lot_id = :id"), {"name": SECRET, "id": strangers.lot_id})
    stranger = _things(strangers, "s-strange")
    if more is not None:
        own |= more(world, "京A33333", "own")
        neighbour |= more(next_door, "京A22222", "next door")
        stranger |= more(strangers, THEIR_PLATE, SECRET)
    for tenant in (neighbour, stranger):
        values = {"name": SECRET, "id": int(tenant["merchant_id"])}
        for table in NAMED:
            conn.execute(text(f"UPDATE {table} SET name = :name WHERE merchant_id = :id"), values)  # noqa: S608
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


def another_lot(cloud: Cloud, role: Role) -> dict[str, str]:
    """A second lot of the same operator with one of everything; *role*'s account has the first lot and not this one."""

    def fill(conn: Connection) -> dict[str, str]:
        first = int(conn.exec_driver_sql("SELECT min(lot_id) FROM lot WHERE operator_id = 1").scalar_one())
        world = World(conn, cloud.operator_id, now_ms=cloud.now_ms(), _bytes=itertools.count(5000))
        made = lots.create_lot(conn, world.act(), SECRET, "Asia/Shanghai", 50, LANES)
        assert isinstance(made, int)
        world.lot_id = made
        world.edge_id, world.key_id = world.new_edge(made, "south")
        told = [
            StayOpened("s-south", "in", "inside", THEIR_PLATE, THEIR_PLATE, "small", "d-south"),
            PaymentTaken("p-south", "s-south", "cash", 77_700, "li"),
            DebtRecorded("x-south", "s-gone", THEIR_PLATE, 500),
            IncidentRaised("barrier_fault", "out", SECRET),
            BarrierOpened("out", "d-hand", SECRET, SECRET, "s-south"),
            StayExcused("s-gone", "out", THEIR_PLATE, "waived", "complaint", "li", 500, "d-gone"),
            VisitorAdded("v-south", THEIR_PLATE, SECRET, world.now_ms, world.now_ms + 1000, "li"),
            ShiftOpened("shift-south", 1, SECRET, "li", 0),
        ]
        for seq, event in enumerate(told, 900):
            world.apply(event, seq=seq)
        terms = Terms(kind=Grant.MONTHLY, plates=(THEIR_PLATE,), zones=((made, ""),), name=SECRET)
        number = members.add(conn, world.act(), terms)
        shared = replace(terms, plates=("京B55555",), name="both", zones=((first, ""), (made, "")))
        both = members.add(conn, world.act(), shared)
        blocked = blocking.block(conn, world.act(), THEIR_PLATE, SECRET, made)
        person = people.add(conn, world.act(), SealKey.of(cloud.config_key), SECRET, "attendant", made, "hash")
        raised = conn.execute(select(incident.c.incident_id).where(incident.c.lot_id == made)).scalar_one()
        user_id = conn.execute(select(user.c.user_id).where(user.c.login == role.value)).scalar_one()
        conn.execute(insert(user_lot).values(user_id=user_id, lot_id=first, operator_id=cloud.operator_id))
        return {
            "lot": str(made), "lot_id": str(made), "lane": "in", "debt": "x-south", "shift": "shift-south",
            "number": str(number), "both": str(both), "blocked": str(blocked), "person": str(person),
            "incident_id": str(raised), "zone": str(made), "plates": "京C11111",
            "name": "x", "plate": "京C11112", "do": "set", "pin": "483920", "role": "attendant",
        }  # fmt: skip

    return cloud.db.run_here(fill)


def set_up(database: Database, folder: Path, more: More | None = None) -> Stage:
    """The stage in this empty *database*, with *folder* for its files; *more*: what else each tenant has."""
    passwords = Passwords(WEAK)
    world, own, neighbour, stranger = database.run_here(_fill, passwords.hash_blocking(PASSWORD), more)
    settings = CloudSettings(data=folder, api=ApiSettings(100_000, 100_000))
    cloud = Cloud(settings, database, PrivateKey.generate(), world.operator_id, "http://c.example", passwords)
    cloud.now_ms = lambda: world.now_ms + 60_000
    return Stage(cloud, own, neighbour, stranger)


def move_out(conn: Connection) -> None:
    """The operator may see the merchant next door: what is its is not looked for any more."""
    for table in NAMED:
        theirs = {"name": "next door", "secret": SECRET}
        conn.execute(text(f"UPDATE {table} SET name = :name WHERE operator_id = 1 AND name = :secret"), theirs)  # noqa: S608
    for table, column in (("coupon", "plate"), ("stay", "plate")):
        conn.exec_driver_sql(f"UPDATE {table} SET {column} = 'x' WHERE operator_id = 1")  # noqa: S608


def rows_of(cloud: Cloud, column: str, value: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that is this tenant's, in an order of its own."""

    def rows(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
        return {
            name: sorted(
                (tuple(row) for row in conn.execute(select(table).where(table.c[column] == int(value)))), key=repr
            )
            for name, table in metadata.tables.items()
            if column in table.c
        }

    return cloud.db.run_here(rows)
