"""The operator's pages of plates that may not come in: list, add, end, export; and the visitors of the booths."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import blocking, visiting
from cloud.members.forms import form_of, moment_in
from cloud.members.pages import EXPORT_ROWS
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    login_of,
    lots_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from domain.plate import mask
from plumbing.web import Session, page_number, render, texts

COLUMNS = ("plate", "reason", "lot", "until", "created", "by")


async def blocked(request: web.Request) -> web.Response:
    """The list, with a form for one more."""
    session = await allow(request, Right.VIEW_LOTS)
    return await _blocked(request, session)


async def _blocked(request: web.Request, session: Session, refused: Refused | None = None) -> web.Response:
    cloud, query = request.config_dict[CLOUD], request.query
    everything = query.get("all") == "1"
    search, page, within = search_of(request), page_number(query), lots_of(session)
    return render(
        request,
        "blocked.html",
        status=422 if refused else 200,
        page=await read(request, blocking.listed, cloud.now_ms(), search, page, within, everything=everything),
        everything=everything,
        names=await read(request, lots.names, within),
        within=within,
        error=words(request, refused),
        form=form_of(await request.post()).texts if refused else {},
        now_ms=cloud.now_ms(),
        plates=may(session.role, Right.PLATES),
        manage=may(session.role, Right.RUN_LOTS),
    )


async def block(request: web.Request) -> web.Response:
    """Keep a plate out."""
    session = await allow(request, Right.RUN_LOTS)
    form = form_of(await request.post()).texts
    ends = moment_in(form.get("until", ""), zone_of(request), is_end=True)
    if isinstance(ends, Refused):
        return await _blocked(request, session, ends)
    args = form.get("plate", ""), form.get("reason", ""), whole(form.get("lot_id", "")), ends
    made = await change(request, login_of(session), blocking.block, *args)
    if isinstance(made, Refused):
        return await _blocked(request, session, made)
    raise done("/admin/people/blocked", "plate_blocked")


async def unblock(request: web.Request) -> web.Response:
    """Let it in again."""
    session = await allow(request, Right.RUN_LOTS)
    reason = form_of(await request.post()).texts.get("reason", "")
    refused = await change(request, login_of(session), blocking.unblock, path_id(request, "number"), reason)
    if refused is not None:
        return await _blocked(request, session, refused)
    raise done("/admin/people/blocked", "plate_unblocked")


async def export(request: web.Request) -> web.Response:
    """The list as a file."""
    session = await allow(request, Right.VIEW_LOTS)
    now_ms, t = request.config_dict[CLOUD].now_ms(), texts(request)
    plates, everything = may(session.role, Right.PLATES), request.query.get("all") == "1"
    search, tz = search_of(request), zone_of(request)

    def collect(conn: Connection, operator_id: int) -> list[Sequence[sheets.Cell]]:
        names = lots.names(conn, operator_id)
        found = blocking.every(conn, operator_id, now_ms, search, EXPORT_ROWS, lots_of(session), everything=everything)
        return [
            (
                row["plate"] if plates else mask(row["plate"]),
                row["reason"],
                names.get(row["lot_id"], t("blocked.every_lot")),
                sheets.to_the_minute(row["ends_ms"], tz),
                sheets.to_the_minute(row["created_ms"], tz),
                row["created_by"],
            )
            for row in found
        ]

    rows, columns = await read(request, collect), [t(f"blocked.{name}") for name in COLUMNS]
    return await sheets.table_file(request.match_info["kind"], "blocked", t("nav.blocked"), columns, rows)


async def visitors(request: web.Request) -> web.Response:
    """Visitors the booths let park free."""
    session = await allow(request, Right.VIEW_LOTS)
    search = search_of(request)
    return render(
        request,
        "booth_visitors.html",
        page=await read(request, visiting.listed, search, page_number(request.query), lots_of(session)),
        names=await read(request, lots.names, lots_of(session)),
        plates=may(session.role, Right.PLATES),
    )


async def visitors_file(request: web.Request) -> web.Response:
    """The same as a file."""
    session, t = await allow(request, Right.VIEW_LOTS), texts(request)
    tz, plates, within = zone_of(request), may(session.role, Right.PLATES), lots_of(session)
    names = await read(request, lots.names, within)
    found = await read(request, visiting.every, search_of(request), EXPORT_ROWS, within)
    rows: list[list[sheets.Cell]] = [
        [
            row["plate"] if plates else mask(row["plate"]), row["host"], names.get(row["lot_id"], ""),
            sheets.to_the_minute(row["begins_ms"], tz), sheets.to_the_minute(row["ends_ms"], tz), row["added_by"],
            row["ended_by"],
        ]
        for row in found
    ]  # fmt: skip
    heads = [t(f"people.{name}") for name in ("plates", "host", "lots", "begins", "ends")]
    heads += [t("col.by"), t("people.ended_by")]
    return await sheets.table_file(request.match_info["kind"], "visitors", t("people.booth_visitors"), heads, rows)


def add_routes(app: web.Application) -> None:
    """Pages of the block list and of the booths' visitors."""
    app.router.add_get("/admin/people/blocked", blocked)
    app.router.add_post("/admin/people/blocked", block)
    app.router.add_get("/admin/people/blocked.{kind:csv|xlsx}", export)
    app.router.add_post("/admin/people/blocked/{number:[0-9]+}/end", unblock)
    app.router.add_get("/admin/people/booth-visitors", visitors)
    app.router.add_get("/admin/people/booth-visitors.{kind:csv|xlsx}", visitors_file)
