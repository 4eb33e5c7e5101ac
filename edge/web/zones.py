"""How full each zone is; a supervisor who counted the cars writes the number down."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.web.booth import shared
from edge.web.keys import EDGE, flash, refusal_words, see_other, taken_flash, text_field, whole
from edge.web.proof import authority, beside
from edge.web.tasks import reason_of
from plumbing.web import render, require_session, texts

REASONS = ("round", "missed", "towed")


async def zones_page(request: web.Request) -> web.Response:
    """Every pool of places and the last counts."""
    await require_session(request)
    return await _zones(request)


async def count(request: web.Request) -> web.Response:
    """From now on what was counted counts."""
    session, data = await require_session(request), await request.post()
    zone, _, vehicle_class = text_field(data, "pool", 120).partition("/")
    typed = text_field(data, "counted", 8)
    counted = whole(typed, -1)
    reason = reason_of(request, data, "zone_reason")
    edge = request.app[EDGE]
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _zones(request, may, typed)
    result = await edge.count_zone(zone, vehicle_class, counted, session.name, may.role, reason)
    if isinstance(result, Refuse):
        return await _zones(request, result, typed)
    await edge.approved(may.approver, session.name, "zone.count", zone)
    await flash(request, "ok", texts(request)("done.counted", zone=zone, count=counted))
    return see_other("/booth/zones")


async def _zones(request: web.Request, refused: Refuse | None = None, typed: str = "") -> web.Response:
    session, edge = await require_session(request), request.app[EDGE]
    pools, counts = await edge.zones()
    return render(
        request, "zones.html", status=409 if refused else 200, pools=pools, counts=counts, typed=typed,
        approvers=await beside(request, session), reasons=REASONS,
        error=refusal_words(request, refused) if refused else "", flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Zones and their counts."""
    app.router.add_get("/booth/zones", zones_page)
    app.router.add_post("/booth/zones", count)
