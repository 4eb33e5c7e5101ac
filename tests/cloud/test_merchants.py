"""Merchants' accounts, purses and prices, S1.1-S1.22."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert

from cloud.access import audit
from cloud.act import Refused
from cloud.merchants import contracts, ledger
from cloud.merchants import service as merchants
from cloud.merchants.contracts import Cost
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.merchants.tables import posting
from domain.contract import Hold, Terms
from domain.coupon.model import CouponKind
from domain.ledger import AVAILABLE, RECHARGE, Commodity, Funds, UnbalancedError, move
from tests.cloud.world import NOW, World


def test_a_new_merchant_gets_a_nine_digit_account_and_can_do_nothing_before_settlement(world: World) -> None:
    made = merchants.create_merchant(world.conn, world.act(), "书店", "13900000000")
    assert not isinstance(made, Refused)

    refused = merchants.top_up(world.conn, world.act(), made["merchant_id"], Commodity.FEN, 100, 0, "")

    assert len(made["account_no"]) == 9
    assert made["account_no"].isdigit()
    assert refused == Refused("settlement_missing")


@pytest.mark.parametrize(
    ("name", "phone", "remark", "code"),
    [
        (" ", "13800000000", "", "name_missing"),
        ("店", "no", "", "phone_malformed"),
        ("店", "１３８００００００００", "", "phone_malformed"),
        ("店", "13800000000", "长" * 129, "remark_too_long"),
    ],
)
def test_details_that_make_no_sense_are_refused(world: World, name: str, phone: str, remark: str, code: str) -> None:
    refused = merchants.create_merchant(world.conn, world.act(), name, phone, remark=remark)

    assert isinstance(refused, Refused)
    assert refused.code == code


def test_how_a_merchant_pays_is_kept_forever(world: World) -> None:
    def settle(payment: PaymentMode, settlement: SettlementMode) -> str | None:
        refused = merchants.configure_settlement(world.conn, world.act(), world.merchant_id, payment, settlement)
        return None if refused is None else refused.code

    assert settle(PaymentMode.PREPAID, SettlementMode.ON_ISSUE) is None  # saying the same again is no change
    assert settle(PaymentMode.POSTPAID, SettlementMode.ON_ISSUE) == "settlement_fixed"
    assert settle(PaymentMode.PREPAID, SettlementMode.ON_REDEEM) == "settlement_fixed"


def test_paid_and_bonus_money_stay_apart_and_bonus_is_never_refunded(world: World) -> None:
    purse = ledger.purse(world.conn, world.merchant_id, Commodity.FEN)

    refused = merchants.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 10_001, "closing")
    done = merchants.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 10_000, "closing")

    assert (purse.paid, purse.bonus) == (10_000, 2_000)
    assert refused == Refused("balance_short", {"left": 10_000})
    assert done is None
    assert world.accounts() == {"recharge": -12_000, "refund": 10_000, "available": 2_000}


@pytest.mark.parametrize(("paid", "bonus"), [(0, 0), (-5, 0), (100, -1), (10**12, 0)])
def test_amounts_nobody_means_are_refused(world: World, paid: int, bonus: int) -> None:
    refused = merchants.top_up(world.conn, world.act(), world.merchant_id, Commodity.FEN, paid, bonus, "")

    assert refused == Refused("amount_malformed")


@pytest.mark.parametrize(
    ("kind", "value", "cost"),
    [
        (CouponKind.AMOUNT, 501, Cost(Hold(Commodity.FEN, 401, 501), 2)),  # 80 %, a part of a fen rounded up
        (CouponKind.DURATION, 60, Cost(Hold(Commodity.MIN, 30), 2)),
        (CouponKind.FULL_WAIVER, 0, Cost(Hold(Commodity.FEN, 3_000, 3_000), 2)),
    ],
)
def test_a_contract_says_what_a_coupon_costs(world: World, kind: CouponKind, value: int, cost: Cost) -> None:
    terms = Terms(amount_percent=80, duration_percent=50, waiver_cap_fen=3_000)
    contracts.set_contract(world.conn, world.act(), world.merchant_id, world.lot_id, terms)
    held = contracts.current_contract(world.conn, world.merchant_id, world.lot_id)

    assert contracts.cost(held, kind, value) == cost


def test_an_entry_that_does_not_balance_is_never_written(world: World) -> None:
    entry = ledger.Entry(world.operator_id, world.merchant_id, "x", "k", "s", "b", NOW)

    with pytest.raises(UnbalancedError):
        ledger.post(world.conn, entry, move(RECHARGE, AVAILABLE, 5, Commodity.FEN, Funds.PAID)[:1])


def test_no_entry_takes_more_than_an_account_holds(world: World) -> None:
    entry = ledger.Entry(world.operator_id, world.merchant_id, "x", "k", "s", "b", NOW)

    with pytest.raises(ledger.OverdrawnError):
        ledger.post(world.conn, entry, move("outstanding", "redeemed", 1, Commodity.FEN, Funds.PAID))


def test_books_that_were_tampered_with_show_it(world: World, conn: Connection) -> None:
    row = {"entry_id": 1, "operator_id": world.operator_id, "merchant_id": world.merchant_id, "event_id": "forged"}
    leg = {"leg": 0, "account": AVAILABLE, "commodity": "FEN", "funds": "PAID", "amount": 700}
    conn.execute(insert(posting).values(**row, **leg))

    books = next(books for books in ledger.merchant_books(conn) if books.funds is Funds.PAID)

    assert books.imbalance == -700
    assert books.drift == [AVAILABLE]
    assert not books.is_right


def test_everything_done_is_in_an_unbroken_audit_log(world: World) -> None:
    acts = [row["act"] for row in audit.listed(world.conn, world.operator_id).items]

    assert {"lot.created", "edge.claimed", "merchant.created", "contract.set", "merchant.topped_up"} <= set(acts)
    assert audit.first_broken(world.conn) is None


def test_a_merchant_running_low_is_named(world: World) -> None:
    merchants.refund(world.conn, world.act(), world.merchant_id, Commodity.FEN, 9_000, "")

    assert [(row["name"], row["commodity"], row["left"]) for row in merchants.low(world.conn, world.operator_id)] == [
        ("面馆", "FEN", 3_000)
    ]


def test_a_merchants_own_movements_are_those_of_its_purse(world: World) -> None:
    merchants.top_up(world.conn, world.act(), world.merchant_id, Commodity.FEN, 10_050, 0, "")

    own = merchants.movements(world.operator_id, world.merchant_id, Commodity.FEN, AVAILABLE)
    rows = world.conn.execute(own).mappings().all()

    assert rows[0]["amount"] == 10_050
    assert {row["account"] for row in rows} == {AVAILABLE}


def test_a_mistyped_top_up_is_corrected_either_way_and_never_below_0(world: World) -> None:
    def correct(funds: Funds, amount: int, reason: str = "a zero too many") -> Refused | None:
        args = world.merchant_id, Commodity.FEN, funds, amount, reason
        return merchants.correct_top_up(world.conn, world.act(), *args)

    refused = [correct(Funds.PAID, -10_001), correct(Funds.BONUS, -2_001), correct(Funds.PAID, 0)]
    unsaid = correct(Funds.PAID, -1, " ")

    assert refused[:2] == [Refused("balance_short", {"left": 10_000}), Refused("balance_short", {"left": 2_000})]
    assert (refused[2], unsaid) == (Refused("amount_malformed"), Refused("reason_missing"))
    assert (correct(Funds.PAID, -9_000), correct(Funds.BONUS, 500)) == (None, None)
    purse = ledger.purse(world.conn, world.merchant_id, Commodity.FEN)
    assert (purse.paid, purse.bonus) == (1_000, 2_500)
    assert world.accounts() == {"recharge": -3_500, "available": 3_500}
