"""What a paper printed at a counter held comes back once when its time is over and its lot knows (E3)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, func, select, update

from cloud.checking import check_all
from cloud.coupons import expiring, expiring_papers, slips
from cloud.coupons import service as coupons
from cloud.coupons.succession import move_to_edge
from cloud.coupons.tables import voucher
from cloud.lots import edges as lot_edges
from cloud.merchants.tables import ledger_entry
from cloud.sync import channels
from cloud.sync.channels import get_row
from cloud.sync.inbox import apply_events, rerun_parked
from domain.events import (
    TYPES,
    ChannelApplied,
    CouponKept,
    StayClosed,
    VoucherRedeemed,
    VoucherRestored,
    VoucherVoided,
    encode,
)
from domain.moment import Moment
from domain.wire import GENESIS, chain_hash
from tests.cloud.test_leases import granted, issued
from tests.cloud.world import World, build

END_MS = 30_000_000 * 60_000  # as ``issued`` says
OVER = END_MS + expiring.GRACE_MS + 60_000
LEASED = {"recharge": -12_000, "available": 10_000, "lease:1": 1_500}
BACK = {"recharge": -12_000, "available": 10_500, "lease:1": 1_500}
USED = {"recharge": -12_000, "available": 10_000, "lease:1": 1_500, "redeemed": 500}


def printed(world: World, count: int = 1) -> None:
    lease = granted(world)
    for number in range(1, count + 1):
        world.apply(issued(world, number, lease))


def job(world: World, now_ms: int = OVER) -> int:
    """The cloud's own job, once."""
    world.now_ms = now_ms
    slips.forget(world.conn, world.operator_id, now_ms)
    return coupons.withdraw_papers(world.conn, world.operator_id, now_ms)


def lot_knows(world: World, version: int = 9, edge_id: str = "") -> None:
    world.apply(ChannelApplied("vstate", version), edge_id=edge_id)


def states(world: World) -> list[str]:
    return list(world.conn.execute(select(voucher.c.state).order_by(voucher.c.counter)).scalars())


def told(world: World) -> object:
    return get_row(world.conn, world.edge_id, "vstate", f"{world.key_id}:1")


def test_an_unused_paper_comes_back_once_when_its_lot_knows(world: World) -> None:
    printed(world)

    assert job(world, END_MS + 1) == 0  # a car that settled with it may be on its way out
    noted = world.accounts()
    taken = [job(world), job(world)]
    lot_knows(world, 0)  # an older version of the list
    world.apply(ChannelApplied("coupons", 9))
    waiting = world.accounts()
    for _ in range(2):
        lot_knows(world, 1)
        job(world)

    assert (noted, taken) == ({**LEASED, "outstanding": 500}, [1, 0])
    assert waiting == {**LEASED, "void_pending": 500}
    assert (world.accounts(), states(world)) == (BACK, ["EXPIRED"])
    assert told(world) == {"state": "VOIDED", "not_after_min": 30_000_000}
    kinds = world.conn.execute(select(ledger_entry.c.kind).order_by(ledger_entry.c.entry_id)).scalars().all()
    assert kinds[-2:] == ["voucher.expired", "voucher.lapsed"]
    assert check_all(world.conn) == []


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_a_use_that_comes_up_late_wins_and_is_charged_once(world: World, is_withdrawn: bool) -> None:
    printed(world)
    assert job(world, OVER if is_withdrawn else END_MS) == is_withdrawn

    for _ in range(2):
        world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 400))
    assert job(world) == 0
    lot_knows(world)

    assert (world.accounts(), states(world)) == (USED, ["REDEEMED"])
    assert (world.codes(), check_all(world.conn)) == ([], [])


@pytest.mark.parametrize("is_used", [True, False])
def test_a_paper_a_car_has_paid_with_comes_back_when_that_car_left_without_using_it(
    world: World, is_used: bool
) -> None:
    world.car("s1")
    printed(world)
    job(world)

    world.apply(CouponKept(f"{world.key_id}:1", "s1"))
    lot_knows(world)
    waiting = states(world), coupons.release_papers_left(world.conn, world.operator_id, world.now_ms)
    if is_used:
        world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 400))
    world.apply(StayClosed("s1", "out", "京A12345", "PAID", "", 900, 0, 0, 900, 0, "d", "t"))
    released = coupons.release_papers_left(world.conn, world.operator_id, world.now_ms)

    assert (waiting, released) == ((["EXPIRING"], 0), not is_used)
    assert world.accounts() == (USED if is_used else BACK)
    assert (world.codes(), check_all(world.conn)) == ([], [])


