"""What is for sale as one merchant sees it (S2.7, S2.15)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping

from cloud.shop import buying, products, stock
from cloud.shop.stock import Held
from domain.shop import may_still_buy

SHOWN = ("buyable", "bought", "not_bought", "all")
NOTHING = Held(0, 0)


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as one merchant sees it: what it bought, may still buy (None: no limit), and may give now."""

    row: RowMapping
    bought: int
    left: int | None
    held: Held

    @property
    def is_for_sale(self) -> bool:
        return self.row["withdrawn_ms"] is None and self.left != 0

    def is_shown(self, shown: str) -> bool:
        """Does it belong under this filter (S2.7, S2.15)? What is not sold any more shows only where it was bought."""
        if shown == "buyable":
            return self.is_for_sale
        if shown == "bought":
            return self.bought > 0
        is_sold = self.row["withdrawn_ms"] is None
        return is_sold and not self.bought if shown == "not_bought" else is_sold or self.bought > 0


def _offer(row: RowMapping, bought: dict[int, int], held: dict[int, Held]) -> Offer:
    count = bought.get(row["product_id"], 0)
    return Offer(row, count, may_still_buy(row["max_purchasable"], count), held.get(row["product_id"], NOTHING))


def offers(conn: Connection, operator_id: int, merchant_id: int, kind: str, now_ms: int) -> list[Offer]:
    """Everything that is or was for sale, of one kind or all."""
    bought = buying.bought_by_product(conn, merchant_id)
    held = stock.held(conn, merchant_id, now_ms)
    return [_offer(row, bought, held) for row in products.for_merchant(conn, operator_id, kind)]


def one(conn: Connection, operator_id: int, merchant_id: int, product_id: int, now_ms: int) -> Offer | None:
    """One of them."""
    row = products.get(conn, operator_id, product_id)
    if row is None:
        return None
    return _offer(row, buying.bought_by_product(conn, merchant_id), stock.held(conn, merchant_id, now_ms))
