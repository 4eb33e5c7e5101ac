"""What other programs hear of a coupon's life; plates are left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.hooks import service as hooks

_TOLD = ("coupon_id", "serial", "template_id", "lot_id", "stay_id", "kind", "value", "issued_ms", "expires_ms")


def tell(conn: Connection, row: Mapping[str, Any] | RowMapping, now_ms: int, *facts: str, **more: object) -> None:
    """Tell the merchant's and the operator's web hooks of *facts* (``coupon.issued``, …) about a coupon's *row*."""
    about = {name: row[name] for name in _TOLD} | more
    hooks.tell(conn, row["operator_id"], row["merchant_id"], [(fact, about) for fact in facts], now_ms)
