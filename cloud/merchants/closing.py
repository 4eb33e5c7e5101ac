"""A billing period's end by itself: what postpaid merchants were charged in the periods before is stated (E16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from cloud.act import Act, Refused
from cloud.lots import service as lots
from cloud.merchants import service, serving, statements
from cloud.merchants.statements import Facts
from cloud.merchants.tables import merchant
from domain.billing import Billing, began, billing_of


def periods_began(conn: Connection, operator_id: int, now_ms: int, usual: ZoneInfo) -> dict[int, int]:
    """By merchant that pays by statements, enabled or not: when its present period began (UTC ms).

    Days are those of the lots it serves; where these have several time zones, or it serves none, of *usual*.
    """
    zones = {row["lot_id"]: row["time_zone"] for row in lots.lots(conn, operator_id)}
    query = select(merchant.c.merchant_id, merchant.c.billing).where(
        merchant.c.operator_id == operator_id, merchant.c.payment_mode == service.PaymentMode.POSTPAID.value
    )
    found: dict[int, int] = {}
    for merchant_id, text in conn.execute(query.order_by(merchant.c.merchant_id)).all():
        now = datetime.fromtimestamp(now_ms / 1000, _zone_of(conn, merchant_id, zones, usual))
        found[merchant_id] = int(began(billing_of(text) or Billing(), now).timestamp()) * 1000
    return found


def _zone_of(conn: Connection, merchant_id: int, zones: Mapping[int, str], usual: ZoneInfo) -> ZoneInfo:
    names = {zones[lot_id] for lot_id in serving.served(conn, merchant_id).named or () if lot_id in zones}
    return ZoneInfo(names.pop()) if len(names) == 1 else usual


def close_period(conn: Connection, act: Act, merchant_id: int, until_ms: int, facts: Facts) -> int | None:
    """State what one merchant was charged before *until_ms*; None where that was done or nothing was charged.

    Done again, or by two workers at once, it makes one statement: the merchant stays locked from the first look on.
    """
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None or statements.is_stated(conn, merchant_id, until_ms):
        return None
    if not statements.unstated(conn, merchant_id, row["settlement_mode"], until_ms - 1):
        return None
    made = statements.close(conn, act, merchant_id, until_ms, facts)
    return None if isinstance(made, Refused) else made
