"""More time to leave for everybody who has paid, while the exit is jammed."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.web.booth import shared
from edge.web.keys import EDGE, WATCH, flash, refusal_words, see_other, text_field, whole
from edge.web.proof import authority, beside
from edge.web.tasks import reason_of
from plumbing.web import Session, render, require_session, texts

REASONS = ("jam", "accident", "barrier")
MINUTES = (15, 30, 60, 120)


async def extend_page(request: web.Request) -> web.Response:
    """For how long, and why."""
    return await _page(request, await require_session(request))


async def extend(request: web.Request) -> web.Response:
    """Nobody's time runs out for so many minutes."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    minutes = whole(text_field(data, "minutes", 4), 0)
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _page(request, session, may)
    reason = reason_of(request, data, "extend_reason")
    result = await edge.extend_leaving(minutes, session.name, may.role, reason)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await edge.approved(may.approver, session.name, "leave.extend", result.subject)
    await flash(request, "ok", texts(request)("extend.done", until=result.subject[11:]))
    await request.app[WATCH].look_now()
    return see_other("/booth")


async def end(request: web.Request) -> web.Response:
    """Times run out again."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _page(request, session, may)
    result = await edge.end_extension(session.name, may.role)
    if isinstance(result, Refuse):
        return await _page(request, session, result)
    await edge.approved(may.approver, session.name, "leave.extend_end", "")
    await flash(request, "ok", texts(request)("extend.ended"))
    await request.app[WATCH].look_now()
    return see_other("/booth")


async def _page(request: web.Request, session: Session, refused: Refuse | None = None) -> web.Response:
    return render(
        request, "extend.html", status=409 if refused else 200, minutes=MINUTES, reasons=REASONS,
        approvers=await beside(request, session), error=refusal_words(request, refused) if refused else "",
        **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Ask, do and end."""
    app.router.add_get("/booth/extend", extend_page)
    app.router.add_post("/booth/extend", extend)
    app.router.add_post("/booth/extend/end", end)
