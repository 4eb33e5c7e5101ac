"""Postpaid merchants: what they may spend before they pay, and when they may spend no more (E16).

Credit is a source like a top-up: raising the limit fills ``available``, paying a statement fills it again. So what is
left is the limit and all payments less everything used or held, and leases and coupons need to know nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.merchants import ledger, service
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.merchants.tables import merchant, statement
from domain.billing import billing_of
from domain.ledger import (
    AVAILABLE,
    CREDIT,
    OUTSTANDING,
    RECHARGE,
    REDEEMED,
    VOID_PENDING,
    Commodity,
    Funds,
    move,
)

MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Standing:
    """What a merchant has used and not paid (*owed*), and what is held for coupons not settled yet (S1.18)."""

    owed: int
    unsettled: int


def settled_accounts(settlement_mode: str | None) -> tuple[str, ...]:
    """Where value counts as charged: at issue it leaves the purse for good, or only once a coupon is used (S1.15)."""
    if settlement_mode == SettlementMode.ON_REDEEM.value:
        return (REDEEMED,)
    return (OUTSTANDING, VOID_PENDING, REDEEMED)


def set_limit(
    conn: Connection, act: Act, merchant_id: int, fen: int, minutes: int, days: int, billing: str = ""
) -> Refused | None:
    """Let a postpaid merchant run up *fen* and *minutes*, each statement to be paid within *days* (0: no term).

    *billing*: what a statement covers, from the next one on ("" leaves it as it is).
    """
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] != PaymentMode.POSTPAID.value:
        return Refused("not_postpaid")
    if billing and billing_of(billing) is None:
        return Refused("billing_unknown")
    if not (0 <= fen <= 10**11 and 0 <= minutes <= 10**9 and 0 <= days <= MOST_DAYS):
        return Refused("amount_malformed")
    wanted = {Commodity.FEN: fen, Commodity.MIN: minutes}
    more = {commodity: wanted[commodity] - _limit(conn, merchant_id, commodity) for commodity in Commodity}
    for commodity, delta in more.items():
        left = ledger.purse(conn, merchant_id, commodity).paid
        if -delta > left:
            return Refused("credit_in_use", {"left": left})
    for commodity, delta in more.items():
        source, target = (CREDIT, AVAILABLE) if delta > 0 else (AVAILABLE, CREDIT)
        entry = ledger.Entry(
            act.operator_id, merchant_id, act.uuid(), "credit.set", f"merchant:{merchant_id}", act.by, act.now_ms
        )
        ledger.post(conn, entry, move(source, target, abs(delta), commodity, Funds.PAID))
    values = {
        "credit_limit_fen": fen,
        "credit_limit_min": minutes,
        "pay_within_days": days,
        "billing": billing or row["billing"],
    }
    before = {name: row[name] for name in values}
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(**values))
    audit.record(conn, act, "merchant.credit_set", f"merchant:{merchant_id}", before=before, after=values)
    return None


def _limit(conn: Connection, merchant_id: int, commodity: Commodity) -> int:
    return -ledger.held_by(conn, merchant_id, CREDIT, commodity, Funds.PAID)


def standing(conn: Connection, merchant_id: int, settlement_mode: str | None, commodity: Commodity) -> Standing:
    """What the books say of a merchant now; bonus and free allotment are the operator's gift and never owed."""
    accounts = {book.funds: book.accounts for book in ledger.merchant_books(conn, merchant_id)
                if book.commodity is commodity}  # fmt: skip
    settled = settled_accounts(settlement_mode)
    paid = accounts.get(Funds.PAID, {})
    charged = sum(paid.get(account, 0) for account in settled)
    waiting = (OUTSTANDING, VOID_PENDING) if REDEEMED in settled and len(settled) == 1 else ()
    unsettled = sum(held.get(account, 0) for held in accounts.values() for account in waiting)
    return Standing(charged + paid.get(RECHARGE, 0) + paid.get("refund", 0), unsettled)


def is_overdue(conn: Connection, merchant_id: int, now_ms: int) -> bool:
    """Is a statement past its day and not paid? Then nothing new is issued or leased."""
    query = select(statement.c.statement_id).where(statement.c.merchant_id == merchant_id, service.LATE_AT)
    return conn.execute(query.limit(1), {"at_ms": now_ms}).first() is not None
