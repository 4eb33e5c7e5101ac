"""Every move balances, purses are spent in order, and a lease is never overdrawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.lease import Lease, LeaseState, grant_size, needs_refill, refusal
from domain.ledger import (
    Commodity,
    Funds,
    Posting,
    UnbalancedError,
    check_balanced,
    lease_account,
    merchant_imbalance,
    move,
    take,
    wrong_signs,
)


@given(st.integers(0, 10**9))
def test_a_move_always_balances(amount: int) -> None:
    check_balanced(move("available", lease_account(3), amount, Commodity.FEN, Funds.PAID))


def test_fen_and_minutes_never_balance_each_other() -> None:
    legs = [Posting("a", Commodity.FEN, Funds.PAID, 5), Posting("b", Commodity.MIN, Funds.PAID, -5)]

    with pytest.raises(UnbalancedError):
        check_balanced(legs)


def test_a_negative_move_is_a_bug() -> None:
    with pytest.raises(ValueError, match="negative"):
        move("a", "b", -1, Commodity.FEN, Funds.PAID)


@pytest.mark.parametrize(
    ("amount", "bonus", "paid", "parts"),
    [
        (50, 30, 100, ((Funds.BONUS, 30), (Funds.PAID, 20))),
        (20, 30, 100, ((Funds.BONUS, 20),)),
        (130, 30, 100, ((Funds.BONUS, 30), (Funds.PAID, 100))),  # down to exactly 0 (Q2)
        (131, 30, 100, ()),
        (20, 0, 100, ((Funds.PAID, 20),)),
    ],
)
def test_bonus_is_spent_before_paid(amount: int, bonus: int, paid: int, parts: tuple[tuple[Funds, int], ...]) -> None:
    assert take(amount, bonus, paid) == parts


def test_books_are_right_when_everything_recharged_is_somewhere() -> None:
    balances = {"recharge": -1000, "refund": 100, "available": 300, "lease:1": 250, "outstanding": 200, "redeemed": 150}

    assert merchant_imbalance(balances) == 0
    assert merchant_imbalance({**balances, "lease:1": 251}) == -1
    assert wrong_signs(balances) == []
    assert wrong_signs({"available": -1, "recharge": 1, "operator_loss": 5}) == ["available", "recharge"]


@pytest.mark.parametrize(
    ("lease", "amount", "fresh", "code"),
    [
        (Lease(1, 1000, 0, LeaseState.ACTIVE), 1000, True, None),
        (Lease(1, 1000, 1, LeaseState.ACTIVE), 1000, True, "lease_short"),
        (Lease(1, 1000, 0, LeaseState.CLOSED), 1, True, "lease_closed"),
        (Lease(1, 1000, 0, LeaseState.FROZEN), 1, True, "lease_closed"),
        (Lease(1, 1000, 0, LeaseState.ACTIVE), 200, False, None),
        (Lease(1, 1000, 1, LeaseState.ACTIVE), 200, False, "lease_stale"),
        (Lease(1, 1000, 0, LeaseState.ACTIVE), -1, True, "lease_short"),
    ],
)
def test_a_lease_is_spent_only_as_far_as_it_goes(lease: Lease, amount: int, fresh: bool, code: str | None) -> None:
    assert refusal(lease, amount, fresh=fresh) == code


@pytest.mark.parametrize(
    ("p95", "available", "leased", "cap", "size"),
    [
        (0, 100_000, 0, 50_000, 2_000),  # the floor
        (10_000, 100_000, 0, 50_000, 15_000),
        (90_000, 100_000, 0, 50_000, 50_000),  # the cap
        (90_000, 50_000, 50_000, 50_000, 10_000),  # 60 % of all in leases
        (0, 1_000, 0, 50_000, 600),
        (0, 0, 0, 50_000, 0),
    ],
)
def test_lease_sizes(p95: int, available: int, leased: int, cap: int, size: int) -> None:
    assert grant_size(p95, available, leased, cap) == size


def test_a_lease_is_refilled_below_forty_percent() -> None:
    assert not needs_refill(1000, 600)
    assert needs_refill(1000, 601)
