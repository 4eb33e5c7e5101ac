"""Holding a barrier open from the booth, and letting it go again."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.services.holding import EMERGENCIES, REASONS
from edge.services.staffing import SUPERVISOR, is_at_least
from edge.web.booth import shared
from edge.web.keys import EDGE, flash, refusal_words, see_other, text_field
from edge.web.lane_tasks import card_of
from plumbing.web import Session, render, require_session, texts


async def hold_page(request: web.Request) -> web.Response:
    """Ask why, and whether cars that leave meanwhile owe their fee."""
    return await _page(request, await require_session(request))


async def hold(request: web.Request) -> web.Response:
    """Hold the barrier open. Sent twice it is held once."""
    session, data = await require_session(request), await request.post()
    lane, reason = (await card_of(request)).lane.name, text_field(data, "reason", 40)
    result = await request.app[EDGE].hold_open(
        lane, session.name, session.role, reason, text_field(data, "other", 200), text_field(data, "owes") == "1"
    )
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await flash(request, "ok", texts(request)("done.held", lane=lane))
    return see_other("/booth")


async def release(request: web.Request) -> web.Response:
    """Let go."""
    session = await require_session(request)
    lane = (await card_of(request)).lane.name
    result = await request.app[EDGE].release_hold(lane, session.name, session.role)
    if isinstance(result, Refuse):
        await flash(request, "bad", refusal_words(request, result))
    else:
        await flash(request, "ok", texts(request)("done.released", lane=lane))
    return see_other("/booth")


async def _page(request: web.Request, session: Session, refused: Refuse | None = None) -> web.Response:
    return render(
        request, "hold.html", status=409 if refused else 200, card=await card_of(request),
        error=refusal_words(request, refused) if refused else "",
        reasons=REASONS if is_at_least(session.role, SUPERVISOR) else EMERGENCIES, **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Hold and let go."""
    app.router.add_get("/booth/lane/{lane}/hold", hold_page)
    app.router.add_post("/booth/lane/{lane}/hold", hold)
    app.router.add_post("/booth/lane/{lane}/release", release)
