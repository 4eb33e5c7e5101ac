"""A page with every component, and a login: what the shell's tests walk through and what its pictures show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.web import (
    Event,
    Hub,
    MemorySessionStore,
    NavItem,
    Page,
    Sessions,
    Shell,
    create_app,
    csrf_exempt,
    current_session,
    page_number,
    render,
    render_part,
    require_session,
    safe_next,
    stream,
)

HERE = Path(__file__).parent
HUB = web.AppKey("hub", Hub)
DONE: web.AppKey[list[str]] = web.AppKey("done", list)


def navigation(request: web.Request) -> tuple[NavItem, ...]:
    """Nothing to choose from before signing in."""
    if current_session(request) is None:
        return ()
    return NavItem("/", "gallery.lanes"), NavItem("/cars", "gallery.cars"), NavItem("/money", "gallery.money")


async def cars(request: web.Request) -> web.Response:
    """Every component on one page."""
    await require_session(request)
    rows = [
        {"plate": plate, "colour": colour, "entered_ms": 1795132800000 + n * 777_000, "minutes": minutes,
         "fee_fen": fee, "paid": fee == 0}
        for n, (plate, colour, minutes, fee) in enumerate(
            [("京A12345", "blue", 145, 1250), ("粤BD12345", "green", 35, 0), ("沪C88888", "yellow", 1505, 4500),
             ("京A0006警", "white", 12, 0), ("粤Z9065澳", "black", 61, 500)]
        )
    ]  # fmt: skip
    page: Page[Any] = Page(rows, page_number(request.query), 112)
    return render(request, "gallery.html", cars=page.items, page=page, inside=188)


async def live(request: web.Request) -> web.StreamResponse:
    """How many cars are inside, as it changes."""

    async def show(inside: int) -> list[Event]:
        return [Event("stats", render_part(request, "stats.html", inside=inside))]

    return await stream(request, request.app[HUB], show, heartbeat_seconds=0.2)


async def login(request: web.Request) -> web.Response:
    """Anybody with the password "right"."""
    pin = "pin" in request.query
    if request.method == "GET":
        return render(request, "login.html", pin=pin)
    form = await request.post()
    if form["password"] != "right":
        return render(request, "login.html", status=422, error="不对", account=form["account"])
    response = web.Response(status=303, headers={"Location": safe_next(request, "/cars")})
    sessions = request.app[SESSIONS]
    await sessions.sign_in(request, response, user_id=str(form["account"]), name="王芳", role="attendant")
    return response


async def logout(request: web.Request) -> web.Response:
    """Back to the login page."""
    response = web.Response(status=303, headers={"Location": "/login"})
    await request.app[SESSIONS].sign_out(request, response)
    return response


async def act(request: web.Request) -> web.Response:
    """Something that must happen once, by somebody signed in."""
    session = await require_session(request)
    request.app[DONE].append(f"{session.user_id} {request.path}")
    return web.Response(status=303, headers={"Location": "/cars"})


@csrf_exempt
async def push(request: web.Request) -> web.Response:
    """A device that proves itself otherwise."""
    return web.json_response({"bytes": len(await request.read())})


async def broken(request: web.Request) -> web.Response:
    """A bug."""
    raise RuntimeError("no stay for 京A12345")


SESSIONS = web.AppKey("sessions", Sessions)


def gallery(**changes: Any) -> web.Application:
    """The gallery's application; *changes* go to the shell."""
    sessions = Sessions(MemorySessionStore(), "gallery")
    options: dict[str, Any] = {
        "name": "gallery",
        "catalogue": load_catalogue(SHELL_LOCALE, HERE / "locale"),
        "templates": (HERE / "templates",),
        "sessions": sessions,
        "navigation": navigation,
        "title_key": "gallery.brand",
        "home": "/cars",
        **changes,
    }
    app = create_app(Shell(**options))
    app[HUB], app[DONE], app[SESSIONS] = Hub(), [], options["sessions"]
    app.router.add_get("/cars", cars)
    app.router.add_get("/live", live)
    app.router.add_get("/login", login)
    app.router.add_post("/login", login)
    app.router.add_post("/logout", logout)
    for path in ("/open", "/take", "/api/v1/open"):
        app.router.add_post(path, act)
    app.router.add_post("/push", push)
    app.router.add_get("/broken", broken)
    app.router.add_get("/api/v1/broken", broken)
    return app
