"""Figures of coupons over some days: how far they got, what they took off by merchant and day (E56, E68)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.coupons import papers, records
from cloud.coupons.records import QUARTER_MS
from cloud.days import day_at, span_ms
from cloud.merchants import service as merchants
from cloud.reach import EVERY, Lots

DAYS, MOST_DAYS, TOP = 30, 366, 10
STEPS = ("issued", "bound", "redeemed", "expired", "voided")


@dataclass(frozen=True, slots=True)
class Day:
    """What one merchant's coupons and counter vouchers took off on one day."""

    day: str
    merchant: str
    coupons: int
    off_fen: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the report shows."""

    funnel: Mapping[str, int]
    days: list[Day]
    off_fen: int
    used: int


def period(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """First and last day of a report; the last thirty where nobody asked, a year at most."""
    last = until or today
    first = since or last - timedelta(DAYS - 1)
    return max(first, last - timedelta(MOST_DAYS - 1)), last


def figures(
    conn: Connection, operator_id: int, since: date, until: date, zone: ZoneInfo, now_ms: int, within: Lots = EVERY
) -> Figures:
    """What the coupons of these days did, both included, as days are in *zone*."""
    from_ms, until_ms = span_ms(since, until, zone)
    names = {row["merchant_id"]: str(row["name"]) for row in merchants.everyone(conn, operator_id)}
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    used = (one.by_quarter(operator_id, from_ms, until_ms, within) for one in (records, papers))
    for row in (row for query in used for row in conn.execute(query)):
        day = day_at(row.quarter * QUARTER_MS, zone).isoformat()
        sums[day, row.merchant_id][0] += int(row.coupons)
        sums[day, row.merchant_id][1] += int(row.off_fen or 0)
    days = [
        Day(day, names.get(merchant_id, ""), *sums[day, merchant_id]) for day, merchant_id in sorted(sums, reverse=True)
    ]
    given = conn.execute(records.funnel(operator_id, from_ms, until_ms, within)).mappings().one()
    printed = conn.execute(papers.funnel(operator_id, from_ms, until_ms, now_ms, within)).mappings().one()
    return Figures(
        {step: int(given[step]) + int(printed[step]) for step in STEPS},
        days,
        sum(day.off_fen for day in days),
        sum(day.coupons for day in days),
    )


def top(figures: Figures) -> list[tuple[str, int]]:
    """Merchants by what their coupons took off."""
    sums: dict[str, int] = defaultdict(int)
    for day in figures.days:
        sums[day.merchant] += day.off_fen
    return sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:TOP]
