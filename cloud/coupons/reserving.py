"""What is held for a coupon, and what becomes of it: charged, given back, held again."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from cloud.coupons.life import State
from cloud.merchants import contracts, ledger
from domain.ledger import (
    ALLOTMENT,
    AVAILABLE,
    OUTSTANDING,
    REDEEMED,
    VOID_PENDING,
    Commodity,
    Funds,
    Posting,
    free_account,
    move,
    take,
)

RESERVED = {
    Funds.BOUGHT: "reserved_bought",
    Funds.FREE: "reserved_free",
    Funds.BONUS: "reserved_bonus",
    Funds.PAID: "reserved_paid",
}
"""Columns of a coupon by the kind of funds, in the order in which they are spent."""


def carry(row: RowMapping | dict[str, object], source: str, target: str) -> tuple[Posting, ...]:
    """Postings that move a coupon's whole reserved value, each kind of funds by itself."""
    return _carried(row, source, target, reserved_parts(row))


def carry_home(conn: Connection, row: RowMapping, source: str, now_ms: int) -> tuple[Posting, ...]:
    """Postings that return a coupon's whole reserved value to where it came from; of an allotment whose month is over
    the part lapses.
    """
    return _carried(row, source, AVAILABLE, reserved_parts(row), _has_lapsed(conn, row, now_ms))


def reserved_parts(row: RowMapping | dict[str, object]) -> dict[Funds, int]:
    """What is reserved for a coupon, in the order in which it is spent."""
    return {funds: int(str(row[name])) for funds, name in RESERVED.items()}


def _carried(
    row: RowMapping | dict[str, object], source: str, target: str, parts: dict[Funds, int], lapsed: bool = False
) -> tuple[Posting, ...]:
    """``available`` stands for the account the value came from; *lapsed*: the month of its allotment is over."""
    commodity = Commodity(str(row["commodity"]))
    legs: tuple[Posting, ...] = ()
    for funds, amount in parts.items():
        names = [_origin(row, funds, lapsed) if name == AVAILABLE else name for name in (source, target)]
        legs += move(names[0], names[1], amount, commodity, funds)
    return legs


def _origin(row: RowMapping | dict[str, object], funds: Funds, lapsed: bool) -> str:
    """The account a coupon's value came from and goes back to: its purse, for an allotment that of its lot."""
    if funds is not Funds.FREE:
        return str(row["purse"])
    return ALLOTMENT if lapsed else free_account(int(str(row["lot_id"])))


def _has_lapsed(conn: Connection, row: RowMapping, now_ms: int) -> bool:
    taken_ms = row["bound_ms"] if row["anywhere"] else row["issued_ms"]
    return row["reserved_free"] > 0 and contracts.has_lapsed(conn, row["operator_id"], row["lot_id"], taken_ms, now_ms)


def charge(conn: Connection, row: RowMapping, amount: int, now_ms: int) -> tuple[Posting, ...]:
    """Postings that charge *amount* of what is reserved for a coupon; the rest goes back where it came from."""
    used, rest = _shares(row, amount)
    withdrawn = row["state"] in (State.EXPIRING.value, State.VOID_PENDING.value)
    held_in = VOID_PENDING if withdrawn else OUTSTANDING
    lapsed = _has_lapsed(conn, row, now_ms)
    return (*_carried(row, held_in, REDEEMED, used), *_carried(row, held_in, AVAILABLE, rest, lapsed))


def uncharge(conn: Connection, row: RowMapping, now_ms: int) -> tuple[tuple[Posting, ...], dict[str, int]]:
    """Postings that hold a used coupon's value again, and what is reserved now.

    Of the rest that went back only what is still there: then the coupon is worth no less, the merchant is charged less.
    """
    used, rest = _shares(row, row["charged"] or 0)
    lapsed = _has_lapsed(conn, row, now_ms)
    for funds, amount in rest.items():
        account = _origin(row, funds, lapsed)
        held = ledger.held_by(conn, row["merchant_id"], account, Commodity(row["commodity"]), funds)
        rest[funds] = min(amount, max(0, held))
    legs = (*_carried(row, REDEEMED, OUTSTANDING, used), *_carried(row, AVAILABLE, OUTSTANDING, rest))
    return legs, {name: used[funds] + rest[funds] for funds, name in RESERVED.items()}


def _shares(row: RowMapping, amount: int) -> tuple[dict[Funds, int], dict[Funds, int]]:
    """What is reserved, split into *amount* and the rest; what was bought ahead is used up as a whole."""
    reserved = reserved_parts(row)
    if reserved[Funds.BOUGHT]:
        return reserved, dict.fromkeys(Funds, 0)
    parts = take(amount, reserved[Funds.BONUS], reserved[Funds.PAID], reserved[Funds.FREE])
    used = dict.fromkeys(Funds, 0) | dict(parts)
    return used, {funds: held - used[funds] for funds, held in reserved.items()}
