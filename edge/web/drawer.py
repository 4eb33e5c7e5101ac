"""Opening the drawer although no money changes hands: for a reason, which is kept with the name."""

from __future__ import annotations

from aiohttp import web

from edge.web import workstation
from edge.web.keys import EDGE, flash, refusal_words, see_other
from edge.web.tasks import reason_of
from plumbing.web import require_session, texts

REASONS = ("change", "count", "handed")


async def open_drawer(request: web.Request) -> web.Response:
    """Keep who and why, then open it."""
    session, data = await require_session(request), await request.post()
    reason, at, edge = reason_of(request, data, "drawer_reason"), workstation.at(request), request.app[EDGE]
    if not reason or not edge.tills.has_drawer(at):
        await flash(request, "bad", refusal_words(request, "no_drawer_here" if reason else "reason_missing"))
        return see_other("/booth/shift")
    await edge.record_act(session.name, "drawer.open", at, reason)
    opened = await edge.tills.open_drawer(at)
    said = texts(request)("drawer.opened") if opened else refusal_words(request, "drawer_shut")
    await flash(request, "ok" if opened else "bad", said)
    return see_other("/booth/shift")


def add_routes(app: web.Application) -> None:
    """One act."""
    app.router.add_post("/booth/drawer", open_drawer)
