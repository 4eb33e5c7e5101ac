"""The events edges reported, as they came, and those set aside."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.sync import events
from cloud.web.state import allow, change, done, login_of, read
from domain.plate import mask
from plumbing.web import page_number, render

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
    search, number = request.query.get("q", ""), page_number(request.query)
    found = await read(request, events.listed, search, parked=parked, page=number)
    plates = may(session.role, Right.PLATES)
    rows = [dict(row) | {"payload": _payload(bytes(row["body"]), plates=plates)} for row in found.items]
    manage = may(session.role, Right.MANAGE)
    return render(request, "events.html", page=found, rows=rows, parked=parked, manage=manage)


async def rerun(request: web.Request) -> web.Response:
    """Try parked events again."""
    session = await allow(request, Right.MANAGE)
    await change(request, login_of(session), events.rerun)
    raise done("/admin/events?parked=1", "rerun")


def add_routes(app: web.Application) -> None:
    """The event list."""
    app.router.add_get("/admin/events", events_page)
    app.router.add_post("/admin/events/rerun", rerun)
