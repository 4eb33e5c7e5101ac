"""The day's report of who left without paying: free by kind, covered by a list, waived by whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.days import day_at, parse_day, span_ms
from cloud.lots import service as lots
from cloud.members import excused
from cloud.members.excused import WHYS, Day
from cloud.members.pages import EXPORT_ROWS
from cloud.web.state import CLOUD, allow, lots_of, read, search_of, whole, zone_of
from domain.fen import yuan
from domain.plate import mask
from plumbing.i18n import Texts
from plumbing.web import Session, page_number, render, texts

COLUMNS = ("when", "lot", "lane", "plate", "why", "detail", "by", "waived", "decision")


def day_in(request: web.Request, session: Session) -> tuple[str, Day]:
    """The day asked for (today where none is), and what else."""
    tz, query = zone_of(request), request.query
    day = parse_day(query.get("day", "")) or day_at(request.config_dict[CLOUD].now_ms(), tz)
    why = query.get("why", "")
    lot_id, search = whole(query.get("lot", "")), search_of(request)
    return day.isoformat(), Day(*span_ms(day, day, tz), lot_id, why if why in WHYS else "", search, lots_of(session))


def detail_words(t: Texts, why: str, detail: str) -> str:
    """Why, in more words: kinds of plates, entitlements and booth reasons by their names, anything else as typed."""
    group = {"free_kind": "plate_kind", "covered": "grant", "waived": "waive_reason"}.get(why, "")
    named = (f"{group}.{code}" for code in detail.split()) if why == "covered" else [f"{group}.{detail}"]
    return " ".join(t(key) if t.catalogue.has(key) else key.partition(".")[2] for key in named)


async def report(request: web.Request) -> web.Response:
    """One day on a page."""
    session = await allow(request, Right.VIEW_LOTS)
    day, asked = day_in(request, session)
    t = texts(request)
    return render(
        request,
        "excused.html",
        page=await read(request, excused.listed, asked, page_number(request.query)),
        totals=await read(request, excused.totals, replace(asked, why="", search="")),
        asked=asked,
        day=day,
        whys=WHYS,
        names=await read(request, lots.names, asked.within),
        detail=lambda row: detail_words(t, row["why"], row["detail"]),
        plates=may(session.role, Right.PLATES),
    )


async def export(request: web.Request) -> web.Response:
    """The same as a file."""
    session = await allow(request, Right.VIEW_LOTS)
    (day, asked), t, tz = day_in(request, session), texts(request), zone_of(request)
    plates = may(session.role, Right.PLATES)

    def collect(conn: Connection, operator_id: int) -> list[Sequence[sheets.Cell]]:
        names = lots.names(conn, operator_id)
        return [
            (
                sheets.to_the_minute(row["happened_ms"], tz),
                names.get(row["lot_id"], row["lot_id"]),
                row["lane"],
                row["plate"] if plates else mask(row["plate"]),
                t(f"excused_why.{row['why']}"),
                detail_words(t, row["why"], row["detail"]),
                row["excused_by"],
                yuan(row["waived_fen"]),
                row["decision_id"],
            )
            for row in excused.every(conn, operator_id, asked, EXPORT_ROWS)
        ]

    rows, columns = await read(request, collect), [t(f"excused.{name}") for name in COLUMNS]
    return await sheets.table_file(request.match_info["kind"], f"excused-{day}", t("nav.excused"), columns, rows)


def add_routes(app: web.Application) -> None:
    """The report and its files."""
    app.router.add_get("/admin/people/excused", report)
    app.router.add_get("/admin/people/excused.{kind:csv|xlsx}", export)
