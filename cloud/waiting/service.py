"""Everything that waits for the operator's office or for a second person's word, gathered from those who keep it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from cloud.merchants import ledger, paying_back, statements
from cloud.merchants import service as merchants
from cloud.payments import bills, invoices, listing, paying_out
from cloud.reconciling import service as reconciling
from cloud.shop import buying
from domain.ledger import Commodity

MOST: Final = 1_000  # of one kind: whoever has more works them off on their own page


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do, and the page where it is done. *since_ms* None: nobody kept since when."""

    kind: str
    since_ms: int | None
    merchant: str  # "" where it is no merchant's
    about: str  # a number that names it
    amount: int
    commodity: str
    by: str  # who asked, or agreed; "" where nobody did
    page: str
    day: str = ""  # of a difference, which has no moment


def everything(conn: Connection, operator_id: int) -> list[Item]:
    """All of it, the oldest first; what has no moment comes last."""
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    found = [
        *_refunds(conn, operator_id, names),
        *_office(conn, operator_id, names),
        *_invoices(conn, operator_id),
        *_disputes(conn, operator_id, names),
        *_differences(conn, operator_id),
    ]
    return sorted(found, key=lambda item: (item.since_ms is None, item.since_ms or 0, item.kind, item.about))


def _refunds(conn: Connection, operator_id: int, names: dict[int, str]) -> Iterator[Item]:
    """By the way the money came: to be agreed to, or failed at the provider."""
    for row in listing.waiting_refunds(conn, operator_id):
        yield Item(
            f"refund_{row['state']}", row["asked_ms"], names.get(row["merchant_id"], ""), row["order_id"],
            row["amount_fen"], Commodity.FEN.value, row["asked_by"], f"/admin/payments/{row['order_id']}",
        )  # fmt: skip


def _office(conn: Connection, operator_id: int, names: dict[int, str]) -> Iterator[Item]:
    """To be agreed to, of purses and of purchases paid at the office; and what was agreed to, to be handed over."""
    purses, purchases = paying_back.waiting(conn, operator_id), buying.waiting(conn, operator_id)
    of_purses = [f"merchant:{row['merchant_id']}" for row in purses]
    since = ledger.last_ms(conn, operator_id, paying_back.ASKED, of_purses)
    for row, subject in zip(purses, of_purses, strict=True):
        yield Item(
            "purse_asked", since.get(subject), row["name"], str(row["merchant_id"]), row["amount"], row["commodity"],
            row["asked_back_by"], f"/admin/merchants/{row['merchant_id']}",
        )  # fmt: skip
    of_purchases = [f"purchase:{row['purchase_id']}" for row in purchases]
    since = ledger.last_ms(conn, operator_id, buying.ASKED, of_purchases)
    for row, subject in zip(purchases, of_purchases, strict=True):
        yield Item(
            "stock_asked", since.get(subject), names.get(row["merchant_id"], ""), str(row["purchase_id"]),
            row["asked_back"] * row["unit_fen"], Commodity.FEN.value, row["asked_back_by"],
            f"/admin/shop/purchases?merchant={row['merchant_id']}",
        )  # fmt: skip

    for row in paying_out.every(conn, operator_id, paying_out.DUE, "", MOST):
        yield Item(
            "payout_due", row["agreed_ms"], row["payee"], str(row["payout_id"]), row["amount"], row["commodity"],
            row["agreed_by"], "/admin/payments/payouts?state=due",
        )  # fmt: skip


def _invoices(conn: Connection, operator_id: int) -> Iterator[Item]:
    for state in invoices.TO_DO:
        for row in invoices.every(conn, operator_id, state, "", MOST):
            yield Item(
                f"invoice_{state}", row["requested_ms"], row["title"], row["order_id"] or row["paid_here"],
                row["amount_fen"], Commodity.FEN.value, row["requested_by"], f"/admin/payments/invoices?state={state}",
            )  # fmt: skip


def _disputes(conn: Connection, operator_id: int, names: dict[int, str]) -> Iterator[Item]:
    for row in statements.disputed(conn, operator_id):
        yield Item(
            "statement_disputed", row["made_ms"], names.get(row["merchant_id"], ""), str(row["statement_id"]),
            row["owed_fen"], Commodity.FEN.value, "", f"/admin/statements/{row['statement_id']}",
        )  # fmt: skip


def _differences(conn: Connection, operator_id: int) -> Iterator[Item]:
    for row in bills.every_difference(conn, operator_id, "", MOST, only_open=True):
        off = abs(row["ours_fen"] - row["theirs_fen"])
        yield Item(
            "bill_differs", None, "", row["number"], off, Commodity.FEN.value, "", "/admin/payments/bills", row["day"]
        )  # fmt: skip
    for row in reconciling.open_differences(conn, operator_id, MOST):
        yield Item("day_differs", None, "", row["subject"], abs(row["here"] - row["there"]),
                   "MIN" if row["kind"] == "charge_min" else "FEN", "", "/admin/payments/days", row["day"])  # fmt: skip
