"""The operator's page of days laid side by side: figures by lot and day, what differs, the file to keep (E72)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.days import parse_day
from cloud.lots import service as lots
from cloud.payments import bills
from cloud.reconciling import service
from cloud.reconciling.comparing import Sums
from cloud.reconciling.service import Day
from cloud.web.state import allow, change, done, field_of, login_of, read, search_of, whole, words
from domain.fen import yuan
from plumbing.i18n import Texts
from plumbing.web import page_number, render, texts

PATH = "/admin/payments/days"
COUNTS = ("cars", "orders", "charged_min", "posted_min")  # figures that are no money
FIGURES = tuple(Sums().as_json())
WORDS = {"taken": "taken_for"}


def _sought(request: web.Request) -> tuple[str, int | None]:
    return search_of(request), whole(request.query.get("lot", ""))


async def _days(request: web.Request, refused: Refused | None = None) -> web.Response:
    session = await allow(request, Right.VIEW)
    only_open = "all" not in request.query
    days = await read(request, service.listed, *_sought(request), page_number(request.query))
    return render(
        request, "days.html", status=422 if refused else 200, error=words(request, refused), tab="days",
        only_open=only_open, names=await read(request, lots.names), days=days,
        page=await read(request, service.differences, only_open=only_open), bills=await _bills(request, days.items),
        money=may(session.role, Right.MONEY),
    )  # fmt: skip


async def _bills(request: web.Request, days: Sequence[Day]) -> dict[str, int]:
    """Fen by which the providers' bills of a day are off our book; a day without a bill is not in it."""
    off: dict[str, int] = defaultdict(int)
    for row in await read(request, bills.of_days, {each.day for each in days}):
        theirs = row["paid_fen"] - row["refunded_fen"]
        off[row["day"]] += abs(theirs - row["ours_paid_fen"] + row["ours_refunded_fen"])
    return dict(off)


async def days_page(request: web.Request) -> web.Response:
    """Days by lot, and what their books do not share."""
    return await _days(request)


async def make_day(request: web.Request) -> web.Response:
    """Lay one day side by side now."""
    session = await allow(request, Right.MONEY)
    lot_id = whole(await field_of(request, "lot_id")) or 0
    day = parse_day(await field_of(request, "day"))
    if day is None:
        return await _days(request, Refused("day_malformed"))
    made = await change(request, login_of(session), service.make, lot_id, day)
    if isinstance(made, Refused):
        return await _days(request, made)
    raise done(PATH, "day_made")


async def close_difference(request: web.Request) -> web.Response:
    """A difference was worked off."""
    session = await allow(request, Right.MONEY)
    difference_id, reason = whole(await field_of(request, "difference_id")) or 0, await field_of(request, "reason")
    refused = await change(request, login_of(session), service.close, difference_id, reason)
    if refused is not None:
        return await _days(request, refused)
    raise done(PATH, "difference_closed")


async def days_file(request: web.Request) -> web.Response:
    """The days as a table."""
    await allow(request, Right.VIEW)
    t, names = texts(request), await read(request, lots.names)
    days = await read(request, service.every, *_sought(request), sheets.MOST_ROWS)
    bills_off = await _bills(request, days)
    columns = [
        t("days.day"),
        t("col.lot"),
        *(t(f"days.{WORDS.get(name, name)}") for name in FIGURES),
        t("days.open"),
        t("days.bills"),
    ]
    rows = [_cells(t, each, names.get(each.lot_id, ""), bills_off) for each in days]
    return await sheets.table_file(request.match_info["kind"], "days", t("payments.tab_days"), columns, rows)


def _cells(t: Texts, day: Day, lot: str, bills_off: dict[str, int]) -> list[sheets.Cell]:
    told = day.sums.as_json()
    figures: list[sheets.Cell] = [told[name] if name in COUNTS else yuan(told[name]) for name in FIGURES]
    return [day.day, lot, *figures, day.open, yuan(bills_off[day.day]) if day.day in bills_off else t("days.no_bill")]


def add_routes(app: web.Application) -> None:
    """The page, its file, and what is done on it."""
    app.router.add_get(PATH, days_page)
    app.router.add_post(PATH, make_day)
    app.router.add_get(f"{PATH}.{{kind:csv|xlsx}}", days_file)
    app.router.add_post(f"{PATH}/differences", close_difference)
