"""Spending a shared balance without asking: only out of an allowance already taken from it (sync §6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FLOOR = 2000
SHARE_PERCENT = 60  # of available, over all leases of a merchant
REFILL_PERCENT = 40  # top up below this part of the grant while online
CAUTIOUS_PERCENT = 20  # of the grant, after a power-off of unknown length


class LeaseState(StrEnum):
    """A lease is spent from only while ACTIVE at the edge."""

    ACTIVE = "active"
    CLOSED = "closed"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Lease:
    """What one edge may spend for one merchant, in fen or minutes of one kind of funds."""

    lease_id: int
    granted: int
    spent: int
    state: LeaseState

    @property
    def left(self) -> int:
        return self.granted - self.spent


def refusal(lease: Lease, amount: int, *, fresh: bool) -> str | None:
    """Why *amount* may not be spent from *lease*, or None. *fresh*: it may be trusted to its full extent.

    A lease that is not fresh (its ``spend_until`` passed, or the power was off for an unknown time) is good for
    20 % of its grant only. Returns ``lease_closed``, ``lease_short`` or ``lease_stale``.
    """
    if lease.state is not LeaseState.ACTIVE:
        return "lease_closed"
    if amount < 0 or lease.left < amount:
        return "lease_short"
    if not fresh and lease.spent + amount > lease.granted * CAUTIOUS_PERCENT // 100:
        return "lease_stale"
    return None


def spendable(lease: Lease, *, fresh: bool) -> int:
    """The most that :func:`refusal` lets pass in one spend."""
    if lease.state is not LeaseState.ACTIVE:
        return 0
    cautious = lease.left if fresh else lease.granted * CAUTIOUS_PERCENT // 100 - lease.spent
    return max(0, min(lease.left, cautious))


def grant_size(p95_spend: int, available: int, leased: int, cap: int) -> int:
    """How much to lease: 1.5 × the P95 of spend over the offline horizon, at least 2000, at most *cap*,

    and never so much that all leases together pass 60 % of what was available before leasing. 0 = no lease.
    """
    wanted = min(max(p95_spend * 3 // 2, FLOOR), cap)
    room = (available + leased) * SHARE_PERCENT // 100 - leased
    return max(0, min(wanted, room, available))


def needs_refill(granted: int, spent: int) -> bool:
    """Is less than 40 % of the grant left?"""
    return (granted - spent) * 100 < granted * REFILL_PERCENT
