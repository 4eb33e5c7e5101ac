"""The month's end by itself: what postpaid merchants were charged in the months before is stated (E16)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from cloud.act import Act, Refused
from cloud.merchants import service, statements
from cloud.merchants.statements import Facts
from cloud.merchants.tables import merchant


def month_began(now_ms: int, zone: ZoneInfo) -> int:
    """UTC milliseconds of the first moment of this month in *zone*."""
    today = datetime.fromtimestamp(now_ms / 1000, zone)
    return int(today.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000


def postpaid(conn: Connection, operator_id: int) -> list[int]:
    """Merchants that pay by statements, enabled or not: what they used before is owed all the same."""
    found = select(merchant.c.merchant_id).where(
        merchant.c.operator_id == operator_id, merchant.c.payment_mode == service.PaymentMode.POSTPAID.value
    )
    return list(conn.execute(found.order_by(merchant.c.merchant_id)).scalars())


def close_month(conn: Connection, act: Act, merchant_id: int, until_ms: int, facts: Facts) -> int | None:
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
