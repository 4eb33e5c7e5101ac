"""Who is on the lot's lists: looked up by part of a plate; visitors for today added; who was let go without paying."""

from __future__ import annotations

import sqlite3
from datetime import datetime, time, timedelta

from aiohttp import web

from domain.decision import Refuse
from domain.plate import normalise
from edge.db import decisions, excused
from edge.db.excused import ExcusedRow
from edge.services import excusing, listed, visitors
from edge.services.listed import Listed
from edge.services.lot import Lot
from edge.services.staffing import is_at_least
from edge.web import words
from edge.web.booth import shared
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.tasks import new_mark
from plumbing.web import Page, page_number, render, require_session, texts

SHORTEST = 3  # characters of a plate that are looked for
PAGE_SIZE = 24
WHYS = (excusing.FREE_KIND, excusing.WAIVED, excusing.COVERED)


async def lists_page(request: web.Request) -> web.Response:
    """Search the lists; without a search, today's visitors."""
    await require_session(request)
    return await _lists(request)


async def _lists(request: web.Request, refused: Refuse | None = None) -> web.Response:
    session, edge, number = await require_session(request), request.app[EDGE], page_number(request.query)
    lot, now = edge.office.lot, edge.office.now()
    may_search = is_at_least(session.role, lot.rules.lists_by)
    asked = normalise(request.query.get("q", "")[:20]) if may_search else ""

    def look(conn: sqlite3.Connection) -> tuple[list[Listed], int]:
        if len(asked) < SHORTEST:
            return listed.visitors_now(conn, lot, now), 0
        return listed.found(conn, lot, asked, now, PAGE_SIZE, (number - 1) * PAGE_SIZE)

    rows, total = await edge.read(look)
    return render(
        request, "lists.html", status=409 if refused else 200, rows=rows, asked=asked,
        page=Page(rows, number, total, PAGE_SIZE), is_search=len(asked) >= SHORTEST,
        too_short=0 < len(asked) < SHORTEST,
        may_search=may_search, may_add=visitors.may_add(lot, session.role), shortest=SHORTEST,
        error=refusal_words(request, refused) if refused else "", flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


async def visitor_page(request: web.Request) -> web.Response:
    """Ask which car, and whom it comes to see. Raises HTTPForbidden."""
    session = await require_session(request)
    if not visitors.may_add(request.app[EDGE].office.lot, session.role):
        raise web.HTTPForbidden
    return _visitor(request, {})


def _visitor(request: web.Request, typed: dict[str, str], refused: Refuse | None = None) -> web.Response:
    return render(
        request, "visitor.html", status=409 if refused else 200, typed=typed, mark=new_mark(),
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def add_visitor(request: web.Request) -> web.Response:
    """Let a visitor park free for the rest of the day."""
    session, data = await require_session(request), await request.post()
    typed = {name: text_field(data, name, 80) for name in ("plate", "host")}
    if first_time(request, data):
        result = await request.app[EDGE].add_visitor(typed["plate"], typed["host"], session.name, session.role)
        if isinstance(result, Refuse):
            return _visitor(request, typed, result)
        await flash(request, "ok", texts(request)("done.visitor", plate=normalise(typed["plate"])))
    return see_other("/booth/lists")


async def end_visitor(request: web.Request) -> web.Response:
    """Take that back."""
    session = await require_session(request)
    result = await request.app[EDGE].end_visitor(request.match_info["visitor"], session.name, session.role)
    if isinstance(result, Refuse):
        return await _lists(request, result)
    await flash(request, "ok", texts(request)("done.visitor_ended"))
    return see_other("/booth/lists")


async def excused_page(request: web.Request) -> web.Response:
    """Who left without paying on one day: why, let go by whom, with the picture."""
    await require_session(request)
    edge, number = request.app[EDGE], page_number(request.query)
    why = request.query.get("why", "")
    why = why if why in WHYS else ""
    day, start_ms, end_ms = day_of(edge.office.lot, request.query.get("day", ""), edge.office.now().wall_ms)

    def look(conn: sqlite3.Connection) -> tuple[list[tuple[ExcusedRow, str]], dict[str, tuple[int, int]]]:
        rows = excused.between(conn, start_ms, end_ms, why, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        return [(row, _picture(conn, row)) for row in rows], excused.totals(conn, start_ms, end_ms)

    rows, totals = await edge.read(look)
    total = sum(count for name, (count, _) in totals.items() if why in ("", name))
    return render(
        request, "excused.html", rows=rows, totals=totals, why=why, whys=WHYS, day=day,
        excused_detail=lambda row: words.excused(texts(request), row.why, row.detail),
        page=Page(rows, number, total, PAGE_SIZE), **shared(request),
    )  # fmt: skip


def _picture(conn: sqlite3.Connection, row: ExcusedRow) -> str:
    return row.decision_id if "frame" in decisions.picture_kinds(conn, row.decision_id) else ""


def day_of(lot: Lot, text: str, now_ms: int) -> tuple[str, int, int]:
    """The day *text* names (today where it names none), with its bounds in UTC ms."""
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        day = lot.local(now_ms).date()
    begins = datetime.combine(day, time.min, lot.tz)
    ends = datetime.combine(day + timedelta(days=1), time.min, lot.tz)
    return day.isoformat(), round(begins.timestamp() * 1000), round(ends.timestamp() * 1000)


def add_routes(app: web.Application) -> None:
    """The lists, and the day's report."""
    app.router.add_get("/booth/lists", lists_page)
    app.router.add_get("/booth/lists/visitors/new", visitor_page)
    app.router.add_post("/booth/lists/visitors", add_visitor)
    app.router.add_post("/booth/lists/visitors/{visitor}/end", end_visitor)
    app.router.add_get("/booth/excused", excused_page)
