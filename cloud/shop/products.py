"""Coupons the operator puts up for sale: kind, value, price, lifetime cap, validity (S2.6, S2.11-S2.14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots import service as lots
from cloud.shop.stock import State
from cloud.shop.tables import coupon_product, purchase
from domain.coupon.model import Meaning
from plumbing.web.paging import Page

KINDS = ("AMOUNT", "DURATION", "FULL_WAIVER")
"""What can be sold: a custom kind has no value to put a price on."""
MOST = 10_000_000  # fen, minutes or coupons: more is a slip of the finger
MOST_MONTHS = 120
MOST_VALID_MIN = 60 * 24 * 400


@dataclass(frozen=True, slots=True)
class Product:
    """What is put up for sale; it can be withdrawn, never changed (as S1.27)."""

    name: str
    kind: str
    value: int
    unit_fen: int
    max_purchasable: int
    valid_months: int
    lot_id: int = 0
    meaning: str = "end"
    cap_fen: int = 0
    valid_min: int = 24 * 60

    @property
    def wrong(self) -> str:
        """The code of the first thing nobody can mean; "" when all is well."""
        if not self.name.strip():
            return "name_missing"
        if self.kind not in KINDS:
            return "kind_not_offered"
        if bool(self.value) == (self.kind == "FULL_WAIVER") or not 0 <= self.value <= MOST:
            return "value_malformed"
        sound = (
            0 < self.unit_fen <= MOST
            and 0 <= self.max_purchasable <= MOST
            and 0 < self.valid_months <= MOST_MONTHS
            and 0 <= self.cap_fen <= MOST
            and 0 < self.valid_min <= MOST_VALID_MIN
            and self.meaning in set(Meaning)
        )
        return "" if sound else "product_malformed"


def offer(conn: Connection, act: Act, product: Product) -> int | Refused:
    """Put *product* up for sale; returns its id."""
    if product.wrong:
        return Refused(product.wrong, {"kind": product.kind} if product.wrong == "kind_not_offered" else {})
    if product.lot_id and product.lot_id not in {row["lot_id"] for row in lots.lots(conn, act.operator_id)}:
        return Refused("lot_unknown")
    values = asdict(product) | {"name": product.name.strip()}
    product_id = new_id(
        conn, insert(coupon_product).values(operator_id=act.operator_id, created_ms=act.now_ms, **values)
    )
    audit.record(conn, act, "product.offered", f"product:{product_id}", after=values)
    return product_id


def withdraw(conn: Connection, act: Act, product_id: int) -> Refused | None:
    """Sell no more of it; what was bought stays good."""
    done = conn.execute(
        update(coupon_product)
        .where(
            coupon_product.c.product_id == product_id,
            coupon_product.c.operator_id == act.operator_id,
            coupon_product.c.withdrawn_ms.is_(None),
        )
        .values(withdrawn_ms=act.now_ms)
    )
    if done.rowcount != 1:
        return Refused("product_unknown")
    audit.record(conn, act, "product.withdrawn", f"product:{product_id}")
    return None


def get(conn: Connection, operator_id: int, product_id: int) -> RowMapping | None:
    """One product, for sale or not; locked, so that two purchases at once cannot both be the last under its cap."""
    query = select(coupon_product).where(
        coupon_product.c.product_id == product_id, coupon_product.c.operator_id == operator_id
    )
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def query(operator_id: int, search: str = "", kind: str = "") -> Select[Any]:
    """Products with how many of each were sold, newest first."""
    sold = (
        select(func.coalesce(func.sum(purchase.c.quantity - purchase.c.refunded), 0))
        .where(purchase.c.product_id == coupon_product.c.product_id, purchase.c.state == State.PAID.value)
        .scalar_subquery()
    )
    found = select(coupon_product, sold.label("sold")).where(coupon_product.c.operator_id == operator_id)
    if search:
        found = found.where(coupon_product.c.name.like(f"%{search}%"))
    if kind:
        found = found.where(coupon_product.c.kind == kind)
    return found.order_by(coupon_product.c.product_id.desc())


def listed(conn: Connection, operator_id: int, search: str = "", kind: str = "", page: int = 1) -> Page[RowMapping]:
    """One page of them, for the operator."""
    return paged(conn, query(operator_id, search, kind), page)


def for_merchant(conn: Connection, operator_id: int, kind: str = "") -> Sequence[RowMapping]:
    """What is or was for sale, oldest first; the shop shows of it what can be bought or was bought."""
    found = select(coupon_product).where(coupon_product.c.operator_id == operator_id)
    if kind:
        found = found.where(coupon_product.c.kind == kind)
    return conn.execute(found.order_by(coupon_product.c.product_id)).mappings().all()
