"""What coupons did in a time: how far they got, what they took off by merchant and day, who gives most (E56, E68)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right
from cloud.coupons import papers, records
from cloud.coupons.record_pages import View, day_began, zone_of
from cloud.coupons.records import QUARTER_MS
from cloud.merchants import service as merchants
from cloud.reach import Lots
from cloud.web.charts import Value, lying, standing
from cloud.web.state import CLOUD, allow, lots_of, read
from domain.fen import yuan
from plumbing.web import Session, render, texts

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


def _period(request: web.Request) -> tuple[date, date]:
    """First and last day asked for; the last thirty where nobody asked, a year at most."""
    zone, now_ms = zone_of(request), request.config_dict[CLOUD].now_ms()
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    until = _day(request.query.get("to", "")) or today
    since = _day(request.query.get("from", "")) or until - timedelta(DAYS - 1)
    return max(since, until - timedelta(MOST_DAYS - 1)), until


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _figures(
    conn: Connection, operator_id: int, since: date, until: date, zone: ZoneInfo, now_ms: int, within: Lots
) -> Figures:
    from_ms, until_ms = day_began(since.isoformat(), zone) or 0, day_began(until.isoformat(), zone, 1) or 0
    names = {row["merchant_id"]: str(row["name"]) for row in merchants.everyone(conn, operator_id)}
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    used = (one.by_quarter(operator_id, from_ms, until_ms, within) for one in (records, papers))
    for row in (row for query in used for row in conn.execute(query)):
        day = datetime.fromtimestamp(row.quarter * QUARTER_MS / 1000, zone).date().isoformat()
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


async def _read(request: web.Request, session: Session, since: date, until: date) -> Figures:
    now_ms = request.config_dict[CLOUD].now_ms()
    return await read(request, _figures, since, until, zone_of(request), now_ms, lots_of(session))


def _top(figures: Figures) -> list[tuple[str, int]]:
    """Merchants by what their coupons took off."""
    sums: dict[str, int] = defaultdict(int)
    for day in figures.days:
        sums[day.merchant] += day.off_fen
    return sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:TOP]


def _by_day(figures: Figures, since: date, until: date) -> list[Value]:
    sums: dict[str, int] = defaultdict(int)
    for day in figures.days:
        sums[day.day] += day.off_fen
    every = [(since + timedelta(number)).isoformat() for number in range((until - since).days + 1)]
    return [Value(day[5:], sums[day], f"¥{yuan(sums[day])}") for day in every]


async def report(request: web.Request) -> web.Response:
    """The figures and their pictures."""
    session = await allow(request, Right.VIEW_LOTS)
    t, (since, until) = texts(request), _period(request)
    figures = await _read(request, session, since, until)
    top = _top(figures)
    steps = [Value(t(f"reports.{step}"), figures.funnel[step], str(figures.funnel[step])) for step in STEPS]
    charts: dict[str, Any] = {
        "funnel": lying(steps, coloured=True),
        "top": lying([Value(name, fen, f"¥{yuan(fen)}") for name, fen in top]),
        "days": standing(_by_day(figures, since, until)),
    }
    return render(
        request,
        "report.html",
        view=View(session, None, 0, "/admin/coupons/reports"),
        funnel=figures.funnel,
        days=figures.days,
        top=top,
        charts=charts,
        off_fen=figures.off_fen,
        used=figures.used,
        from_day=since.isoformat(),
        to_day=until.isoformat(),
    )


async def report_file(request: web.Request) -> web.Response:
    """What was taken off by merchant and day, as a table file."""
    session = await allow(request, Right.VIEW_LOTS)
    t, period = texts(request), _period(request)
    figures = await _read(request, session, *period)
    heads = [t("reports.day"), t("col.merchant"), t("reports.used"), t("reports.off")]
    rows: list[list[sheets.Cell]] = [[day.day, day.merchant, day.coupons, yuan(day.off_fen)] for day in figures.days]
    return await sheets.table_file(request.match_info["kind"], "report", t("reports.title"), heads, rows)


def add_routes(app: web.Application) -> None:
    """The report and its file."""
    app.router.add_get("/admin/coupons/reports", report)
    app.router.add_get("/admin/coupons/reports.{kind:csv|xlsx}", report_file)
