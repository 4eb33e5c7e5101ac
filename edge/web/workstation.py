"""Which workstation a booth's screen stands at: the only one, or the one somebody chose in this browser."""

from __future__ import annotations

from urllib.parse import quote, unquote

from aiohttp import web

from edge.web.keys import EDGE, see_other, text_field
from edge.workstations import Workstation
from plumbing.web import require_session
from plumbing.web.request import visit
from plumbing.web.sessions import cookie_name

A_YEAR_S = 366 * 86_400


def workstation_of(request: web.Request) -> Workstation | None:
    """This screen's workstation; None where the lot has none, or several and nobody has chosen yet."""
    places = request.app[EDGE].office.lot.workstations
    if len(places) == 1:
        return next(iter(places.values()))
    return places.get(unquote(request.cookies.get(cookie_name(visit(request), "workstation"), "")))


def at(request: web.Request) -> str:
    """Its name, "" where there is none."""
    place = workstation_of(request)
    return place.name if place else ""


def is_kiosk(request: web.Request) -> bool:
    """Is this a screen that shows nothing else?"""
    return bool(request.cookies.get(cookie_name(visit(request), "kiosk")))


async def kiosk(request: web.Request) -> web.Response:
    """Where the booth's own screen begins: its browser makes noise unasked, so sound is on until it is turned off."""
    notes, response = visit(request), see_other("/booth")
    response.set_cookie(
        cookie_name(notes, "kiosk"), "1", max_age=A_YEAR_S, path="/", httponly=True, samesite="Lax",
        secure=notes.shell.https,
    )  # fmt: skip
    return response


async def choose(request: web.Request) -> web.Response:
    """Remember the workstation in this browser."""
    await require_session(request)
    name, notes = text_field(await request.post(), "workstation", 64), visit(request)
    response = see_other("/booth/shift")
    if name in request.app[EDGE].office.lot.workstations:
        response.set_cookie(
            cookie_name(notes, "workstation"), quote(name), max_age=A_YEAR_S, path="/", httponly=True, samesite="Lax",
            secure=notes.shell.https,
        )  # fmt: skip
    return response
