"""Who attends a lane: what the timetable says, and a supervisor's word for a while."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from domain.driver_page import lane_code, lane_url
from edge.web.booth import shared
from edge.web.keys import EDGE, flash, refusal_words, see_other, text_field
from edge.web.lane_tasks import card_of
from edge.web.proof import authority, beside
from edge.web.tasks import local_wall_ms
from plumbing.lanepage.pages import lane_qr
from plumbing.web import Session, render, require_session, texts

HOUR_MS = 3_600_000
SAYS = {"attended": True, "unattended": False}


async def attend_page(request: web.Request) -> web.Response:
    """Who is there, and until when."""
    return await _page(request, await require_session(request))


async def attend(request: web.Request) -> web.Response:
    """Say that somebody is, or nobody is, there until a time; or that the timetable holds again."""
    session, data = await require_session(request), await request.post()
    edge, lane = request.app[EDGE], (await card_of(request)).lane
    says, now_ms = text_field(data, "says", 20), edge.office.now().wall_ms
    until_ms = now_ms if says == "timetable" else local_wall_ms(request, text_field(data, "until", 16))
    if until_ms is None or (says != "timetable" and (says not in SAYS or until_ms <= now_ms)):
        return await _page(request, session, "time_past")
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _page(request, session, may)
    result = await edge.lanes.attend(lane.name, SAYS.get(says, lane.attended), until_ms, session.name, may.role)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await edge.approved(may.approver, session.name, "lane.attend", lane.name)
    await flash(request, "ok", texts(request)(f"done.{says}", lane=lane.name))
    return see_other("/booth")


async def _page(request: web.Request, session: Session, refused: Refuse | str = "") -> web.Response:
    edge = request.app[EDGE]
    lot, now_ms = edge.office.lot, edge.office.now().wall_ms
    url = lane_url(edge.settings.lanes_url, lane_code(lot.lot_id, request.match_info["lane"]))
    return render(
        request, "attend.html", status=409 if refused else 200, card=await card_of(request),
        error=refusal_words(request, refused) if refused else "", approvers=await beside(request, session),
        code=lane_qr(url), url=url,
        now=f"{lot.local(now_ms):%Y-%m-%dT%H:%M}", until=f"{lot.local(now_ms + 2 * HOUR_MS):%Y-%m-%dT%H:%M}",
        **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """One page a lane."""
    app.router.add_get("/booth/lane/{lane}/attend", attend_page)
    app.router.add_post("/booth/lane/{lane}/attend", attend)
