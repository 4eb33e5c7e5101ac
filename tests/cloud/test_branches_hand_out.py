"""Codes, papers and posters of a branch: out of its purse, within its month and at its lots, seen by itself."""

from __future__ import annotations

from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import claiming, codes, posters
from cloud.coupons import service as coupons
from cloud.coupons.codes import Way
from cloud.lots import service as lots
from cloud.merchants import branches, contracts
from cloud.merchants.branches import Plan
from cloud.web.state import Cloud
from domain.coupon.limits import Limits
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in
from tests.cloud.world import LANES, World

__all__ = ["browser", "cloud", "hashed"]
PHONE = "a phone's own secret"


def branch(world: World, plan: Plan) -> int:
    made = branches.add(world.conn, world.act(), world.merchant_id, plan)
    assert isinstance(made, int)
    return made


def papers(world: World, branch_id: int, copies: int = 1, *, anywhere: bool = False) -> str | Refused:
    args = (world.conn, world.act("b"), world.merchant_id, world.template("AMOUNT", 500), 0, copies)
    return codes.print_papers(*args, branch_id=branch_id, anywhere=anywhere)


def test_papers_screens_and_posters_of_a_branch_count_towards_its_month(world: World) -> None:
    south = branch(world, Plan("south", month_fen=1_500))
    world.car("s1", "京C77777")
    five = world.template()
    act, whose = world.act("b"), (world.merchant_id, five)

    printed = papers(world, south)
    screen = codes.open_screen(world.conn, act, *whose, branch_id=south)
    poster = posters.put_up(world.conn, act, *whose, world.lot_id, "door", Limits(per_day=1), south)
    (code,) = [row["code"] for row in posters.listed(world.conn, world.operator_id, world.merchant_id)]
    taken = posters.take(world.conn, world.act("driver"), code, "京A12345", PHONE)
    over = [
        papers(world, south),
        codes.open_screen(world.conn, act, *whose, branch_id=south),
        posters.take(world.conn, world.act("driver"), code, "京B54321", PHONE),
        coupons.issue(world.conn, act, world.merchant_id, five, "s1", branch_id=south),
    ]

    assert isinstance(printed, str)
    assert isinstance(screen, str)
    assert isinstance(poster, int)
    assert isinstance(taken, posters.Taken), taken
    assert over == [Refused("branch_limit", {"left": 0})] * 4
    assert not isinstance(papers(world, 0), Refused)
    assert check_all(world.conn) == []


def test_a_branch_with_a_purse_of_its_own_pays_and_gets_back_what_nobody_claimed(world: World) -> None:
    south = branch(world, Plan("south", own_purse=True))
    assert branches.fill(world.conn, world.act(), south, Commodity.FEN, 1_000) is None

    batch = papers(world, south, 2)
    short = papers(world, south)
    assert isinstance(batch, str)
    held = world.accounts()
    assert codes.close(world.conn, world.act("b"), world.merchant_id, batch, "over", branch_id=south) is None

    assert isinstance(short, Refused)
    assert short.code == "balance_short"
    assert held == {"recharge": -12_000, "available": 11_000, "outstanding": 1_000}
    assert world.accounts() == {"recharge": -12_000, "available": 11_000, f"branch:{south}": 1_000}
    assert check_all(world.conn) == []


def test_a_branchs_codes_are_good_at_its_lots_alone(world: World) -> None:
    other = lots.create_lot(world.conn, world.act(), "south lot", "Asia/Shanghai", 10, LANES)
    assert isinstance(other, int)
    world.new_edge(other, "south")
    contracts.set_contract(world.conn, world.act(), world.merchant_id, other)
    south = branch(world, Plan("south", lot_ids=(other,)))

    batch = papers(world, south, anywhere=True)
    wrong = codes.print_papers(
        world.conn, world.act("b"), world.merchant_id, world.template(), 0, 1, world.lot_id, branch_id=south
    )
    assert isinstance(batch, str)
    offered = claiming.find(world.conn, world.operator_id, codes.of_batch(world.conn, batch)[0]["token"])

    assert offered is not None
    assert (offered.lots, wrong) == ({other: "south lot"}, Refused("lot_missing"))


def test_a_branch_sees_and_ends_its_own_alone(world: World) -> None:
    south, north = branch(world, Plan("south")), branch(world, Plan("north"))
    ours, theirs = papers(world, south), papers(world, north)
    assert isinstance(ours, str)
    assert isinstance(theirs, str)
    of = (world.conn, world.operator_id, world.merchant_id)
    args = (world.conn, world.act("b"), world.merchant_id, world.template(), world.lot_id, "door", Limits(per_day=1))
    mine, other = posters.put_up(*args, south), posters.put_up(*args, north)
    assert isinstance(mine, int)
    assert isinstance(other, int)

    strange = posters.put_up(*args, 99)
    seen = [row["batch_id"] for row in codes.batches(*of, Way.PAPER, branch_id=south).items]

    assert (seen, strange) == ([ours], Refused("branch_unknown"))
    assert codes.get(*of, theirs, branch_id=south) is None
    assert codes.close(world.conn, world.act("b"), world.merchant_id, theirs, "x", "", south) == Refused(
        "batch_unknown"
    )
    assert [row["poster_id"] for row in posters.listed(*of, branch_id=south)] == [mine]
    assert posters.take_down(world.conn, world.act("b"), world.merchant_id, other, "", south) == Refused(
        "poster_unknown"
    )
    assert {row["batch_id"] for row in codes.batches(*of, Way.PAPER).items} == {ours, theirs}


async def test_a_branchs_login_prints_and_shows_codes_on_its_own_pages(browser: Browser, cloud: Cloud) -> None:
    def admitted(conn: object) -> int:
        world = _again(conn, cloud)  # type: ignore[arg-type]
        south = branch(world, Plan("南门店"))
        world.template()
        assert branches.admit(world.conn, world.act(), "merchant", world.merchant_id, south) is None
        return south

    south = cloud.db.run_here(admitted)
    await sign_in(browser, "merchant")
    await post(browser, "/m/places", "/m/places", merchant_id="1", branch_id=str(south))

    shown = [(await browser.get(page)).status for page in ("/m/codes", "/m/print", "/m/posters")]
    made, _ = await post(browser, "/m/print", "/m/print", template_id="1", count="2")
    at_lot, _ = await post(browser, "/m/print", "/m/print/lot", template_id="1", count="1")

    given = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT branch_id FROM coupon_batch").scalars().all())
    assert (shown, made, at_lot, given) == ([200, 200, 200], 200, 403, [south])
