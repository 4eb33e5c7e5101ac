"""What is held for a coupon, and what becomes of it: charged, given back, held again."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from cloud.merchants import ledger
from domain.ledger import (
    AVAILABLE,
    OUTSTANDING,
    REDEEMED,
    Commodity,
    Funds,
    Posting,
    free_account,
    move,
    take,
)

RESERVED = {Funds.FREE: "reserved_free", Funds.BONUS: "reserved_bonus", Funds.PAID: "reserved_paid"}
"""Columns of a coupon by the kind of funds, in the order in which they are spent."""


def carry(row: RowMapping | dict[str, object], source: str, target: str) -> tuple[Posting, ...]:
    """Postings that move a coupon's whole reserved value, each kind of funds by itself."""
    return _carried(row, source, target, reserved_parts(row))


def reserved_parts(row: RowMapping | dict[str, object]) -> dict[Funds, int]:
    """What is reserved for a coupon, in the order in which it is spent."""
    return {funds: int(str(row[name])) for funds, name in RESERVED.items()}


def _carried(
    row: RowMapping | dict[str, object], source: str, target: str, parts: dict[Funds, int]
) -> tuple[Posting, ...]:
    """A free allotment has an account of its own for each lot, in place of ``available``."""
    commodity, free = Commodity(str(row["commodity"])), free_account(int(str(row["lot_id"])))
    legs: tuple[Posting, ...] = ()
    for funds, amount in parts.items():
        names = [free if name == AVAILABLE and funds is Funds.FREE else name for name in (source, target)]
        legs += move(names[0], names[1], amount, commodity, funds)
    return legs


def charge(row: RowMapping, amount: int) -> tuple[Posting, ...]:
    """Postings that charge *amount* of what is reserved for a coupon; the rest goes back where it came from."""
    used, rest = _shares(row, amount)
    return (*_carried(row, OUTSTANDING, REDEEMED, used), *_carried(row, OUTSTANDING, AVAILABLE, rest))


def uncharge(conn: Connection, row: RowMapping) -> tuple[tuple[Posting, ...], dict[str, int]]:
    """Postings that hold a used coupon's value again, and what is reserved now.

    Of the rest that went back only what is still there: then the coupon is worth no less, the merchant is charged less.
    """
    used, rest = _shares(row, row["charged"] or 0)
    for funds, amount in rest.items():
        account = free_account(row["lot_id"]) if funds is Funds.FREE else AVAILABLE
        held = ledger.held_by(conn, row["merchant_id"], account, Commodity(row["commodity"]), funds)
        rest[funds] = min(amount, max(0, held))
    legs = (*_carried(row, REDEEMED, OUTSTANDING, used), *_carried(row, AVAILABLE, OUTSTANDING, rest))
    return legs, {name: used[funds] + rest[funds] for funds, name in RESERVED.items()}


def _shares(row: RowMapping, amount: int) -> tuple[dict[Funds, int], dict[Funds, int]]:
    """What is reserved, split into *amount* and the rest."""
    reserved = reserved_parts(row)
    parts = take(amount, reserved[Funds.BONUS], reserved[Funds.PAID], reserved[Funds.FREE])
    used = dict.fromkeys(Funds, 0) | dict(parts)
    return used, {funds: held - used[funds] for funds, held in reserved.items()}
