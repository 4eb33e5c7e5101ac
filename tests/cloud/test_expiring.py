"""What nobody used comes back once when its time is over, unless its use was on its way (E3)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, func, select, update

from cloud.checking import books_hold, check_all
from cloud.coupons import expiring, history, records
from cloud.coupons import service as coupons
from cloud.coupons.records import Sought
from cloud.coupons.tables import coupon
from cloud.hooks import service as hooks
from cloud.hooks.tables import hook_message
from cloud.merchants.tables import ledger_entry
from cloud.sync.channels import get_row
from cloud.sync.inbox import apply_events, rerun_parked
from domain.events import TYPES, ChannelApplied, CouponRedeemed, CouponRestored, encode
from domain.moment import Moment
from domain.wire import GENESIS, chain_hash
from tests.cloud.world import NOW, World, build

HOUR_MS = 3_600_000
END = NOW + 24 * HOUR_MS
OVER = END + expiring.GRACE_MS + 1


def issue(world: World, stay_id: str = "s1", plate: str = "京A12345") -> str:
    world.car(stay_id, plate)
    made = coupons.issue(world.conn, world.act("m"), world.merchant_id, world.template(), stay_id)
    assert isinstance(made, coupons.Issued), made
    return made.coupon_id


def job(world: World, now_ms: int = OVER) -> int:
    """The cloud's own job, once."""
    world.now_ms = now_ms
    coupons.record_expiries(world.conn, world.operator_id, now_ms)
    return coupons.withdraw_expired(world.conn, world.operator_id, now_ms)


def state(world: World, coupon_id: str) -> str:
    return str(world.conn.execute(select(coupon.c.state).where(coupon.c.coupon_id == coupon_id)).scalar_one())


def kinds(world: World) -> list[str]:
    return list(world.conn.execute(select(ledger_entry.c.kind).order_by(ledger_entry.c.entry_id)).scalars())[-2:]


def test_an_unused_coupon_comes_back_once_when_its_lot_knows(world: World) -> None:
    one = issue(world)

    assert job(world, END + 1) == 0  # noted; a car that settled with it may be on its way out
    noted = world.accounts()["outstanding"]
    taken = [job(world), job(world)]
    world.apply(ChannelApplied("coupons", 1))  # the version that brought it
    waiting = world.accounts()
    for _ in range(2):
        world.apply(ChannelApplied("coupons", 2))
        job(world)

    assert (noted, taken) == (500, [1, 0])
    assert get_row(world.conn, world.edge_id, "coupons", one) is None
    assert waiting == {"recharge": -12_000, "available": 11_500, "void_pending": 500}
    assert world.accounts() == {"recharge": -12_000, "available": 12_000}
    assert (state(world, one), kinds(world)) == ("EXPIRED", ["coupon.expired", "coupon.lapsed"])
    assert check_all(world.conn) == []


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_a_use_that_comes_up_late_wins_and_is_charged_once(world: World, is_withdrawn: bool) -> None:
    one = issue(world)
    assert job(world, OVER if is_withdrawn else END + 1) == is_withdrawn

    for _ in range(2):
        world.apply(CouponRedeemed("r1", one, "s1", 400))
    assert job(world) == 0
    world.apply(ChannelApplied("coupons", 9))

    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}
    assert (state(world, one), world.codes(), check_all(world.conn)) == ("REDEEMED", [], [])


def test_a_use_after_the_lot_knew_is_the_operators(world: World) -> None:
    one = issue(world)
    job(world)
    world.apply(ChannelApplied("coupons", 2))

    world.apply(CouponRedeemed("r1", one, "s1", 400))

    lost = {"operator_loss": -400, "unfunded": 400}
    assert world.accounts() == {"recharge": -12_000, "available": 12_000, **lost}
    assert (world.codes(), check_all(world.conn)) == (["coupon_used_after_end"], [])


