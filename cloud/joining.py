"""A new device becomes the edge of a lot: it shows the claim's secret once and is told all it must hold."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.lots import service as lots
from cloud.lots.service import Claimed
from cloud.merchants import service as merchants


def join(conn: Connection, edge_id: str, secret: str, public_key: bytes, now_ms: int) -> Claimed | Refused:
    """Claim, then fill the new edge's channels with keys, merchants and templates (sync §9)."""
    claimed = lots.claim(conn, edge_id, secret, public_key, now_ms)
    if isinstance(claimed, Refused):
        return claimed
    for row in merchants.everyone(conn, claimed.operator_id):
        merchants.tell_merchant(conn, claimed.operator_id, row["merchant_id"], now_ms)
    coupons.tell_templates(conn, claimed.operator_id, now_ms)
    return claimed
