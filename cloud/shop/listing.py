"""Products and purchases as rows of a table file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from cloud.sheets import Cell
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


def cells(t: Texts, row: RowMapping, zone: str) -> Sequence[Cell]:
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
        when(row["valid_from_ms"], zone),
        when(row["valid_to_ms"], zone),
        when(row["made_ms"], zone),
        row["made_by"],
    ]


def product_cells(t: Texts, row: RowMapping, zone: str) -> Sequence[Cell]:
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
        when(row["created_ms"], zone),
        when(row["withdrawn_ms"], zone),
    ]


def worth(t: Texts, row: RowMapping) -> str:
    """What one coupon takes off."""
    if row["kind"] == "AMOUNT":
        return yuan(row["value"])
    return t("unit.minutes", minutes=row["value"]) if row["kind"] == "DURATION" else t("kind.FULL_WAIVER")


def when(ms: int | None, zone: str) -> str:
    """A moment in the cloud's time zone; "" for none."""
    return "" if ms is None else f"{datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
