"""Whether somebody is who they say: a PIN typed at the pad, slower after each wrong one and then not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from domain.decision import Refuse
from edge.db.people import Attendant
from edge.services.staffing import BOOTH_ROLES, SUPERVISOR, is_at_least
from edge.web.keys import EDGE, PASSWORDS, THROTTLE, text_field
from plumbing.web import Session, client_address

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Unproven:
    """Not believed: *code* is ``pin_wrong``, ``pin_wait`` or ``pin_locked``; *wait* is seconds, or minutes locked."""

    code: str
    wait: int = 0


async def prove(request: web.Request, name: str, pin: str, may: Callable[[Attendant], bool]) -> Attendant | Unproven:
    """Who *name* is, if the PIN is right and they *may*; an unknown name takes as long as a wrong PIN."""
    edge, throttle, address = request.app[EDGE], request.app[THROTTLE], client_address(request)
    wait = throttle.wait_seconds(name, address)
    if wait:
        return Unproven("pin_wait", wait)
    person = await edge.staff.get(name)
    known = person if person is not None and may(person) else None
    left_ms = await edge.staff.locked_ms(name) if known else 0
    if left_ms:
        return Unproven("pin_locked", -(-left_ms // MINUTE_MS))
    is_right = await request.app[PASSWORDS].verify(known.pin_hash if known else None, pin)
    if known is not None:
        await edge.staff.tried(name, is_right=is_right)
    if not is_right or known is None:
        throttle.failed(name, address)
        return Unproven("pin_wrong")
    throttle.succeeded(name, address)
    return known


async def second_person(request: web.Request, name: str, pin: str, least: str) -> Attendant | Refuse:
    """Somebody of the booth beside who is signed in types a PIN here; they must go as far as *least*."""
    proved = await prove(request, name, pin, lambda one: one.role in BOOTH_ROLES and is_at_least(one.role, least))
    return Refuse(proved.code) if isinstance(proved, Unproven) else proved


async def approver(request: web.Request, data: Mapping[str, object]) -> str | Refuse:
    """Who approves what the signed-in person may not do alone; "" where nobody was named."""
    name = text_field(data, "approver", 64)
    if not name:
        return ""
    proved = await second_person(request, name, text_field(data, "approver_pin", 64), SUPERVISOR)
    return proved if isinstance(proved, Refuse) else proved.name


@dataclass(frozen=True, slots=True)
class Authority:
    """In whose *role* something is done: one's own, or that of the supervisor who typed a PIN beside."""

    role: str
    approver: str = ""


async def authority(request: web.Request, data: Mapping[str, object], session: Session) -> Authority | Refuse:
    """How far the signed-in person may go with who is named on the form. Refuses a wrong PIN."""
    name = text_field(data, "approver", 64)
    if not name:
        return Authority(session.role)
    proved = await second_person(request, name, text_field(data, "approver_pin", 64), SUPERVISOR)
    return proved if isinstance(proved, Refuse) else Authority(proved.role, proved.name)


async def beside(request: web.Request, session: Session, alone: str = SUPERVISOR) -> list[tuple[str, str]]:
    """Whom to name on a page that asks for a supervisor: nobody where who is signed in may *alone*."""
    return [] if is_at_least(session.role, alone) else await approvers(request)


async def approvers(request: web.Request) -> list[tuple[str, str]]:
    """Who could be named, for a list to choose from."""
    people = await request.app[EDGE].staff.everyone()
    return [(one.name, one.name) for one in people if is_at_least(one.role, SUPERVISOR)]
