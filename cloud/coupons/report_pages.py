"""What coupons did in a time: how far they got, what they took off by merchant and day, who gives most (E56, E68)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right
from cloud.coupons import reporting
from cloud.coupons.record_pages import View
from cloud.coupons.reporting import STEPS, Figures
from cloud.days import day_at, parse_day
from cloud.web.charts import Value, lying, standing
from cloud.web.state import CLOUD, allow, lots_of, read, zone_of
from domain.fen import yuan
from plumbing.web import Session, render, texts


def _period(request: web.Request) -> tuple[date, date]:
    """First and last day asked for."""
    zone, now_ms = zone_of(request), request.config_dict[CLOUD].now_ms()
    since, until = (parse_day(request.query.get(name, "")) for name in ("from", "to"))
    return reporting.period(since, until, day_at(now_ms, zone))


async def _read(request: web.Request, session: Session, since: date, until: date) -> Figures:
    now_ms = request.config_dict[CLOUD].now_ms()
    return await read(request, reporting.figures, since, until, zone_of(request), now_ms, lots_of(session))


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
    top = reporting.top(figures)
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
