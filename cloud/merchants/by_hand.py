"""What a merchant paid at the office rather than online, and may have invoices for: top-ups and paid statements (E23).

Only money that was paid counts: no bonus, no minutes (they have no price), and no statement of a merchant that had paid
before. What went back at the office is taken from the newest top-up first.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sqlalchemy import Connection, select

from cloud.act import Act
from cloud.merchants.tables import ledger_entry, merchant, posting, statement
from cloud.payments import invoices, refunds
from cloud.payments.invoices import PaidHere
from domain.by_hand import left_of
from domain.ledger import AGREED_BACK, ASKED_BACK, RECHARGE, REFUND, Commodity, Funds

_MOVES: Final = (
    "top_up", "top_up.corrected", "refund", "refund.asked_back", "refund.agreed_back", "refund.put_back",
    "refund.handed_over", "refund.taken_back",
)  # fmt: skip


def top_ups(conn: Connection, operator_id: int, merchant_id: int) -> list[PaidHere]:
    """Money a purse was filled with at the office, the oldest first, each with what of it has not gone back."""
    online = {one.order_id for one in refunds.left_of_merchant(conn, operator_id, merchant_id, "topup")}
    query = (
        select(
            ledger_entry.c.entry_id, ledger_entry.c.note, ledger_entry.c.made_ms, posting.c.account, posting.c.amount
        )
        .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
        .where(
            ledger_entry.c.operator_id == operator_id,
            ledger_entry.c.merchant_id == merchant_id,
            ledger_entry.c.kind.in_(_MOVES),
            posting.c.commodity == Commodity.FEN.value,
            posting.c.funds == Funds.PAID.value,
            posting.c.account.in_((RECHARGE, REFUND, ASKED_BACK, AGREED_BACK)),
        )
        .order_by(ledger_entry.c.entry_id)
    )
    moves: dict[int, int] = defaultdict(int)  # by entry: below 0 it came in, above 0 it went back
    paid: dict[str, tuple[int, int, str]] = {}
    for row in conn.execute(query):
        if row.note in online:
            continue
        moves[row.entry_id] += row.amount
        if row.account == RECHARGE and row.amount < 0:
            paid[f"topup-{row.entry_id}"] = -row.amount, row.made_ms, row.note
    named = [
        (name, paid[name][0]) if (name := f"topup-{entry_id}") in paid else ("", amount)
        for entry_id, amount in moves.items()
    ]
    left = left_of(named)
    return [
        PaidHere(name, merchant_id, "topup", note, fen, left[name], made_ms)
        for name, (fen, made_ms, note) in paid.items()
    ]


def paid_statements(conn: Connection, operator_id: int, merchant_id: int) -> list[PaidHere]:
    """Statements a postpaid merchant has paid. A prepaid one's tell of what was paid before."""
    query = (
        select(statement)
        .join(merchant, merchant.c.merchant_id == statement.c.merchant_id)
        .where(
            statement.c.operator_id == operator_id,
            statement.c.merchant_id == merchant_id,
            statement.c.paid_ms.is_not(None),
            statement.c.owed_fen > 0,
            merchant.c.payment_mode == "POSTPAID",
        )
        .order_by(statement.c.statement_id)
    )
    return [
        PaidHere(
            f"statement-{row['statement_id']}", merchant_id, "statement", str(row["statement_id"]), row["owed_fen"],
            row["owed_fen"], row["paid_ms"],
        )
        for row in conn.execute(query).mappings()
    ]  # fmt: skip


def follow(conn: Connection, act: Act, merchant_id: int) -> None:
    """Money of the purse went back, or a top-up was put right: invoices for top-ups hold no more than what is left."""
    invoices.follow(conn, act, top_ups(conn, act.operator_id, merchant_id))
