"""Who may sign in: managers add people and give new PINs; everybody changes their own."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from edge.services.staffing import BOOTH_ROLES, MANAGER, MERCHANT, SUPERVISOR, is_at_least
from edge.web.booth import shared
from edge.web.keys import EDGE, PASSWORDS, SIGNED_IN, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.proof import Unproven, prove
from plumbing.passwords import random_pin, weak_pin
from plumbing.web import Session, render, require_session, texts

SHORTEST_PIN, LONGEST_PIN = 6, 12


async def manager(request: web.Request) -> Session:
    """Who is signed in, if that is a manager. Raises HTTPForbidden."""
    session = await require_session(request)
    if session.role != MANAGER:
        raise web.HTTPForbidden
    return session


async def supervisor(request: web.Request) -> Session:
    """Who is signed in, if that is a supervisor or a manager. Raises HTTPForbidden."""
    session = await require_session(request)
    if not is_at_least(session.role, SUPERVISOR):
        raise web.HTTPForbidden
    return session


async def people_page(request: web.Request) -> web.Response:
    """Everybody, and for a manager a form for one more."""
    await supervisor(request)
    return await _people(request)


async def add(request: web.Request) -> web.Response:
    """Add somebody under a random PIN, shown once."""
    session, data = await manager(request), await request.post()
    name, role = text_field(data, "name", 64), text_field(data, "role", 40)
    pin = random_pin()
    result = await request.app[EDGE].staff.employ(name, role, await request.app[PASSWORDS].hash(pin), session.name)
    return await _people(request, result) if isinstance(result, Refuse) else await _people(request, pin=(name, pin))


async def new_pin(request: web.Request) -> web.Response:
    """Give somebody a new random PIN, shown once; their sessions end."""
    session, data = await manager(request), await request.post()
    name, pin = text_field(data, "name", 64), random_pin()
    result = await request.app[EDGE].staff.set_pin(name, await request.app[PASSWORDS].hash(pin), session.name)
    if isinstance(result, Refuse):
        return await _people(request, result)
    if name != session.name:
        await _end_sessions(request, name)
    return await _people(request, pin=(name, pin))


async def unlock(request: web.Request) -> web.Response:
    """Let somebody try again who typed too many wrong PINs."""
    session, data = await supervisor(request), await request.post()
    name = text_field(data, "name", 64)
    result = await request.app[EDGE].staff.unlock(name, session.name)
    if isinstance(result, Refuse):
        return await _people(request, result)
    await flash(request, "ok", texts(request)("lock.unlocked", name=name))
    return see_other("/booth/people")


async def dismiss(request: web.Request) -> web.Response:
    """Let somebody sign in no more."""
    session, data = await manager(request), await request.post()
    name = text_field(data, "name", 64)
    result = await request.app[EDGE].staff.dismiss(name, session.name)
    if isinstance(result, Refuse):
        return await _people(request, result)
    await _end_sessions(request, name)
    await flash(request, "ok", texts(request)("done.dismissed", name=name))
    return see_other("/booth/people" if name != session.name else "/login")


async def _people(
    request: web.Request, refused: Refuse | None = None, pin: tuple[str, str] | None = None
) -> web.Response:
    edge, t, session = request.app[EDGE], texts(request), await require_session(request)
    shops = {f"{MERCHANT}{row['merchant_id']}": str(row.get("name", "")) for row in await edge.counter.merchants()}
    roles = {role: t(f"people.{role}") for role in BOOTH_ROLES}
    roles |= {role: t("people.merchant", name=name) for role, name in shops.items()}
    return render(
        request, "people.html", status=409 if refused else 200, roles=roles, pin=pin, manages=session.role == MANAGER,
        people=await edge.staff.everyone(), locked=await edge.staff.locked(),
        error=refusal_words(request, refused) if refused else "", flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


async def pin_page(request: web.Request) -> web.Response:
    """Change one's own PIN."""
    await require_session(request)
    return render(request, "pin.html", error="", **shared(request))


async def change_pin(request: web.Request) -> web.Response:
    """The old one is asked for, so that an open screen gives nobody a way in."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    old, new = text_field(data, "old", 64), text_field(data, "new", 64)
    passwords = request.app[PASSWORDS]
    if weak_pin(new) or not SHORTEST_PIN <= len(new) <= LONGEST_PIN or new == old:
        code = "weak_pin"
    elif new != text_field(data, "again", 64):
        code = "pins_differ"
    elif isinstance(proved := await prove(request, session.name, old, lambda _one: True), Unproven):
        code = "wrong_pin" if proved.code == "pin_wrong" else proved.code
    elif isinstance(changed := await edge.staff.set_pin(session.name, await passwords.hash(new), session.name), Refuse):
        code = changed.code
    else:
        await flash(request, "ok", texts(request)("done.pin"))
        return see_other("/booth")
    return render(request, "pin.html", status=409, error=refusal_words(request, code), **shared(request))


async def _end_sessions(request: web.Request, name: str) -> None:
    for sessions in request.app[SIGNED_IN]:
        await sessions.store.drop_user(name)


def add_routes(app: web.Application) -> None:
    """People and PINs."""
    app.router.add_get("/booth/people", people_page)
    app.router.add_post("/booth/people", add)
    app.router.add_post("/booth/people/pin", new_pin)
    app.router.add_post("/booth/people/dismiss", dismiss)
    app.router.add_post("/booth/people/unlock", unlock)
    app.router.add_get("/booth/pin", pin_page)
    app.router.add_post("/booth/pin", change_pin)
