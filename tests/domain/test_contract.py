"""What coupons cost the merchants that give them (docs/contracts.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contract import Basis, Hold, Terms, charge, hold, terms_of
from domain.coupon.model import CouponKind, Remainder
from domain.ledger import Commodity

FEN, MIN = Commodity.FEN, Commodity.MIN
REDUCED = Terms(
    amount_basis=Basis.REDUCED, amount_percent=80, duration_basis=Basis.REDUCED, duration_percent=50,
    waiver_basis=Basis.REDUCED, waiver_percent=70, waiver_cap_fen=3_000,
)  # fmt: skip
HOURLY = Terms(duration_basis=Basis.HOURLY, fen_per_hour=300)


@pytest.mark.parametrize(
    ("terms", "kind", "value", "cap", "expected"),
    [
        (Terms(), CouponKind.AMOUNT, 500, 0, Hold(FEN, 500, 500)),
        (Terms(amount_percent=80), CouponKind.AMOUNT, 501, 0, Hold(FEN, 401, 501)),
        (Terms(duration_percent=50), CouponKind.DURATION, 90, 0, Hold(MIN, 45, 0)),
        (HOURLY, CouponKind.DURATION, 90, 0, Hold(FEN, 450, 0)),
        (HOURLY, CouponKind.DURATION, 61, 0, Hold(FEN, 305, 0)),
        (REDUCED, CouponKind.DURATION, 60, 0, Hold(FEN, 1_500, 3_000)),
        (REDUCED, CouponKind.DURATION, 60, 2_000, Hold(FEN, 1_000, 2_000)),
        (Terms(waiver_cap_fen=3_000), CouponKind.FULL_WAIVER, 0, 0, Hold(FEN, 3_000, 3_000)),
        (REDUCED, CouponKind.FULL_WAIVER, 0, 0, Hold(FEN, 2_100, 3_000)),
        (REDUCED, CouponKind.PERCENT, 50, 9_000, Hold(FEN, 2_100, 3_000)),
    ],
)
def test_the_hold_is_the_highest_charge(terms: Terms, kind: CouponKind, value: int, cap: int, expected: Hold) -> None:
    assert hold(terms, kind, value, cap) == expected


@pytest.mark.parametrize(
    ("terms", "kind", "held", "off", "remainder", "expected"),
    [
        (Terms(), CouponKind.AMOUNT, 500, 300, Remainder.FORFEIT, 500),
        (Terms(), CouponKind.AMOUNT, 500, 300, Remainder.CHARGE_USED, 300),
        (REDUCED, CouponKind.AMOUNT, 400, 301, Remainder.FORFEIT, 241),
        (REDUCED, CouponKind.FULL_WAIVER, 2_100, 1_000, Remainder.FORFEIT, 700),
        (REDUCED, CouponKind.FULL_WAIVER, 2_100, 0, Remainder.FORFEIT, 0),
        (Terms(waiver_cap_fen=3_000), CouponKind.FULL_WAIVER, 3_000, 1_000, Remainder.FORFEIT, 3_000),
        (HOURLY, CouponKind.DURATION, 450, 100, Remainder.FORFEIT, 450),
    ],
)
def test_the_charge_follows_the_contract(
    terms: Terms, kind: CouponKind, held: int, off: int, remainder: Remainder, expected: int
) -> None:
    assert charge(terms, kind, held, off, remainder) == expected


@given(
    st.sampled_from(list(CouponKind)), st.integers(1, 100_000), st.integers(0, 5_000), st.integers(0, 100),
    st.sampled_from(list(Basis)), st.integers(0, 100_000), st.sampled_from(list(Remainder)),
)  # fmt: skip
def test_no_charge_is_above_its_hold_or_below_zero(
    kind: CouponKind, value: int, cap: int, percent: int, basis: Basis, off: int, remainder: Remainder
) -> None:
    plain = Basis.REDUCED if basis is Basis.HOURLY else basis
    terms = Terms(plain, percent, basis, percent, 200, plain, percent)
    held = hold(terms, kind, value, cap)
    limit = held.ceiling_fen or off

    cost = charge(terms, kind, held.amount, min(off, limit), remainder)

    assert 0 <= cost <= held.amount
    if terms.amount_basis is Basis.REDUCED and kind is CouponKind.AMOUNT:
        assert cost == -(-min(off, limit) * percent // 100)  # the ceiling kept it within the hold by itself


def test_terms_go_over_the_line_and_older_ones_read_as_they_were_meant() -> None:
    assert terms_of(REDUCED.values()) == REDUCED
    assert terms_of({"amount_percent": 80, "duration_percent": 50, "waiver_cap_fen": 9}) == Terms(
        amount_percent=80, duration_percent=50, waiver_cap_fen=9
    )
    with pytest.raises(ValueError, match="WHIM"):
        terms_of({"amount_basis": "WHIM"})


@pytest.mark.parametrize(
    "terms",
    [
        Terms(amount_percent=101),
        Terms(waiver_cap_fen=0),
        Terms(amount_basis=Basis.HOURLY),
        Terms(duration_basis=Basis.HOURLY),
        Terms(free_fen=-1),
    ],
)
def test_terms_nobody_means(terms: Terms) -> None:
    assert not terms.is_sound
