"""Paying a car's fee by phone at the booth: the code that is shown, and a driver's own code that is scanned."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from domain.decision import Refuse
from edge.lanes.till import Charge
from edge.web.booth import shared
from edge.web.cards import StayCard
from edge.web.keys import EDGE, flash, see_other, text_field
from edge.web.tasks import back_from, card_of, task_page
from plumbing.lanepage.pages import lane_qr
from plumbing.web import render_part, require_session, texts


async def phone_page(request: web.Request) -> web.Response:
    """Show the code a phone pays by; a car that is paid for leads back to the lanes."""
    await require_session(request)
    card = await card_of(request)
    if _is_paid(card):
        return await _paid(request, card)
    shown = await _shown(request, card)
    if isinstance(shown, Refuse):
        return await task_page(request, "phone.html", card, shown, shown=None)
    return await task_page(request, "phone.html", card, **shown)


async def phone_code(request: web.Request) -> web.Response:
    """The code alone, anew every few seconds; it leads to the page once there is another thing to say."""
    await require_session(request)
    card = await card_of(request)
    shown = Refuse("nothing_due") if _is_paid(card) else await _shown(request, card)
    if isinstance(shown, Refuse):
        return see_other(f"/booth/stay/{card.stay.stay_id}/phone")
    return _part(request, "phone_code.html", **shown)


async def _shown(request: web.Request, card: StayCard) -> dict[str, Any] | Refuse:
    edge = request.app[EDGE]
    shown = await edge.phone.quote(card.stay.stay_id)
    if isinstance(shown, Refuse):
        return shown
    until = edge.office.lot.local(shown.quote.until_s * 1000)
    code = lane_qr(edge.phone.link_of(shown))
    return {"shown": shown, "code": code, "link_state": edge.link_state(), "until": f"{until:%H:%M}"}


async def code_page(request: web.Request) -> web.Response:
    """Scan a driver's payment code."""
    await require_session(request)
    card = await card_of(request)
    return await _paid(request, card) if _is_paid(card) else await _code(request, card)


async def take_code(request: web.Request) -> web.Response:
    """Have the cloud take it. The code itself is written nowhere."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    edge = request.app[EDGE]
    charged = await edge.till.charge(card.stay.stay_id, text_field(data, "code", 64))
    if isinstance(charged, Refuse):
        return await _code(request, card, charged)
    await edge.record_act(session.name, "code.charge", card.stay.stay_id)
    return see_other(f"/booth/stay/{card.stay.stay_id}/code")


async def code_state(request: web.Request) -> web.Response:
    """What has become of the last code, anew every few seconds while it is not over."""
    await require_session(request)
    card = await card_of(request)
    charge = await request.app[EDGE].till.look(card.stay.stay_id)
    if _is_paid(card) or charge is None or not charge.waits:
        return see_other(f"/booth/stay/{card.stay.stay_id}/code")
    return _part(request, "code_state.html", charge=charge)


async def _code(request: web.Request, card: StayCard, refused: Refuse | str = "") -> web.Response:
    till = request.app[EDGE].till
    charge: Charge | None = await till.look(card.stay.stay_id)
    return await task_page(request, "code.html", card, refused, charge=charge, is_open=till.is_open)


def _is_paid(card: StayCard) -> bool:
    return card.stay.is_open and not card.due_fen


async def _paid(request: web.Request, card: StayCard) -> web.Response:
    await flash(request, "ok", texts(request)("phone.paid", plate=card.stay.plate))
    return back_from(card)


def _part(request: web.Request, template: str, **values: object) -> web.Response:
    html = render_part(request, template, **values, **shared(request))
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def add_routes(app: web.Application) -> None:
    """Both ways."""
    at = "/booth/stay/{stay}"
    app.router.add_get(f"{at}/phone", phone_page)
    app.router.add_get(f"{at}/phone/code", phone_code)
    app.router.add_get(f"{at}/code", code_page)
    app.router.add_post(f"{at}/code", take_code)
    app.router.add_get(f"{at}/code/state", code_state)