@pytest.mark.parametrize("is_used", [True, False])
def test_a_lot_that_knows_waits_for_what_it_said_before_and_was_set_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, is_used: bool
) -> None:
    printed(world)
    job(world)
    ref = f"{world.key_id}:1"
    use = VoucherRedeemed("r1", world.key_id, 1, "s1", 400) if is_used else CouponKept(ref, "s1")
    at = Moment("b", 1, world.now_ms)
    bodies = [encode(70, at, use), encode(71, at, ChannelApplied("vstate", 9))]
    first = chain_hash(GENESIS, bodies[0])
    with monkeypatch.context() as older_release:
        older_release.delitem(TYPES, (use.TYPE, 1))
        aside = apply_events(world.conn, world.ctx(), bodies, [first, chain_hash(first, bodies[1])], 70)

    assert [one["s"] for one in aside] == [70, 71]
    assert rerun_parked(world.conn, world.ctx(), "wang") == 2
    assert states(world) == ["REDEEMED" if is_used else "EXPIRING"]


def test_a_use_after_the_lot_knew_is_the_operators(world: World) -> None:
    printed(world)
    job(world)
    lot_knows(world)

    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 400))

    assert world.accounts() == {**BACK, "operator_loss": -400, "unfunded": 400}
    assert (world.codes(), check_all(world.conn)) == (["voucher_used_after_end"], [])


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_use_that_is_taken_back_lets_it_expire_again(world: World, is_kept: bool) -> None:
    printed(world)
    job(world)
    if is_kept:
        world.apply(CouponKept(f"{world.key_id}:1", "s1"))
    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 400))
    world.apply(VoucherRestored("r1", world.key_id, 1, "s1"))
    lot_knows(world, 1)
    assert (told(world), states(world)) == (None, ["OUTSTANDING"])

    assert job(world) == 1
    lot_knows(world, 3)

    assert (world.accounts(), states(world), check_all(world.conn)) == (BACK, ["EXPIRED"], [])


@pytest.mark.parametrize("when", ["before the job", "after the job"])
def test_a_use_that_was_set_aside_keeps_its_value_held(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    printed(world)
    if when == "after the job":
        assert job(world) == 1
    body = encode(70, Moment("b", 1, world.now_ms), VoucherRedeemed("r1", world.key_id, 1, "s1", 400))
    with monkeypatch.context() as older_release:
        older_release.delitem(TYPES, ("voucher.redeemed", 1))
        apply_events(world.conn, world.ctx(), [body], [chain_hash(GENESIS, body)], 70)

    assert job(world) == 0
    lot_knows(world)
    held = world.accounts()
    rerun_parked(world.conn, world.ctx(), "wang")
    lot_knows(world)

    assert held["available"] == 10_000
    assert (world.accounts(), states(world)) == (USED, ["REDEEMED"])


@pytest.mark.parametrize("knows", [False, True])
def test_one_that_a_person_voids_at_the_lot_comes_back_once(world: World, knows: bool) -> None:
    printed(world)
    job(world)
    if knows:
        lot_knows(world)

    world.apply(VoucherVoided(world.key_id, 1, "in doubt", "li"))
    lot_knows(world)

    assert (world.accounts(), world.codes(), check_all(world.conn)) == (BACK, [], [])


def test_papers_of_a_lot_without_a_device_stay_held_and_its_next_one_is_told(world: World) -> None:
    printed(world)
    job(world)
    lot_edges.revoke_edge(world.conn, world.act(), world.edge_id, "stolen")
    before, (world.edge_id, _) = world.edge_id, world.new_edge(world.lot_id, "new")
    move_to_edge(world.conn, world.operator_id, before, world.edge_id, world.now_ms)
    told_again = told(world)
    lot_knows(world, 9, before)
    held = world.accounts()
    lot_knows(world, channels.versions(world.conn, world.edge_id)["vstate"])

    assert told_again == {"state": "VOIDED", "not_after_min": 30_000_000}
    assert (held["void_pending"], world.accounts()) == (500, BACK)


def test_a_lot_is_told_until_it_knows_and_a_week_after_that_no_more(world: World) -> None:
    printed(world)
    job(world)

    job(world, OVER + 2 * slips.KEPT_MS)
    still = told(world)
    lot_knows(world)
    job(world, OVER + 2 * slips.KEPT_MS)

    assert (still is None, told(world)) == (False, None)


def test_batches_take_all_there_are_and_one_without_a_device_is_in_nobodys_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring_papers, "AT_ONCE", 2)
    printed(world, 4)
    elsewhere = (voucher.c.counter == 1) & (voucher.c.key_id == world.key_id)
    world.conn.execute(update(voucher).where(elsewhere).values(lot_id=world.lot_id + 1))

    assert [job(world) for _ in range(3)] == [2, 1, 0]


def test_two_jobs_at_once_withdraw_each_paper_once(engine: Engine) -> None:
    with engine.begin() as conn:
        world = build(conn)
        printed(world, 4)
    taken: list[int] = []
    start = threading.Barrier(2)

    def one_job() -> None:
        start.wait(10)
        with engine.begin() as own:
            taken.append(coupons.withdraw_papers(own, world.operator_id, OVER))

    threads = [threading.Thread(target=one_job) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    with engine.begin() as conn:
        lines = conn.execute(
            select(func.count()).select_from(ledger_entry).where(ledger_entry.c.kind == "voucher.expired")
        ).scalar_one()
        assert (sum(taken), lines, check_all(conn)) == (4, 4, [])
