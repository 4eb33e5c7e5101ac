"""What a new edge must know of coupons."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.coupons.plates import tell_plates
from cloud.coupons.rules import tell_rules
from cloud.coupons.template import tell_templates


def tell_coupon_rules(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge every template there ever was, every limit, and the plates that get no coupons."""
    tell_templates(conn, operator_id, now_ms)
    tell_rules(conn, operator_id, now_ms)
    tell_plates(conn, operator_id, now_ms)
