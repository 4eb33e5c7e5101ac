"""Holding a barrier open from the booth, and letting it go again."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.services.holding import REASONS
from edge.web.booth import shared
from edge.web.keys import EDGE, flash, refusal_words, see_other, text_field
from edge.web.lane_tasks import card_of
from edge.web.proof import authority, beside
from plumbing.web import Session, render, require_session, texts


async def hold_page(request: web.Request) -> web.Response:
    """Ask why, and whether cars that leave meanwhile owe their fee."""
    return await _page(request, await require_session(request))


async def hold(request: web.Request) -> web.Response:
    """Hold the barrier open. Sent twice it is held once."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    lane, reason = (await card_of(request)).lane.name, text_field(data, "reason", 40)
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _page(request, session, may)
    note, owes = text_field(data, "other", 200), text_field(data, "owes") == "1"
    result = await edge.lanes.hold_open(lane, session.name, may.role, reason, note, owes)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await edge.approved(may.approver, session.name, "barrier.hold", lane)
    await flash(request, "ok", texts(request)("done.held", lane=lane))
    return see_other("/booth")


async def release(request: web.Request) -> web.Response:
    """Let go; who may not alone is asked for a supervisor on the page of the hold."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    lane = (await card_of(request)).lane.name
    may = await authority(request, data, session)
    result = may if isinstance(may, Refuse) else await edge.lanes.release_hold(lane, session.name, may.role)
    if isinstance(may, Refuse) or isinstance(result, Refuse):
        return await _page(request, session, result)
    await edge.approved(may.approver, session.name, "barrier.release", lane)
    await flash(request, "ok", texts(request)("done.released", lane=lane))
    return see_other("/booth")


async def _page(request: web.Request, session: Session, refused: object = None) -> web.Response:
    return render(
        request, "hold.html", status=409 if isinstance(refused, Refuse) else 200, card=await card_of(request),
        error=refusal_words(request, refused) if isinstance(refused, Refuse) else "", reasons=REASONS,
        approvers=await beside(request, session), **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Hold and let go."""
    app.router.add_get("/booth/lane/{lane}/hold", hold_page)
    app.router.add_post("/booth/lane/{lane}/hold", hold)
    app.router.add_post("/booth/lane/{lane}/release", release)
