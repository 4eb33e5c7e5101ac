"""Contracts, credit and statements: what a merchant owes, told line by line (S1.14, E14-E16, E19)."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.checking import check_all
from cloud.coupons import service as coupons
from cloud.merchants import contracts, credit, leases, ledger, service, statements
from cloud.merchants.service import PaymentMode, SettlementMode
from domain.contract import Basis, Terms
from domain.coupon.model import CouponKind
from domain.events import CouponRedeemed, CouponRestored, LeaseApplied, VoucherIssued, VoucherRedeemed
from domain.ledger import Commodity, Funds
from tests.cloud.world import World

DAY_MS = 86_400_000
MONTH_MS = 31 * DAY_MS
USED = Terms(amount_basis=Basis.REDUCED, amount_percent=80, waiver_basis=Basis.REDUCED)


def postpaid(world: World, mode: SettlementMode = SettlementMode.ON_REDEEM, fen: int = 5_000) -> int:
    """A merchant that pays afterwards, with a contract at the lot."""
    made = service.create_merchant(world.conn, world.act(), "书店", "13900000000")
    assert not isinstance(made, Refused)
    merchant_id = int(made["merchant_id"])
    assert service.configure_settlement(world.conn, world.act(), merchant_id, PaymentMode.POSTPAID, mode) is None
    assert credit.set_limit(world.conn, world.act(), merchant_id, fen, 0, 10) is None
    assert isinstance(contracts.set_contract(world.conn, world.act(), merchant_id, world.lot_id), int)
    world.merchant_id = merchant_id
    return merchant_id


def give(world: World, kind: str = "AMOUNT", value: int = 500, stay: str = "s1") -> coupons.Issued:
    given = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(kind, value), stay)
    assert isinstance(given, coupons.Issued), given
    return given


def use(world: World, given: coupons.Issued, off_fen: int) -> None:
    world.apply(CouponRedeemed(f"r-{given.coupon_id}", given.coupon_id, "s1", off_fen))


def stated(world: World) -> int:
    made = statements.close(world.conn, world.act(), world.merchant_id, world.now_ms, coupons.facts)
    assert isinstance(made, int), made
    return made


def agree(world: World, statement_id: int) -> None:
    everything = [row["line"] for row in statements.lines(world.conn, world.operator_id, statement_id)]
    for side in statements.SIDES:
        done = statements.say(world.conn, world.act(), statement_id, side, everything, statements.CONFIRMED)
        assert done is None


def owed(world: World, mode: SettlementMode) -> credit.Standing:
    return credit.standing(world.conn, world.merchant_id, mode.value, Commodity.FEN)


def test_a_coupon_charged_by_what_it_took_off_gives_the_rest_of_its_hold_back(world: World) -> None:
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, USED)
    world.car("s1")
    given = give(world, "FULL_WAIVER", 0)
    assert world.accounts()["outstanding"] == 5_000

    use(world, given, 1_200)

    assert world.accounts() == {"recharge": -12_000, "available": 10_800, "redeemed": 1_200}
    assert check_all(world.conn) == []


def test_a_later_contract_does_not_change_what_was_issued_under_the_old_one(world: World) -> None:
    world.car("s1")
    given = give(world)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, USED)

    use(world, given, 100)

    assert world.accounts()["redeemed"] == 500


@pytest.mark.parametrize(("kind", "value", "face"), [("AMOUNT", 500, 500), ("PERCENT", 80, 0), ("DURATION", 60, 0)])
def test_a_line_in_money_tells_a_face_value_only_where_it_is_money(
    world: World, kind: str, value: int, face: int
) -> None:
    postpaid(world, SettlementMode.ON_ISSUE, 50_000)
    by_the_hour = Terms(duration_basis=Basis.HOURLY, fen_per_hour=600)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, by_the_hour)
    world.car("s1")
    give(world, kind, value)
    world.now_ms += MONTH_MS

    (line,) = statements.lines(world.conn, world.operator_id, stated(world))

    assert (line["commodity"], line["face"]) == ("FEN", face)


def test_a_voucher_is_charged_by_the_contract_of_the_day_it_was_printed(world: World) -> None:
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, USED)
    lease_id = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN)
    assert isinstance(lease_id, int)
    granted = ledger.held_by(world.conn, world.merchant_id, f"lease:{lease_id}", Commodity.FEN, Funds.BONUS)
    funds = Funds.BONUS if granted else Funds.PAID
    granted = granted or ledger.held_by(world.conn, world.merchant_id, f"lease:{lease_id}", Commodity.FEN, funds)
    world.apply(LeaseApplied(lease_id, granted))
    template = world.template("AMOUNT", 500)
    world.apply(
        VoucherIssued(
            world.key_id, 1, lease_id, world.merchant_id, template, 400, 500, world.now_ms // 60_000 + 60, "a"
        )
    )

    world.apply(VoucherRedeemed("r1", world.key_id, 1, "s1", 300))

    assert world.accounts()["redeemed"] == 240
    assert check_all(world.conn) == []


def test_the_months_free_allotment_is_spent_first_and_lapses(world: World) -> None:
    terms = Terms(free_fen=800)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, terms)
    world.car("s1")
    give(world)
    assert world.accounts() == {
        "recharge": -12_000, "allotment": -800, f"free:{world.lot_id}": 300, "available": 12_000, "outstanding": 500,
    }  # fmt: skip
    give(world)  # the rest of it, then bonus
    assert world.accounts()["available"] == 11_800

    world.now_ms += MONTH_MS
    give(world)

    assert world.accounts() == {
        "recharge": -12_000, "allotment": -1_600, f"free:{world.lot_id}": 300, "available": 11_800,
        "outstanding": 1_500,
    }  # fmt: skip
    world.now_ms += MONTH_MS
    cost = contracts.cost(
        contracts.current_contract(world.conn, world.merchant_id, world.lot_id), CouponKind.AMOUNT, 100
    )
    assert isinstance(cost, contracts.Cost)
    assert contracts.free_left(world.conn, world.act(), world.merchant_id, world.lot_id, cost, 300) == 800
    assert world.accounts()["allotment"] == -2_100  # 300 went back before 800 came
    assert check_all(world.conn) == []


def test_a_voided_coupon_gives_the_free_part_back_where_it_came_from(world: World) -> None:
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, Terms(free_fen=300))
    world.car("s1")
    given = give(world)

    assert coupons.void(world.conn, world.act(), given.coupon_id, "wrong car") is None
    coupons.release_voids(world.conn, world.edge_id, 10**6, world.now_ms, "test")

    assert world.accounts()[f"free:{world.lot_id}"] == 300
    assert check_all(world.conn) == []


@pytest.mark.parametrize("comes_back", ["voided", "used for less", "used and taken back"])
def test_a_part_of_an_allotment_that_comes_back_after_its_month_lapses(world: World, comes_back: str) -> None:
    terms = Terms(amount_basis=Basis.REDUCED, free_fen=300)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, terms)
    world.car("s1")
    given = give(world)
    world.now_ms += MONTH_MS
    give(world)  # brings the new month's

    if comes_back == "voided":
        assert coupons.void(world.conn, world.act(), given.coupon_id, "wrong car") is None
        coupons.release_voids(world.conn, world.edge_id, 10**6, world.now_ms, "test")
    else:
        world.apply(CouponRedeemed("r1", given.coupon_id, "s1", 100))
    if comes_back == "used and taken back":
        world.apply(CouponRestored("r1", given.coupon_id, "s1"))

    accounts = world.accounts()
    assert accounts.get(f"free:{world.lot_id}", 0) == 0
    assert accounts["allotment"] == -300 - (0 if comes_back == "voided" else 100)
    assert check_all(world.conn) == []


def test_a_postpaid_merchant_issues_up_to_its_limit_and_not_beyond(world: World) -> None:
    postpaid(world, fen=1_000)
    world.car("s1")
    give(world)
    give(world)

    refused = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), "s1")
    lowered = credit.set_limit(world.conn, world.act(), world.merchant_id, 900, 0, 10)
    refund = service.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 1, "")

    assert refused == Refused("balance_short", {"left": 0, "needed": 500})
    assert lowered == Refused("credit_in_use", {"left": 0})
    assert refund == Refused("postpaid_has_no_balance")
    assert world.accounts() == {"credit": -1_000, "outstanding": 1_000}


@pytest.mark.parametrize(
    ("mode", "at_issue", "at_use"),
    [(SettlementMode.ON_ISSUE, (500, 0), (500, 0)), (SettlementMode.ON_REDEEM, (0, 500), (500, 0))],
)
def test_the_settlement_mode_says_when_a_coupon_is_owed(
    world: World, mode: SettlementMode, at_issue: tuple[int, int], at_use: tuple[int, int]
) -> None:
    postpaid(world, mode)
    world.car("s1")
    given = give(world)
    issued = owed(world, mode)

    use(world, given, 500)
    used = owed(world, mode)

    assert (issued.owed, issued.unsettled) == at_issue
    assert (used.owed, used.unsettled) == at_use


def test_a_statement_is_agreed_paid_once_and_fills_the_limit_again(world: World) -> None:
    merchant_id = postpaid(world)
    world.car("s1")
    use(world, give(world), 300)
    world.now_ms += DAY_MS
    number = stated(world)
    (line,) = statements.lines(world.conn, world.operator_id, number)
    assert (line["face"], line["reduced_fen"], line["owed"], line["lot_id"]) == (500, 300, 500, world.lot_id)

    early = statements.mark_paid(world.conn, world.act(), number, "")
    agree(world, number)
    paid = statements.mark_paid(world.conn, world.act(), number, "transfer 17")
    again = statements.mark_paid(world.conn, world.act(), number, "transfer 17")

    assert (early, paid, again) == (Refused("statement_unconfirmed", {"lines": 1}), None, Refused("statement_paid"))
    assert ledger.purse(world.conn, merchant_id, Commodity.FEN).paid == 5_000
    assert owed(world, SettlementMode.ON_REDEEM) == credit.Standing(0, 0)
    assert check_all(world.conn) == []


def test_what_a_lot_reports_late_stands_in_the_next_statement_and_nothing_twice(world: World) -> None:
    postpaid(world)
    world.car("s1")
    early, late = give(world), give(world)
    use(world, early, 500)
    used_ms = world.now_ms
    world.now_ms += DAY_MS
    first = stated(world)

    world.now_ms, now_ms = used_ms, world.now_ms + DAY_MS
    use(world, late, 500)  # used before the first statement, heard of after it
    world.now_ms = now_ms
    second = stated(world)

    told = [statements.lines(world.conn, world.operator_id, number) for number in (first, second)]
    assert [[line["subject"] for line in lines] for lines in told] == [[early.serial], [late.serial]]
    assert statements.unstated(world.conn, world.merchant_id, "ON_REDEEM", world.now_ms) == {}


def test_an_overdue_statement_stops_new_coupons_and_leases_until_it_is_paid(world: World) -> None:
    postpaid(world)
    world.car("s1")
    use(world, give(world), 500)
    world.now_ms += DAY_MS
    number = stated(world)
    world.now_ms += 11 * DAY_MS

    refused = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), "s1")
    lease = leases.grant(world.conn, world.act(), world.edge_id, world.merchant_id, Commodity.FEN)
    agree(world, number)
    statements.mark_paid(world.conn, world.act(), number, "")

    assert refused == lease == Refused("statement_overdue")
    give(world)


def test_a_disputed_line_is_put_right_by_a_line_of_its_own(world: World) -> None:
    postpaid(world)
    world.car("s1")
    use(world, give(world), 500)
    world.now_ms += DAY_MS
    number = stated(world)

    silent = statements.say(world.conn, world.act(), number, "merchant", [1], statements.DISPUTED)
    statements.say(world.conn, world.act(), number, "merchant", [1], statements.DISPUTED, "the car was not ours")
    unpaid = statements.mark_paid(world.conn, world.act(), number, "")
    corrected = statements.correct(world.conn, world.act(), number, 1, 200, "agreed by telephone")
    too_much = statements.correct(world.conn, world.act(), number, 1, 301, "more")
    world.now_ms += DAY_MS
    following = stated(world)

    assert silent == Refused("reason_missing")
    assert unpaid == Refused("statement_unconfirmed", {"lines": 1})
    assert (corrected, too_much) == (None, Refused("amount_malformed"))
    (line,) = statements.lines(world.conn, world.operator_id, following)
    assert (line["kind"], line["owed"]) == ("statement.corrected", -200)
    assert check_all(world.conn) == []


def test_a_use_taken_back_holds_what_is_still_there_again(world: World) -> None:
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, USED)
    world.car("s1")
    given = give(world, "FULL_WAIVER", 0)
    use(world, given, 1_200)
    assert service.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 10_000, "") is None

    world.apply(CouponRestored(f"r-{given.coupon_id}", given.coupon_id, "s1"))

    assert world.accounts() == {"recharge": -12_000, "refund": 10_000, "outstanding": 2_000}
    assert check_all(world.conn) == []
