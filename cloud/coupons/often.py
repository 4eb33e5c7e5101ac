"""Plates that get many coupons from one merchant or one member of its staff: who helps whom a little too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, select

from cloud.coupons.limiting import WITHDRAWN
from cloud.coupons.tables import coupon
from cloud.merchants import service as merchants

USUAL_LEAST = 10
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Month:
    """[start, end) of a calendar month."""

    name: str
    start_ms: int
    end_ms: int


def month_of(text: str, now_ms: int, zone: ZoneInfo) -> Month:
    """The month *text* (2026-03) names in *zone*; this month where it names none."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=zone)
        if not 2000 <= first.year <= 2200:
            raise ValueError(text)
    except ValueError:
        here = datetime.fromtimestamp(now_ms / 1000, zone)
        first = here.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, number = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    after = first.replace(year=year, month=number)
    return Month(first.strftime("%Y-%m"), round(first.timestamp() * 1000), round(after.timestamp() * 1000))


@dataclass(frozen=True, slots=True)
class Often:
    """One plate and who gave it so many coupons."""

    plate: str
    merchant_id: int
    merchant: str
    by: str
    count: int
    used: int
    off_fen: int


def plates_with(conn: Connection, operator_id: int, month: Month, least: int, *, by_staff: bool) -> Sequence[Often]:
    """Plates with *least* coupons or more in a month from one merchant, or one person; the most first."""
    who = (coupon.c.merchant_id, coupon.c.issued_by) if by_staff else (coupon.c.merchant_id,)
    query = (
        select(
            coupon.c.plate,
            *who,
            func.count().label("many"),
            func.count(coupon.c.redeemed_ms).label("used"),
            func.coalesce(func.sum(coupon.c.off_fen), 0).label("off_fen"),
        )
        .where(
            coupon.c.operator_id == operator_id,
            coupon.c.issued_ms >= month.start_ms,
            coupon.c.issued_ms < month.end_ms,
            coupon.c.plate != "",
            coupon.c.state.not_in(WITHDRAWN),
        )
        .group_by(coupon.c.plate, *who)
        .having(func.count() >= max(1, least))
        .order_by(func.count().desc(), coupon.c.plate, *who)
        .limit(MOST_ROWS)
    )
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    return [_often(row, names, by_staff=by_staff) for row in conn.execute(query).mappings()]


def _often(row: RowMapping, names: dict[int, str], *, by_staff: bool) -> Often:
    by = row["issued_by"] if by_staff else ""
    merchant_id = row["merchant_id"]
    return Often(
        row["plate"], merchant_id, names.get(merchant_id, ""), by, row["many"], row["used"], int(row["off_fen"])
    )