def test_a_use_that_is_taken_back_lets_it_expire_again(world: World) -> None:
    one = issue(world)
    job(world)
    world.apply(CouponRedeemed("r1", one, "s1", 400))
    world.apply(CouponRestored("r1", one, "s1"))

    assert job(world) == 1
    world.apply(ChannelApplied("coupons", 9))

    assert world.accounts() == {"recharge": -12_000, "available": 12_000}
    assert (state(world, one), check_all(world.conn)) == ("EXPIRED", [])


@pytest.mark.parametrize("when", ["before the job", "after the job"])
def test_a_use_that_was_set_aside_keeps_its_value_held(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    one = issue(world)
    if when == "after the job":
        assert job(world) == 1
    body = encode(1, Moment("b", 1, NOW), CouponRedeemed("r1", one, "s1", 400))
    with monkeypatch.context() as older_release:
        older_release.delitem(TYPES, ("coupon.redeemed", 1))
        apply_events(world.conn, world.ctx(), [body], [chain_hash(GENESIS, body)], 1)

    assert job(world) == 0
    world.apply(ChannelApplied("coupons", 9))  # of an edge in its place: its log has nothing set aside
    held = world.accounts()
    rerun_parked(world.conn, world.ctx(), "wang")
    world.apply(ChannelApplied("coupons", 9))

    assert held["available"] == 11_500
    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}
    assert (state(world, one), books_hold(world.conn)) == ("REDEEMED", [])


def test_nothing_is_told_twice_and_a_plate_is_told_to_nobody(world: World) -> None:
    hooks.create(world.conn, world.act(), "https://hooks.example.com/in", ["coupon.expired"], None)
    one = issue(world)
    for at_ms in (END + 1, OVER, OVER):
        job(world, at_ms)
    world.apply(ChannelApplied("coupons", 9))

    bodies = world.conn.execute(select(hook_message.c.body)).scalars().all()
    assert len(bodies) == 1
    assert "京A" not in bodies[0]
    found = history.of(world.conn, world.operator_id, one, None)
    assert found is not None
    assert [step.what for step in found[1]] == ["made_direct", "bound", "expired"]


def test_batches_take_all_there_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    for number in range(3):
        issue(world, f"s{number}", f"京A1234{number}")

    assert [job(world) for _ in range(3)] == [2, 1, 0]


def test_records_tell_it_as_expired(world: World) -> None:
    one, other = issue(world), issue(world, "s2", "京B22222")
    world.conn.execute(update(coupon).where(coupon.c.coupon_id == other).values(expires_ms=OVER + HOUR_MS))

    def seen(wanted: str) -> list[str]:
        rows = world.conn.execute(records.usage(world.operator_id, Sought(state=wanted))).mappings().all()
        assert wanted not in {"BOUND", "EXPIRED"} or {records.shown(row) for row in rows} <= {wanted, "EXPIRING"}
        return [row["coupon_id"] for row in rows]

    for step in (lambda: job(world, END + 1), lambda: job(world), lambda: world.apply(ChannelApplied("coupons", 9))):
        step()
        assert (seen("EXPIRED"), seen("BOUND")) == ([one], [other])
        funnel = world.conn.execute(records.funnel(world.operator_id, 0, OVER)).mappings().one()
        assert dict(funnel) == {"issued": 2, "bound": 2, "redeemed": 0, "expired": 1, "voided": 0}


def test_two_jobs_at_once_withdraw_each_coupon_once(engine: Engine) -> None:
    with engine.begin() as conn:
        world = build(conn)
        for number in range(8):
            issue(world, f"s{number}", f"京A1234{number}")
        coupons.record_expiries(conn, world.operator_id, OVER)
    taken: list[int] = []
    start = threading.Barrier(2)

    def one_job() -> None:
        start.wait(10)
        with engine.begin() as own:
            taken.append(coupons.withdraw_expired(own, world.operator_id, OVER))

    threads = [threading.Thread(target=one_job) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    with engine.begin() as conn:
        lines = conn.execute(
            select(func.count()).select_from(ledger_entry).where(ledger_entry.c.kind == "coupon.expired")
        ).scalar_one()
        assert (sum(taken), lines, check_all(conn)) == (8, 8, [])
