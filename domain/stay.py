"""One vehicle's visit: a list of zone segments, and one way to end (nobody vanishes)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.moment import Moment

OUTSIDE = "outside"  # the zone around every lot


class Direction(StrEnum):
    """What a lane is for."""

    ENTRY = "entry"
    EXIT = "exit"
    TWO_WAY = "two_way"


class Outcome(StrEnum):
    """How a stay ended."""

    PAID = "PAID"
    FREE = "FREE"
    WAIVED = "WAIVED"
    UNPAID = "UNPAID"


class UnpaidCause(StrEnum):
    """Why a vehicle left owing money."""

    TAILGATE = "tailgate"
    FORCED = "forced"
    MANUAL = "manual"
    EMERGENCY = "emergency"
    DEVICE = "device"
    STOCK_TAKE = "stock_take"


@dataclass(frozen=True, slots=True)
class Segment:
    """Time spent in one zone; *left* is None while the vehicle is still there."""

    zone: str
    entered: Moment
    left: Moment | None
    tariff: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit as the lot holds it. *paid_fen* is what was taken so far; *settled* when nothing more is due."""

    stay_id: str
    plate: str
    plate_raw: str
    vehicle_class: str
    entered: Moment
    segments: tuple[Segment, ...]
    paid_fen: int = 0
    settled: Moment | None = None


def outcome_of(fee_fen: int, discount_fen: int, waived_fen: int, paid_fen: int) -> Outcome:
    """The word for how a stay ended, from what was charged and what was given."""
    owed = fee_fen - discount_fen - waived_fen - paid_fen
    if owed > 0:
        return Outcome.UNPAID
    if paid_fen > 0:
        return Outcome.PAID
    return Outcome.WAIVED if waived_fen > 0 else Outcome.FREE
