"""What a merchant bought and has not given to cars yet: by lot of purchase, soonest to expire first (S2.14, E22)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, func, select, update

from cloud.shop.tables import coupon_product, purchase
from domain.ledger import asked_account, stock_account


class State(StrEnum):
    """What became of a purchase. LAPSED: not paid in time, or its payment could not be honoured and goes back."""

    WAITING = "WAITING"
    PAID = "PAID"
    LAPSED = "LAPSED"


GONE = purchase.c.refunded + purchase.c.asked_back + purchase.c.agreed_back  # went back, or are to
LEFT = purchase.c.quantity - purchase.c.given - GONE


@dataclass(frozen=True, slots=True)
class Held:
    """Of one product: how many coupons may still be given, and when the first of them run out."""

    left: int
    until_ms: int


def next_lot(conn: Connection, merchant_id: int, product_id: int, lot_id: int, now_ms: int) -> RowMapping | None:
    """The purchase to give the next coupon of a product from, locked; None where the stock is used up or over (E22)."""
    query = (
        select(purchase)
        .join(coupon_product, coupon_product.c.product_id == purchase.c.product_id)
        .where(
            purchase.c.merchant_id == merchant_id,
            purchase.c.product_id == product_id,
            purchase.c.state == State.PAID.value,
            purchase.c.valid_to_ms > now_ms,
            coupon_product.c.lot_id.in_((0, lot_id)),
            LEFT > 0,
        )
        .order_by(purchase.c.valid_to_ms, purchase.c.purchase_id)
        .limit(1)
    )
    return conn.execute(query.with_for_update(of=purchase)).mappings().one_or_none()


def lot_of(conn: Connection, product_id: int) -> int:
    """The lot a product is good at; 0: all."""
    query = select(coupon_product.c.lot_id).where(coupon_product.c.product_id == product_id)
    return int(conn.execute(query).scalar_one())


def count_given(conn: Connection, purchase_id: int, more: int) -> None:
    """One coupon more of a purchase went to a car, or one came back from there (*more* = -1)."""
    own = update(purchase).where(purchase.c.purchase_id == purchase_id)
    conn.execute(own.values(given=purchase.c.given + more))


def held(conn: Connection, merchant_id: int, now_ms: int) -> dict[int, Held]:
    """What may be given now, by product."""
    rows = conn.execute(
        select(purchase.c.product_id, func.sum(LEFT).label("left"), func.min(purchase.c.valid_to_ms).label("until"))
        .where(
            purchase.c.merchant_id == merchant_id,
            purchase.c.state == State.PAID.value,
            purchase.c.valid_to_ms > now_ms,
            LEFT > 0,
        )
        .group_by(purchase.c.product_id)
    )
    return {row.product_id: Held(int(row.left), int(row.until)) for row in rows}


def worth(conn: Connection) -> dict[tuple[int, str], int]:
    """What both accounts of every purchase should hold in fen, by merchant and account."""
    rows = conn.execute(
        select(
            purchase.c.merchant_id,
            purchase.c.purchase_id,
            (LEFT * purchase.c.unit_fen).label("unused"),
            (purchase.c.asked_back * purchase.c.unit_fen).label("asked"),
        ).where(purchase.c.state == State.PAID.value)
    )
    due: dict[tuple[int, str], int] = {}
    for row in rows:
        due[row.merchant_id, stock_account(row.purchase_id)] = int(row.unused)
        due[row.merchant_id, asked_account(row.purchase_id)] = int(row.asked)
    return due


def agreed(conn: Connection) -> dict[str, int]:
    """What the office has to pay for coupons given back, in fen by purchase."""
    fen = (purchase.c.agreed_back * purchase.c.unit_fen).label("fen")
    rows = conn.execute(select(purchase.c.purchase_id, fen).where(purchase.c.agreed_back > 0))
    return {f"purchase:{row.purchase_id}": int(row.fen) for row in rows}
