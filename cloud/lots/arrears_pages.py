"""What plates owe at the operator's lots: listed, searched, exported."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.lots import arrears, service
from cloud.lots.arrears import Sought
from cloud.web.state import allow, lots_of, read, whole, zone_of
from domain.fen import yuan
from domain.plate import mask, normalise
from plumbing.i18n import Texts
from plumbing.web import Session, page_number, render, texts

STATES = (arrears.OPEN, arrears.DISPUTED, arrears.SETTLED)


def _sought(request: web.Request, session: Session) -> Sought:
    state = request.query.get("state", arrears.OPEN)
    search = normalise(request.query.get("q", "")[:20])
    lot_id, within = whole(request.query.get("lot", "")), lots_of(session)
    return Sought(state if state in STATES else arrears.OPEN, search, lot_id, within)


async def arrears_page(request: web.Request) -> web.Response:
    """Debts in one state at all lots or one; plates masked where the role has no need of them."""
    session = await allow(request, Right.VIEW_LOTS)
    sought = _sought(request, session)
    return render(
        request, "arrears.html", page=await read(request, arrears.arrears, sought, page_number(request.query)),
        state=sought.state, states=STATES, lot_id=sought.lot_id, lots=await read(request, service.lots, sought.within),
        left_fen=await read(request, arrears.left_fen, sought),
        plates=may(session.role, Right.PLATES),
    )  # fmt: skip


async def debt_page(request: web.Request) -> web.Response:
    """One debt and what became of it."""
    session = await allow(request, Right.VIEW_LOTS)
    debt_id = request.match_info["debt"]
    row = await read(request, arrears.get, debt_id, lots_of(session))
    if row is None:
        raise web.HTTPNotFound
    moves = await read(request, arrears.moves, debt_id)
    return render(request, "debt.html", debt=row, moves=moves, plates=may(session.role, Right.PLATES))


async def export(request: web.Request) -> web.Response:
    """The whole list as a table file."""
    session = await allow(request, Right.VIEW_LOTS)
    found = await read(request, arrears.every, _sought(request, session))
    t, shown = texts(request), may(session.role, Right.PLATES)
    zone = zone_of(request)
    words = ("since", "cause", "owed", "left", "state")
    columns = [t("col.plate"), t("col.lot"), *(t(f"arrears.{name}") for name in words)]
    rows = [_line(t, row, zone, shown=shown) for row in found]
    return await sheets.table_file(request.match_info["kind"], "arrears", t("nav.arrears"), columns, rows)


def _line(t: Texts, row: RowMapping, zone: ZoneInfo, *, shown: bool) -> list[str]:
    cause = f"cause.{row['cause']}"
    return [
        row["plate"] if shown else mask(row["plate"]),
        row["lot_name"],
        sheets.to_the_minute(row["recorded_ms"], zone),
        t(cause) if t.catalogue.has(cause) else row["cause"],
        yuan(row["owed_fen"]),
        yuan(row["left_fen"]),
        t(f"debt_state.{row['state']}"),
    ]


def add_routes(app: web.Application) -> None:
    """The list, its export, one debt."""
    app.router.add_get("/admin/arrears", arrears_page)
    app.router.add_get("/admin/arrears.{kind:csv|xlsx}", export)
    app.router.add_get("/admin/arrears/{debt}", debt_page)
