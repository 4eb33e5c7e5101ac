"""The events edges reported, as they came, and those set aside."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping, select

from cloud.access.roles import Right, may
from cloud.db import paged
from cloud.sync.tables import inbox
from cloud.web.state import allow, read
from domain.plate import mask
from plumbing.web import Page, page_number, render

_PLATES = ("plate", "plate_raw", "old_plate")


def listed(
    conn: Connection, operator_id: int, search: str = "", *, parked: bool = False, page: int = 1
) -> Page[RowMapping]:
    """Raw events, latest first by the edges' own clocks."""
    query = select(inbox).where(inbox.c.operator_id == operator_id)
    if parked:
        query = query.where(inbox.c.parked_why.is_not(None))
    if search:
        query = query.where(inbox.c.type.like(f"%{search}%") | (inbox.c.edge_id == search))
    return paged(conn, query.order_by(inbox.c.wall_ms.desc(), inbox.c.seq.desc()), page)


def _payload(body: bytes, *, plates: bool) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(body)["d"]
    except (ValueError, KeyError, TypeError):
        return {}
    if not plates:
        values |= {name: mask(str(values[name])) for name in _PLATES if name in values}
    return values


async def events_page(request: web.Request) -> web.Response:
    """Search by type or edge; parked events by themselves."""
    session = await allow(request, Right.VIEW)
    parked = request.query.get("parked") == "1"
    found = await read(request, listed, request.query.get("q", ""), parked=parked, page=page_number(request.query))
    plates = may(session.role, Right.PLATES)
    rows = [dict(row) | {"payload": _payload(bytes(row["body"]), plates=plates)} for row in found.items]
    return render(request, "events.html", page=found, rows=rows, parked=parked)


def add_routes(app: web.Application) -> None:
    """The event list."""
    app.router.add_get("/admin/events", events_page)
