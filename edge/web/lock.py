"""Locking a car in at the booth, and letting it go again."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.web.cards import StayCard
from edge.web.keys import EDGE, flash
from edge.web.proof import approver, beside
from edge.web.tasks import back_from, card_of, reason_of, task_page
from plumbing.web import require_session, texts

REASONS = ("owner", "accident", "police", "management")


async def lock_page(request: web.Request) -> web.Response:
    """Ask why, or show why it is locked."""
    return await _page(request, await card_of(request))


async def lock(request: web.Request) -> web.Response:
    """Keep the car in."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    reason = reason_of(request, data, "lock_reason")
    result = await request.app[EDGE].lock_plate(card.stay.stay_id, session.name, reason)
    if isinstance(result, Refuse):
        return await _page(request, card, result)
    await flash(request, "ok", texts(request)("done.locked", plate=card.stay.plate))
    return back_from(card)


async def unlock(request: web.Request) -> web.Response:
    """Let it go again."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await _page(request, card, approved)
    result = await request.app[EDGE].unlock_plate(card.stay.stay_id, session.name, approved_by=approved)
    if isinstance(result, Refuse):
        return await _page(request, card, result)
    await flash(request, "ok", texts(request)("done.unlocked", plate=card.stay.plate))
    return back_from(card)


async def _page(request: web.Request, card: StayCard, refused: Refuse | str = "") -> web.Response:
    session = await require_session(request)
    own = card.lock is not None and card.lock.by == session.name
    return await task_page(
        request, "lock.html", card, refused, reasons=REASONS, approvers=[] if own else await beside(request, session)
    )


def add_routes(app: web.Application) -> None:
    """One page, two acts."""
    at = "/booth/stay/{stay}/lock"
    app.router.add_get(at, lock_page)
    app.router.add_post(at, lock)
    app.router.add_post("/booth/stay/{stay}/unlock", unlock)
