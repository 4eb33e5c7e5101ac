"""How old every list of the cloud's is here, behind the word "Rules" in the line of states."""

from __future__ import annotations

from aiohttp import web

from edge.services import list_ages
from edge.web.booth import shared
from edge.web.keys import EDGE
from plumbing.web import render, require_session


async def rules_page(request: web.Request) -> web.Response:
    """Every list with its age, those first by which exits and counters decide."""
    await require_session(request)
    edge = request.app[EDGE]
    lists = await edge.read(list_ages.of_all, edge.office.now())
    return render(request, "rules.html", lists=lists, flash=None, **shared(request))


def add_routes(app: web.Application) -> None:
    """Look."""
    app.router.add_get("/booth/rules", rules_page)
