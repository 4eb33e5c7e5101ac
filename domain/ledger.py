"""Double entry in fen and minutes: every move leaves one account and enters another (sync §6).

Accounts of a merchant: ``available``, ``lease:<id>``, ``outstanding`` (issued, unused), ``void_pending`` (voided, not
yet provably unusable), ``asked_back`` and ``asked_online`` (what a second person decides on, to be paid at the office
or by the way it came), ``agreed_back`` (what the office has to hand over) and ``redeemed``. Outside: ``recharge``,
``refund``, ``operator_loss`` and ``unfunded`` (what drivers got at the operator's expense), ``credit`` (what a postpaid
merchant may spend before it pays) and ``allotment`` (what a contract gives each month, held in ``free:<lot>`` until it
is spent or lapses). Coupons bought ahead wait in ``stock:<purchase>``, those asked back in ``stock_asked:<purchase>``
until that is decided; a branch's own purse is ``branch:<branch>``. A posting's amount is signed; an entry sums to zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

AVAILABLE = "available"
OUTSTANDING = "outstanding"
VOID_PENDING = "void_pending"
REDEEMED = "redeemed"
RECHARGE = "recharge"
REFUND = "refund"
ASKED_BACK = "asked_back"
ASKED_ONLINE = "asked_online"
AGREED_BACK = "agreed_back"
OPERATOR_LOSS = "operator_loss"
UNFUNDED = "unfunded"
CREDIT = "credit"
ALLOTMENT = "allotment"

SOURCES = frozenset({RECHARGE, OPERATOR_LOSS, CREDIT, ALLOTMENT})
"""Value enters the books here: their balances are negative."""

NAMED = frozenset({AVAILABLE, OUTSTANDING, VOID_PENDING, REDEEMED, ASKED_BACK, ASKED_ONLINE, AGREED_BACK})
HOLDING = ("lease:", "free:", "stock:", "stock_asked:", "branch:")
"""What a merchant's value is held in: these accounts, and those whose names begin so."""


class Commodity(StrEnum):
    """What is counted: money or parking minutes. Never mixed in one entry."""

    FEN = "FEN"
    MIN = "MIN"


class Funds(StrEnum):
    """Where it came from: paid for, a bonus of the operator (never refunded, E15), a month's free allotment, or

    coupons bought ahead (S2.6): paid for when they were bought, so never owed again.
    """

    PAID = "PAID"
    BONUS = "BONUS"
    FREE = "FREE"
    BOUGHT = "BOUGHT"


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: *amount* (signed) enters *account*."""

    account: str
    commodity: Commodity
    funds: Funds
    amount: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A move of an event type: the value named *amount* goes from one account to another (templates)."""

    source: str
    target: str
    amount: str


class UnbalancedError(Exception):
    """An entry whose postings do not sum to zero: a bug, never to be written."""


def lease_account(lease_id: int) -> str:
    """The account that holds what one lease was granted and has not spent."""
    return f"lease:{lease_id}"


def free_account(lot_id: int) -> str:
    """The account that holds what is left of this month's allotment at one lot."""
    return f"free:{lot_id}"


def stock_account(purchase_id: int) -> str:
    """The account that holds what was paid for the coupons of one purchase and not given to cars yet (S2.14)."""
    return f"stock:{purchase_id}"


def asked_account(purchase_id: int) -> str:
    """The account that holds what was asked back of one purchase, until a second person decides (E21)."""
    return f"stock_asked:{purchase_id}"


def branch_account(branch_id: int) -> str:
    """The account of a branch with a purse of its own."""
    return f"branch:{branch_id}"


def move(source: str, target: str, amount: int, commodity: Commodity, funds: Funds) -> tuple[Posting, Posting]:
    """Postings that carry *amount* (>= 0) from *source* to *target*. Raises ValueError below zero."""
    if amount < 0:
        raise ValueError(f"a move is never negative: {amount}")
    return Posting(source, commodity, funds, -amount), Posting(target, commodity, funds, amount)


def check_balanced(postings: Iterable[Posting]) -> None:
    """Raise UnbalancedError unless each commodity and kind of funds sums to zero."""
    sums: dict[tuple[Commodity, Funds], int] = {}
    for posting in postings:
        key = (posting.commodity, posting.funds)
        sums[key] = sums.get(key, 0) + posting.amount
    wrong = {key: total for key, total in sums.items() if total}
    if wrong:
        raise UnbalancedError(f"postings do not balance: {wrong}")


def take(amount: int, bonus: int, paid: int, free: int = 0) -> tuple[tuple[Funds, int], ...]:
    """Split *amount* over purses: free, then bonus, then paid (E15); empty if they hold too little.

    Down to exactly 0 is fine (Q2).
    """
    if amount > free + bonus + paid:
        return ()
    from_free = min(amount, max(0, free))
    from_bonus = min(amount - from_free, max(0, bonus))
    parts = ((Funds.FREE, from_free), (Funds.BONUS, from_bonus), (Funds.PAID, amount - from_free - from_bonus))
    return tuple(part for part in parts if part[1] > 0)


def wrong_signs(balances: Mapping[str, int]) -> list[str]:
    """Accounts on the wrong side of zero (I2)."""
    return [
        account
        for account, balance in balances.items()
        if (balance > 0 if account in SOURCES else balance < 0) and account != OPERATOR_LOSS
    ]


def merchant_imbalance(balances: Mapping[str, int]) -> int:
    """Everything given to the merchant − refunded − everything it holds or used; 0 when the books are right (I1)."""
    held = sum(balance for account, balance in balances.items() if account in NAMED or account.startswith(HOLDING))
    return -sum(balances.get(account, 0) for account in (RECHARGE, CREDIT, ALLOTMENT, REFUND)) - held
