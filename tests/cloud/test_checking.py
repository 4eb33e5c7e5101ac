"""The cloud's stored books are examined in sentences, and every way to bend them is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from cloud.access.tables import audit_head
from cloud.checking import CHECKS, check_all
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.db import open_engine, upgrade
from cloud.merchants import leases
from cloud.merchants.leases import Terms
from cloud.merchants.tables import balance, lease, posting
from cloud.sync.tables import edge_cursor
from domain.events import CouponRedeemed, LeaseReturned, VoucherIssued, VoucherRedeemed, VoucherVoided
from domain.ledger import Commodity
from lotgate.__main__ import main
from tests.cloud.world import World, build


def a_day(world: World) -> None:
    """Coupons and vouchers in every state, a lease returned and one still out."""
    first = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN, Terms(2_000))
    assert isinstance(first, int)
    for counter in (1, 2, 3):
        world.apply(VoucherIssued(world.key_id, counter, first, world.merchant_id, 1, 500, 500, 30_000_000, "counter"))
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s0", 400))
    world.apply(VoucherVoided(world.key_id, 2, "paper jam", "booth"))
    world.apply(LeaseReturned(first, 500))
    second = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.MIN, Terms(200))
    assert isinstance(second, int)
    for number, template in enumerate((world.template(), world.template("DURATION", 60), world.template())):
        world.car(f"s{number + 1}", f"京A1234{number}")
        made = coupons.issue(world.conn, world.act(), world.merchant_id, template, f"s{number + 1}")
        assert isinstance(made, coupons.Issued), made
        if number == 0:
            world.apply(CouponRedeemed("r2", made.coupon_id, "s1", 500))
        if number == 2:
            assert coupons.void(world.conn, world.act(), made.coupon_id, "mistaken") is None


def test_a_day_of_coupons_vouchers_and_leases_holds(world: World) -> None:
    a_day(world)

    assert check_all(world.conn) == []


def _one_posting_more(world: World) -> None:
    whose = {"operator_id": world.operator_id, "merchant_id": world.merchant_id}
    leg = {"leg": 0, "account": "available", "commodity": "FEN", "funds": "PAID", "amount": 7}
    world.conn.execute(insert(posting).values(entry_id=1, event_id="x", **whose, **leg))


def _set(table: str, column: str, value: object) -> Callable[[World], None]:
    tables = {each.name: each for each in (balance, lease, coupon, audit_head, edge_cursor)}

    def tamper(world: World) -> None:
        world.conn.execute(update(tables[table]).values({column: value}))

    return tamper


@pytest.mark.parametrize(
    ("bend", "sentences"),
    [
        (_one_posting_more, ["entry 1 does not balance", "(I1)", "the kept sum of available"]),
        (_set("balance", "amount", 1), ["the kept sum of", "outstanding holds 1", "its account holds 1"]),
        (_set("lease", "spent", 1), ["lease 1 should hold", "lease 2 should hold"]),
        (_set("coupon", "state", "REDEEMED"), ["outstanding holds", "void_pending holds"]),
        (_set("audit_head", "audit_id", 99), ["the audit log is broken from row"]),
        (_set("edge_cursor", "seq", 5), ["its cursor says 5"]),
    ],
)
def test_whatever_was_bent_is_named(world: World, bend: Callable[[World], None], sentences: list[str]) -> None:
    a_day(world)

    bend(world)

    said = "\n".join(check_all(world.conn))
    assert [each for each in sentences if each not in said] == []


def test_the_command_looks_at_the_clouds_own_books(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text('data = "data"\n', encoding="utf-8")
    command = ["verify-ledger", "--cloud", "--config", str(config)]
    assert main(command) == 2
    (tmp_path / "data").mkdir()
    engine = _filled(tmp_path / "data" / "cloud.sqlite")

    right, said = main(command), capsys.readouterr().out
    with engine.begin() as conn:
        conn.execute(update(lease).values(granted=1))
    wrong = main(command)

    engine.dispose()
    assert (right, said) == (0, f"all {len(CHECKS)} checks hold\n")
    assert wrong == 1
    assert "lease 1 should hold" in capsys.readouterr().out


def _filled(path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)

    def fill(conn: Connection) -> None:
        a_day(build(conn))

    with engine.begin() as connection:
        fill(connection)
    return engine


def test_two_errors_that_cancel_each_other_are_named_coupon_by_coupon(world: World) -> None:
    given: list[coupons.Issued] = []
    for number in (1, 2):
        world.car(f"s{number}", f"京A1234{number}")
        made = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), f"s{number}")
        assert isinstance(made, coupons.Issued)
        given.append(made)
    world.apply(CouponRedeemed("r1", given[1].coupon_id, "s2", 500))
    assert check_all(world.conn) == []

    swapped = {"BOUND": "REDEEMED", "REDEEMED": "BOUND"}
    for row in world.conn.execute(select(coupon.c.coupon_id, coupon.c.state)).all():
        bent = update(coupon).where(coupon.c.coupon_id == row.coupon_id)
        world.conn.execute(bent.values(state=swapped[row.state], charged=500 if row.state == "BOUND" else None))

    found = check_all(world.conn)
    assert all(any(f"coupon {made.serial} is" in each for each in found) for made in given)
    assert all(each.startswith("coupon ") for each in found)  # the sums of the merchant are right
