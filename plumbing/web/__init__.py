"""The web shell every page of both daemons stands in. aiohttp handlers stay aiohttp handlers; this is composition.

    shell = Shell(
        name="booth",                                   # cookie names and sessions are the listener's own
        catalogue=load_catalogue(SHELL_LOCALE, HERE / "locale"),
        templates=(HERE / "templates",),
        sessions=Sessions(MemorySessionStore(), audience="booth"),
        navigation=booth_navigation,                    # request -> (NavItem("/booth", "booth.lanes"), …)
    )
    app = create_app(shell)                             # a web.Application with everything below in place
    app.router.add_get("/booth", lanes_page)

What a page author does:

- A page: ``return render(request, "lanes.html", lanes=lanes)``; the template begins
  ``{% extends "layout.html" %}{% import "components.html" as ui with context %}`` and fills ``title`` and ``main``.
- Words: ``{{ t("booth.inside", count=3) }}``; in Python ``texts(request)("booth.inside", count=3)``.
- A form: ``<form method="post">{{ csrf_field() }}…``; scripts send the header ``X-CSRF-Token``. Every POST, PUT, PATCH
  and DELETE is checked unless its handler is marked ``@csrf_exempt`` (devices and signed callers only).
- Who is asking: ``session = await require_session(request)`` (else the login page, or 401 on /api), ``current_session``
  when nobody need be; ``shell.sessions.sign_in(request, response, …)`` after the password was right.
- Refusals are shown, not raised: render the page again with the words for the code, status 409 or 422. Raise
  ``web.HTTPNotFound()`` and friends for the rest; the shell answers with a page, or problem JSON under /api.
- Live parts: ``<section data-live="/booth/live">`` with children ``data-part="lane-1"``. The daemon calls
  ``hub.publish(fact)``; the handler returns ``await stream(request, hub, show)`` where ``show(fact)`` gives
  ``[Event("lane-1", render_part(request, "lane.html", lane=fact))]`` in the language of that page.
- Money and destructive actions: ``data-confirm`` on the form (see ``ui.confirm_button``). Every form is sent once.
- No inline script, style or on… attribute works: the Content-Security-Policy forbids them.

`walk(app)` lists every route, so that a test can hold each listener to its own.
"""

from plumbing.web.csrf import csrf_exempt, csrf_token
from plumbing.web.errors import problem
from plumbing.web.live import Event, Hub, stream
from plumbing.web.paging import Page, page_number
from plumbing.web.rendering import render, render_part
from plumbing.web.request import client_address, current_session, request_id, require_session, safe_next, texts
from plumbing.web.sessions import MemorySessionStore, Session, Sessions, SessionStore
from plumbing.web.shell import NavItem, Shell, create_app, walk
from plumbing.web.throttle import LoginThrottle

__all__ = [
    "Event",
    "Hub",
    "LoginThrottle",
    "MemorySessionStore",
    "NavItem",
    "Page",
    "Session",
    "SessionStore",
    "Sessions",
    "Shell",
    "client_address",
    "create_app",
    "csrf_exempt",
    "csrf_token",
    "current_session",
    "page_number",
    "problem",
    "render",
    "render_part",
    "request_id",
    "require_session",
    "safe_next",
    "stream",
    "texts",
    "walk",
]
