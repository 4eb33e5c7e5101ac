"""Lists of the lots as files: cars inside, cars that left, incidents (E67)."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.lots import incidents, service, stays
from cloud.web.state import CLOUD, allow, lots_of, read, search_of, zone_of
from domain.fen import yuan
from domain.plate import mask
from plumbing.i18n import Texts
from plumbing.web import texts

INSIDE = ("plate", "lot", "lane", "zone", "entered", "class")
LEFT = ("plate", "lot", "lane", "entered", "exit_lane", "left", "outcome", "fee", "discount", "paid", "owed")
INCIDENTS = ("when", "code", "lot", "lane", "detail", "edge", "closed_at", "by")


async def cars(request: web.Request) -> web.Response:
    """Cars inside, or those that left, as the page is asked."""
    session = await allow(request, Right.VIEW_LOTS)
    zone, plates = zone_of(request), may(session.role, Right.PLATES)
    sought = stays.sought(request.query, zone, request.config_dict[CLOUD].now_ms())
    t, columns = texts(request), LEFT if sought.gone else INSIDE
    found = await read(request, stays.every, sought, sheets.MOST_ROWS, lots_of(session))
    rows = [_car(t, row, zone, columns, plates=plates) for row in found]
    heads = [t(f"cars.{name}") for name in columns]
    return await sheets.table_file(request.match_info["kind"], "cars", t("nav.cars"), heads, rows)


def _car(t: Texts, row: RowMapping, zone: ZoneInfo, columns: Sequence[str], *, plates: bool) -> list[sheets.Cell]:
    kind, outcome = f"class.{row['vehicle_class']}", f"outcome.{row['outcome']}"
    cells: dict[str, sheets.Cell] = {
        "plate": row["plate"] if plates else mask(row["plate"]),
        "lot": row["lot_name"],
        "lane": row["entry_lane"],
        "zone": row["zone_now"] or row["zone"],
        "entered": sheets.written(row["entered_ms"], zone),
        "class": t(kind) if t.catalogue.has(kind) else row["vehicle_class"],
        "exit_lane": row["exit_lane"],
        "left": sheets.written(row["left_ms"], zone),
        "outcome": t(outcome) if t.catalogue.has(outcome) else row["outcome"],
        **{name: yuan(row[f"{name}_fen"]) for name in ("fee", "discount", "paid", "owed")},
    }
    return [cells[name] for name in columns]


async def incident_list(request: web.Request) -> web.Response:
    """Incidents as the page is asked."""
    session = await allow(request, Right.VIEW_LOTS)
    t, zone, search = texts(request), zone_of(request), search_of(request)
    only_open, within = request.query.get("all") != "1", lots_of(session)

    def found(conn: Connection, operator_id: int) -> list[list[sheets.Cell]]:
        names = service.names(conn, operator_id, within)
        rows = incidents.every(conn, operator_id, search, sheets.MOST_ROWS, within, only_open=only_open)
        return [_incident(t, row, zone, names) for row in rows]

    heads = [t(f"col.{name}") for name in INCIDENTS]
    rows = await read(request, found)
    return await sheets.table_file(request.match_info["kind"], "incidents", t("nav.incidents"), heads, rows)


def _incident(t: Texts, row: RowMapping, zone: ZoneInfo, names: dict[int, str]) -> list[sheets.Cell]:
    code = f"incident.{row['code']}"
    return [
        sheets.written(row["raised_ms"], zone),
        t(code) if t.catalogue.has(code) else row["code"],
        names.get(row["lot_id"], ""),
        row["lane"],
        row["detail"],
        row["edge_id"],
        sheets.written(row["closed_ms"], zone),
        row["closed_by"],
    ]


def add_routes(app: web.Application) -> None:
    """The files."""
    app.router.add_get("/admin/cars.{kind:csv|xlsx}", cars)
    app.router.add_get("/admin/incidents.{kind:csv|xlsx}", incident_list)
