"""The events edges reported, as they came, and those set aside."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.sync import events
from cloud.web.state import allow, change, done, login_of, read, search_of, zone_of
from domain.plate import mask
from plumbing.web import page_number, render, texts

_PLATES = ("plate", "plate_raw", "old_plate")


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
    search, number = search_of(request), page_number(request.query)
    found = await read(request, events.listed, search, parked=parked, page=number)
    plates = may(session.role, Right.PLATES)
    rows = [dict(row) | {"payload": _payload(bytes(row["body"]), plates=plates)} for row in found.items]
    manage = may(session.role, Right.MANAGE)
    return render(request, "events.html", page=found, rows=rows, parked=parked, manage=manage)


async def events_file(request: web.Request) -> web.Response:
    """The same as a file: each with its fields as they came."""
    session, t, zone = await allow(request, Right.VIEW), texts(request), zone_of(request)
    parked, plates = request.query.get("parked") == "1", may(session.role, Right.PLATES)
    rows: list[list[sheets.Cell]] = []
    for row in await read(request, events.every, search_of(request), sheets.MOST_ROWS, parked=parked):
        payload = json.dumps(_payload(bytes(row["body"]), plates=plates), ensure_ascii=False)
        number, when = f"{row['epoch']}.{row['seq']}", sheets.written(row["wall_ms"], zone)
        state = row["parked_why"] or t("events.applied")
        rows.append([row["edge_id"], number, when, row["type"], payload, state])
    heads = [t(f"col.{name}") for name in ("edge", "number", "when", "type", "content", "state")]
    return await sheets.table_file(request.match_info["kind"], "events", t("nav.events"), heads, rows)


async def rerun(request: web.Request) -> web.Response:
    """Try parked events again."""
    session = await allow(request, Right.MANAGE)
    await change(request, login_of(session), events.rerun)
    raise done("/admin/events?parked=1", "rerun")


def add_routes(app: web.Application) -> None:
    """The event list."""
    app.router.add_get("/admin/events", events_page)
    app.router.add_get("/admin/events.{kind:csv|xlsx}", events_file)
    app.router.add_post("/admin/events/rerun", rerun)
