"""Products and purchases as rows of a table file."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from cloud.sheets import Cell, to_the_minute
from domain.fen import yuan
from plumbing.i18n import Texts

PURCHASE = ("number", "product", "kind", "worth", "quantity", "unit", "price", "state", "left", "from", "until", "made",
            "by")  # fmt: skip
PRODUCT = ("number", "product", "kind", "worth", "unit", "most", "months", "sold", "since", "withdrawn")


def purchase_columns(t: Texts) -> list[str]:
    """Names of the columns of :func:`cells`."""
    return [t(f"shop.{name}") for name in PURCHASE]


def product_columns(t: Texts) -> list[str]:
    """Names of the columns of :func:`product_cells`."""
    return [t(f"shop.{name}") for name in PRODUCT]


def cells(t: Texts, row: RowMapping, zone: ZoneInfo) -> Sequence[Cell]:
    """One purchase."""
    return [
        row["purchase_id"],
        row["name"],
        t(f"kind.{row['kind']}"),
        worth(t, row),
        row["quantity"],
        yuan(row["unit_fen"]),
        yuan(row["price_fen"]),
        t(f"purchase_state.{row['state']}"),
        row["left"] if row["valid_to_ms"] else 0,
        to_the_minute(row["valid_from_ms"], zone),
        to_the_minute(row["valid_to_ms"], zone),
        to_the_minute(row["made_ms"], zone),
        row["made_by"],
    ]


def product_cells(t: Texts, row: RowMapping, zone: ZoneInfo) -> Sequence[Cell]:
    """One product."""
    return [
        row["product_id"],
        row["name"],
        t(f"kind.{row['kind']}"),
        worth(t, row),
        yuan(row["unit_fen"]),
        row["max_purchasable"] or t("shop.no_limit"),
        row["valid_months"],
        int(row["sold"]),
        to_the_minute(row["created_ms"], zone),
        to_the_minute(row["withdrawn_ms"], zone),
    ]


def worth(t: Texts, row: RowMapping) -> str:
    """What one coupon takes off."""
    if row["kind"] == "AMOUNT":
        return yuan(row["value"])
    return t("unit.minutes", minutes=row["value"]) if row["kind"] == "DURATION" else t("kind.FULL_WAIVER")
