"""What a shift at a booth took, let go and handed over: sums over the postings that belong to it (E34, 交接班)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CASH, SAFE, OVER_SHORT = "cash", "safe", "over_short"
TRADE = frozenset({"fee", "held", "coupon", "waived", "owed"})
DRAWER = frozenset({CASH, SAFE, OVER_SHORT})


@dataclass(frozen=True, slots=True)
class Leg:
    """One posting of an entry that belongs to a shift; *amount* is fen. An entry that moved nothing has account ""."""

    entry: str  # its name in the book; what stands before the first colon says what it is
    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class ShiftTotals:
    """The hand-over figures of domain.md section 8; money in fen.

    *cars* left by the shift's lanes; *fee_fen* is what they were due, *owed_fen* what they left owing; *debts_fen* was
    taken for what plates owed from before. *by_hand_fen* is how much people put on fees, below 0 what they took off.
    """

    cars: int = 0
    payments: int = 0
    fee_fen: int = 0
    by_hand_fen: int = 0
    coupon_fen: int = 0
    waived_fen: int = 0
    owed_fen: int = 0
    debts_fen: int = 0
    cash_fen: int = 0
    electronic_fen: int = 0
    refund_fen: int = 0
    float_fen: int = 0
    drop_fen: int = 0
    openings: int = 0

    @property
    def expected_fen(self) -> int:
        """What must be in the drawer."""
        return self.float_fen + self.cash_fen - self.refund_fen - self.drop_fen


def total(legs: Iterable[Leg], openings: int) -> ShiftTotals:
    """Sum the postings of one shift up. The count at its end and the emptying of the drawer are left out."""
    sums: dict[tuple[str, str], int] = {}
    entries: dict[str, set[str]] = {}
    for leg in legs:
        kind = leg.entry.partition(":")[0]
        entries.setdefault(kind, set()).add(leg.entry)
        sums[kind, leg.account] = sums.get((kind, leg.account), 0) + leg.amount

    def of(account: str, *kinds: str) -> int:
        return sum(sums.get((kind, account), 0) for kind in kinds)

    electronic = sum(
        fen
        for (kind, account), fen in sums.items()
        if kind in ("pay", "debt", "back") and account not in TRADE | DRAWER
    )
    return ShiftTotals(
        cars=len(entries.get("close", ())) - len(entries.get("reopen", ())),
        payments=len(entries.get("pay", ())),
        fee_fen=-of("fee", "close", "reopen"),
        by_hand_fen=-of("fee_by_hand", "set"),
        coupon_fen=of("coupon", "close", "reopen"),
        waived_fen=of("waived", "close", "reopen", "debt"),
        owed_fen=of("owed", "close", "reopen"),
        debts_fen=-of("owed", "debt") - of("waived", "debt"),
        cash_fen=of(CASH, "pay", "debt"),
        electronic_fen=electronic,
        refund_fen=-of(CASH, "refund"),
        float_fen=of(CASH, "float"),
        drop_fen=-of(CASH, "drop"),
        openings=openings,
    )
