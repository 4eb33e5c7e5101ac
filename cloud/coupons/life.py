"""What kinds of coupons there are, and the states one goes through (S1.24, E1)."""

from __future__ import annotations

from enum import StrEnum

from domain.coupon.model import CouponKind

MINUTE_MS = 60_000
MOST_VALUE = 10_000_000  # fen or minutes: more is a slip of the finger


class Kind(StrEnum):
    """The five kinds of S1.24, and two of E10."""

    AMOUNT = "AMOUNT"
    AMOUNT_CUSTOM = "AMOUNT_CUSTOM"
    DURATION = "DURATION"
    DURATION_CUSTOM = "DURATION_CUSTOM"
    FULL_WAIVER = "FULL_WAIVER"
    PERCENT = "PERCENT"
    FREE_UNTIL = "FREE_UNTIL"


CUSTOM = {Kind.AMOUNT_CUSTOM: CouponKind.AMOUNT, Kind.DURATION_CUSTOM: CouponKind.DURATION}
"""Kinds whose value is typed at issue (S1.28), and what such a coupon is."""
NO_VALUE = (Kind.FULL_WAIVER, Kind.FREE_UNTIL, *CUSTOM)


def coupon_kind(kind: str) -> CouponKind:
    """What a coupon of a template of *kind* is."""
    return CUSTOM[Kind(kind)] if kind in CUSTOM else CouponKind(kind)


class State(StrEnum):
    """A coupon's life (E1).

    VOID_PENDING and EXPIRING: withdrawn by a person or by time, and the lot may not know yet. EXPIRED: value is back.
    """

    CREATED = "CREATED"
    PRINTED = "PRINTED"
    CLAIMABLE = "CLAIMABLE"
    BOUND = "BOUND"
    RESERVED = "RESERVED"
    REDEEMED = "REDEEMED"
    EXPIRING = "EXPIRING"
    EXPIRED = "EXPIRED"
    VOID_PENDING = "VOID_PENDING"
    VOIDED = "VOIDED"
    RECLAIMED = "RECLAIMED"


MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.PRINTED, State.CLAIMABLE, State.BOUND, State.VOIDED}),
    State.PRINTED: frozenset({State.BOUND, State.VOIDED, State.RECLAIMED}),
    State.CLAIMABLE: frozenset({State.BOUND, State.VOIDED, State.RECLAIMED}),
    State.BOUND: frozenset({State.RESERVED, State.REDEEMED, State.EXPIRING, State.VOID_PENDING}),
    State.RESERVED: frozenset({State.BOUND, State.REDEEMED, State.VOID_PENDING}),
    State.EXPIRING: frozenset({State.REDEEMED, State.EXPIRED}),
    State.EXPIRED: frozenset(),
    State.VOID_PENDING: frozenset({State.REDEEMED, State.VOIDED}),  # used: by a car that had paid with it before
    State.REDEEMED: frozenset({State.BOUND}),  # the end of the stay that used it was taken back
    State.VOIDED: frozenset(),
    State.RECLAIMED: frozenset(),
}
"""The moves E1 allows; one withdrawn by time may still turn out to have been used at a lane that had not reported."""
