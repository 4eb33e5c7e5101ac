"""Calls about coupons for sale: what is offered, buying it, giving unused stock back; and topping a purse up online."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.merchants import merchant_there
from cloud.api.operation import NO_BODY, Ask, Operation, done, made, rows
from cloud.api.schema import (
    DONE,
    ID,
    MOMENT,
    MOST_ID,
    PAGE,
    WHOLE,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)  # fmt: skip
from cloud.db import paged
from cloud.payments.orders import PayOrder
from cloud.shop import buying, offers, products, top_up
from cloud.shop.products import Product
from cloud.shop.stock import State
from domain.coupon.model import Meaning


def list_products(conn: Connection, act: Act, ask: Ask) -> Any:
    """What is or was for sale, newest first."""
    kind = ask.query.get("kind", "")
    return rows(products.listed(conn, act.operator_id, ask.query.get("q", ""), kind, ask.page))


def offer(conn: Connection, act: Act, ask: Ask) -> Any:
    """Put a coupon up for sale; it is never changed."""
    return made(products.offer(conn, act, Product(**{"value": 0, "max_purchasable": 0, **ask.body})), "product_id")


def withdraw(conn: Connection, act: Act, ask: Ask) -> Any:
    """Sell no more of it."""
    return done(products.withdraw(conn, act, ask.id("product_id")))


def list_offers(conn: Connection, act: Act, ask: Ask) -> Any:
    """The shop as one merchant sees it."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    found = offers.offers(conn, act.operator_id, merchant_id, ask.query.get("kind", ""), act.now_ms)
    shown = ask.query.get("show", offers.SHOWN[0])
    return [
        {**one.row, "bought": one.bought, "may_buy": one.left, "held": asdict(one.held)}
        for one in found
        if one.is_shown(shown)
    ]


def buy(conn: Connection, act: Act, ask: Ask) -> Any:
    """An order for so many; who pays opens its address."""
    body = ask.body
    ordered = buying.order_to_pay(conn, act, ask.id("merchant_id"), body["product_id"], body["quantity"])
    return to_pay(ordered, ask)


def order_top_up(conn: Connection, act: Act, ask: Ask) -> Any:
    """An order that fills the purse once it is paid."""
    return to_pay(top_up.order(conn, act, ask.id("merchant_id"), ask.body["amount_fen"]), ask)


def to_pay(order: PayOrder | Refused, ask: Ask) -> Any:
    """What to pay, until when and at which address; or the service's no."""
    if isinstance(order, Refused):
        return order
    return {**asdict(order), "url": f"{ask.cloud.public_url.rstrip('/')}{order.cashier_path}"}


def my_purchases(conn: Connection, act: Act, ask: Ask) -> Any:
    """What one merchant bought, newest first."""
    return _purchases(conn, act, ask, ask.id("merchant_id"))


def list_purchases(conn: Connection, act: Act, ask: Ask) -> Any:
    """What merchants bought, newest first."""
    return _purchases(conn, act, ask, ask.query.get("merchant_id"))


def _purchases(conn: Connection, act: Act, ask: Ask, merchant_id: int | None) -> Any:
    query = buying.history(act.operator_id, merchant_id, ask.query.get("q", ""), ask.query.get("state", ""))
    return rows(paged(conn, query, ask.page))


def paid(conn: Connection, act: Act, ask: Ask) -> Any:
    """Its money came by transfer or in cash."""
    return done(buying.settle_here(conn, act, ask.id("purchase_id")))


def refund(conn: Connection, act: Act, ask: Ask) -> Any:
    """Take unused coupons back; above the limit they are held until a person agrees."""
    limit = ask.cloud.settings.payments.refund_limit_fen
    args = ask.id("purchase_id"), ask.body["count"], ask.body["reason"], limit
    return made(buying.refund(conn, act, *args), "amount_fen")


