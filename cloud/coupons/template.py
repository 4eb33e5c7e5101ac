"""Templates: what a merchant gives coupons of; every lot of the operator knows them (S1.24-S1.28)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons.life import (
    CUSTOM,
    MOST_VALUE,
    NO_VALUE,
    Kind,
)
from cloud.coupons.tables import coupon_template
from cloud.db import new_id
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.merchants import serving
from cloud.prepared import Found
from cloud.shop import stock
from cloud.sync.channels import put_row
from domain.coupon.model import Meaning, Remainder
from domain.coupon.terms import PLAIN, Terms, terms_of
from domain.wire import canonical


def create_template(
    conn: Connection,
    act: Act,
    merchant_id: int,
    name: str,
    kind: str,
    value: int,
    *,
    meaning: str = "end",
    cap_fen: int = 0,
    valid_min: int = 24 * 60,
    remainder: str = Remainder.FORFEIT,
    product_id: int | None = None,
    terms: Terms = PLAIN,
    before_entry: bool = True,
) -> int | Refused:
    """A template; it can be deleted, never changed (S1.27). One of a product is given out of what was bought of it."""
    if merchants.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    if not name.strip():
        return Refused("name_missing")
    if kind not in set(Kind):
        return Refused("kind_not_offered", {"kind": kind})
    if not _is_value(Kind(kind), value):
        return Refused("value_malformed")
    if meaning not in set(Meaning) or not 0 <= cap_fen <= MOST_VALUE or not 0 < valid_min <= 60 * 24 * 400:
        return Refused("template_malformed")
    if remainder not in set(Remainder):
        return Refused("template_malformed")
    refused = _terms_refusal(conn, act.operator_id, Kind(kind), terms)
    if refused is not None:
        return refused
    template_id = new_id(
        conn,
        insert(coupon_template).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            name=name.strip(),
            kind=str(kind),
            value=value,
            cap_fen=cap_fen,
            meaning=meaning,
            remainder=str(remainder),
            valid_min=valid_min,
            before_entry=before_entry,
            created_ms=act.now_ms,
            product_id=product_id,
            terms=canonical(terms.values()).decode(),
        ),
    )
    after = {"kind": str(kind), "value": value, **terms.values()}
    audit.record(conn, act, "template.created", f"template:{template_id}", after=after)
    tell_template(conn, act.operator_id, template_id, act.now_ms)
    return template_id


def product_template(conn: Connection, act: Act, merchant_id: int, product: RowMapping) -> None:
    """The template a merchant gives a bought *product* from: made at the first purchase, and again if deleted."""
    known = select(coupon_template.c.template_id).where(
        coupon_template.c.merchant_id == merchant_id,
        coupon_template.c.product_id == product["product_id"],
        coupon_template.c.deleted_ms.is_(None),
    )
    if conn.execute(known).first() is not None:
        return
    terms = {name: product[name] for name in ("meaning", "cap_fen", "valid_min", "product_id")}
    made = create_template(conn, act, merchant_id, product["name"], product["kind"], product["value"], **terms)
    if isinstance(made, Refused):
        raise ValueError(f"product {product['product_id']} makes no template: {made.code}")


def _is_value(kind: Kind, value: int) -> bool:
    """Per cent still to pay, fen or minutes; nothing where a kind has none or takes it at issue."""
    if kind in NO_VALUE:
        return value == 0
    return 0 < value < (100 if kind is Kind.PERCENT else MOST_VALUE + 1)


def _terms_refusal(conn: Connection, operator_id: int, kind: Kind, terms: Terms) -> Refused | None:
    if not terms.is_sound or not set(terms.lots) <= lots.zones(conn, operator_id).keys():
        return Refused("terms_malformed")
    if (kind is Kind.FREE_UNTIL) != (terms.until >= 0):
        return Refused("until_missing")
    return Refused("pass_without_value") if terms.uses > 1 and kind in CUSTOM else None


def terms(row: Found) -> Terms:
    """The small print of a template."""
    return terms_from(row["terms"])


@lru_cache
def terms_from(text: str) -> Terms:
    """The same from the column."""
    return terms_of(json.loads(text))


def lots_of(conn: Connection, operator_id: int, merchant_id: int) -> Sequence[RowMapping]:
    """Lots where the merchant has prices: there its coupons can be spent."""
    return lots.lots(conn, operator_id, serving.served(conn, merchant_id))


def good_at(conn: Connection, operator_id: int, row: Found) -> Sequence[RowMapping]:
    """Lots where coupons of a template can be spent, by name: those it names, or all its merchant serves (E9)."""
    named = set(terms(row).lots)
    only = stock.lot_of(conn, row["product_id"]) if row["product_id"] is not None else 0
    served = lots_of(conn, operator_id, row["merchant_id"])
    good = [lot for lot in served if (not named or lot["lot_id"] in named) and only in (0, lot["lot_id"])]
    return sorted(good, key=lambda lot: (lot["name"], lot["lot_id"]))


def delete_template(conn: Connection, act: Act, merchant_id: int, template_id: int) -> Refused | None:
    """Issue nothing more from it; coupons already out are not touched. What was bought stays as long as its stock."""
    done = conn.execute(
        update(coupon_template)
        .where(
            coupon_template.c.template_id == template_id,
            coupon_template.c.operator_id == act.operator_id,
            coupon_template.c.merchant_id == merchant_id,
            coupon_template.c.deleted_ms.is_(None),
            coupon_template.c.product_id.is_(None),
        )
        .values(deleted_ms=act.now_ms)
    )
    if done.rowcount != 1:
        return Refused("template_unknown")
    audit.record(conn, act, "template.deleted", f"template:{template_id}")
    tell_template(conn, act.operator_id, template_id, act.now_ms)
    return None


def templates(conn: Connection, operator_id: int, merchant_id: int | None = None) -> Sequence[RowMapping]:
    """Templates that may be issued from, oldest first."""
    query = select(coupon_template).where(
        coupon_template.c.operator_id == operator_id, coupon_template.c.deleted_ms.is_(None)
    )
    if merchant_id is not None:
        query = query.where(coupon_template.c.merchant_id == merchant_id)
    return conn.execute(query.order_by(coupon_template.c.template_id)).mappings().all()


FIND = select(coupon_template).where(
    coupon_template.c.template_id == bindparam("of_template"),
    coupon_template.c.operator_id == bindparam("of_operator"),
    coupon_template.c.merchant_id == bindparam("of_merchant"),
    coupon_template.c.deleted_ms.is_(None),
)
"""A template that may be issued from, as a part of another question."""


def find(conn: Connection, operator_id: int, merchant_id: int, template_id: int) -> RowMapping | None:
    """One that may be issued from."""
    asked = {"of_template": template_id, "of_operator": operator_id, "of_merchant": merchant_id}
    return conn.execute(FIND, asked).mappings().one_or_none()


def tell_template(conn: Connection, operator_id: int, template_id: int, now_ms: int) -> None:
    """Give every edge of the operator the template (channel ``rules``).

    A deleted one stays there, marked: what was printed from it keeps its worth, nothing more is issued.
    """
    row = conn.execute(select(coupon_template).where(coupon_template.c.template_id == template_id)).mappings().one()
    if row["product_id"] is not None:
        return  # a counter spends a lease, and stock is not leased
    value = {name: row[name] for name in ("template_id", "merchant_id", "name", "kind", "value", "cap_fen", "meaning")}
    value |= {"remainder": row["remainder"], "valid_min": row["valid_min"]}
    value |= {"terms": small} if (small := json.loads(row["terms"])) else {}
    if row["deleted_ms"] is not None:
        value |= {"deleted": True}
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        put_row(conn, operator_id, edge_id, "rules", f"template:{template_id}", value, now_ms)


def tell_templates(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge every template there ever was: a new edge honours what the one before it printed."""
    ids = select(coupon_template.c.template_id).where(coupon_template.c.operator_id == operator_id)
    for template_id in conn.execute(ids.order_by(coupon_template.c.template_id)).scalars().all():
        tell_template(conn, operator_id, template_id, now_ms)