_MOST = whole(0, products.MOST)
_KIND, _STATE = one_of(*products.KINDS), one_of(*State)
_FACE = {
    "product_id": WHOLE, "name": text(), "kind": text(), "value": WHOLE, "unit_fen": WHOLE, "max_purchasable": WHOLE,
    "valid_months": WHOLE, "lot_id": WHOLE, "meaning": text(), "cap_fen": WHOLE, "valid_min": WHOLE,
    "created_ms": MOMENT, "withdrawn_ms": maybe(MOMENT),
}  # fmt: skip
_OFFER = record({
    **_FACE, "bought": WHOLE, "may_buy": maybe(WHOLE), "held": record({"left": WHOLE, "until_ms": WHOLE}),
})  # fmt: skip
_PURCHASE = record({
    "purchase_id": WHOLE, "merchant_id": WHOLE, "product_id": WHOLE, "order_id": text(), "name": text(),
    "kind": text(), "value": WHOLE, "quantity": WHOLE, "unit_fen": WHOLE, "price_fen": WHOLE, "state": text(),
    "left": WHOLE, "given": WHOLE, "refunded": WHOLE, "asked_back": WHOLE, "agreed_back": WHOLE,
    "asked_back_by": text(), "valid_from_ms": maybe(MOMENT), "valid_to_ms": maybe(MOMENT),
    "made_ms": MOMENT, "made_by": text(), "expires_ms": MOMENT, "paid_ms": maybe(MOMENT), "paid_by": text(),
})  # fmt: skip
TO_PAY = record({"order_id": text(), "amount_fen": WHOLE, "expires_ms": MOMENT, "url": text(2000)})
_OWN, _ONE = {"merchant_id": ID}, {"purchase_id": ID}
_SOUGHT = {"q": text(60), "state": _STATE, "page": PAGE}

OPERATIONS = (
    Operation(
        "GET", "/products", "list_products", "What is or was for sale, newest first", list_products,
        listing(record({**_FACE, "sold": WHOLE})), Scope.READ, query={"q": text(60), "kind": _KIND, "page": PAGE},
    ),
    Operation(
        "POST", "/products", "offer_product", "Put a coupon up for sale; it is never changed", offer,
        record({"product_id": WHOLE}), Scope.MONEY, moves_money=True, status=201,
        body=record(
            {"name": text(60, 1), "kind": _KIND, "unit_fen": whole(1, products.MOST),
             "valid_months": whole(1, products.MOST_MONTHS)},
            {
                "value": _MOST, "max_purchasable": _MOST, "lot_id": whole(0, MOST_ID), "meaning": one_of(*Meaning),
                "cap_fen": _MOST, "valid_min": whole(1, products.MOST_VALID_MIN),
            },
        ),
    ),
    Operation(
        "POST", "/products/{product_id}/withdraw", "withdraw_product", "Sell no more of it; what was bought stays good",
        withdraw, DONE, Scope.MONEY, within={"product_id": ID}, moves_money=True, body=NO_BODY,
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/shop", "list_offers", "What one merchant can buy or bought", list_offers,
        listing(_OFFER), Scope.READ, for_merchants=True, within=_OWN,
        query={"kind": _KIND, "show": one_of(*offers.SHOWN)},
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/purchases", "buy", "An order for coupons, to be paid at its address", buy,
        TO_PAY, Scope.BUY, for_merchants=True, within=_OWN, moves_money=True, status=201,
        body=record({"product_id": ID, "quantity": whole(1, buying.MOST_AT_ONCE)}),
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/purchases", "list_own_purchases", "What one merchant bought, newest first",
        my_purchases, listing(_PURCHASE), Scope.READ, for_merchants=True, within=_OWN, query=_SOUGHT,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/top-up-orders", "order_top_up", "An order that, once paid, fills the purse",
        order_top_up, TO_PAY, Scope.BUY, for_merchants=True, within=_OWN, moves_money=True, status=201,
        body=record({"amount_fen": whole(1, top_up.MOST_FEN)}),
    ),
    Operation(
        "GET", "/purchases", "list_purchases", "What merchants bought, newest first", list_purchases,
        listing(_PURCHASE), Scope.READ, query={"merchant_id": ID, **_SOUGHT},
    ),
    Operation(
        "POST", "/purchases/{purchase_id}/paid", "settle_purchase", "Its money came by transfer or in cash", paid,
        DONE, Scope.MONEY, within=_ONE, moves_money=True, body=NO_BODY,
    ),
    Operation(
        "POST", "/purchases/{purchase_id}/refund", "refund_purchase", "Take unused coupons of it back", refund,
        record({"amount_fen": WHOLE}), Scope.MONEY, within=_ONE, moves_money=True,
        body=record({"count": whole(1, buying.MOST_AT_ONCE), "reason": text(80, 1)}),
    ),
)  # fmt: skip
