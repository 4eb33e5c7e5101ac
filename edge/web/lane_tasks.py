"""What an attendant does at a lane: say which plate a car has, open by hand, see to a stuck barrier."""

from __future__ import annotations

import sqlite3

from aiohttp import web

from domain.decision import Refuse
from edge.web.booth import lane_cards, shared
from edge.web.cards import CandidateCard, LaneCard, candidate_cards
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, text_field
from edge.web.tasks import new_mark, reason_of
from plumbing.web import render, require_session, texts

OPEN_REASONS = ("device", "emergency", "official", "unpaid", "test")


async def card_of(request: web.Request) -> LaneCard:
    """The lane the address names. Raises HTTPNotFound."""
    found = await lane_cards(request, [request.match_info["lane"]])
    if not found:
        raise web.HTTPNotFound
    return found[0]


async def plate_page(request: web.Request) -> web.Response:
    """Type the plate, or pick it from the cars inside that look like it; `?typed=` looks for another text."""
    await require_session(request)
    return await _plate(request, await card_of(request), request.query.get("typed", "")[:20])


async def choose_plate(request: web.Request) -> web.Response:
    """Tell the lane; it decides again."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = text_field(data, "plate", 20)
    if "find" in data:
        return await _plate(request, card, typed)
    result = await request.app[EDGE].lanes.choose_plate(card.lane.name, typed, session.name)
    if isinstance(result, Refuse):
        return await _plate(request, card, typed, result)
    await flash(request, "ok", texts(request)("done.plate", plate=typed, lane=card.lane.name))
    return see_other("/booth")


async def agree(request: web.Request) -> web.Response:
    """Let the car in although all places of its entitlement are taken, or although it owes."""
    session, card = await require_session(request), await card_of(request)
    if card.view.code in ("places_taken", "debt_unpaid"):
        await request.app[EDGE].lanes.choose_plate(card.lane.name, card.view.plate, session.name, agreed=True)
        await flash(
            request,
            "ok",
            texts(request)(
                "done.agreed" if card.view.code == "places_taken" else "arrears.agreed",
                plate=card.view.plate,
                lane=card.lane.name,
            ),
        )
    return see_other("/booth")


async def _plate(request: web.Request, card: LaneCard, typed: str, refused: Refuse | None = None) -> web.Response:
    edge, view, text = request.app[EDGE], card.view, typed or card.view.plate
    texts = [typed] if typed else [text, *(reading for reading, _ in view.readings if reading != text)]

    def look(conn: sqlite3.Connection) -> list[CandidateCard]:
        return candidate_cards(conn, texts, view.camera, edge.office.now()) if text else []

    leads_out = card.lane.source != "outside"  # the car is one of those inside
    return render(
        request, "plate.html", status=409 if refused else 200, card=card, typed=text,
        scan_lane=card.lane.name,
        candidates=await edge.read(look) if leads_out else [], leads_out=leads_out,
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def give_ticket(request: web.Request) -> web.Response:
    """Let a car without a plate in with a ticket."""
    session, card = await require_session(request), await card_of(request)
    result = await request.app[EDGE].tickets.give(card.lane.name, session.name)
    if isinstance(result, Refuse):
        return await _plate(request, card, "", result)
    await flash(request, "ok", texts(request)("done.ticket", number=result.subject))
    return see_other("/booth")


async def open_page(request: web.Request) -> web.Response:
    """Ask why."""
    await require_session(request)
    return _open(request, await card_of(request))


async def open_by_hand(request: web.Request) -> web.Response:
    """One pulse, with a name and a reason; a car that owes leaves with a debt."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    reason = reason_of(request, data, "open_reason")
    if not reason:
        return _open(request, card, "reason_missing")
    if first_time(request, data):
        result = await request.app[EDGE].lanes.open_by_hand(card.lane.name, session.name, reason)
        if isinstance(result, Refuse):
            return _open(request, card, result)
        await flash(request, "ok", texts(request)("done.opened", lane=card.lane.name))
    return see_other("/booth")


def _open(request: web.Request, card: LaneCard, refused: Refuse | str = "") -> web.Response:
    error = refusal_words(request, refused) if refused else ""
    return render(
        request, "open.html", status=409 if refused else 200, card=card, error=error, mark=new_mark(),
        scan_lane=card.lane.name, reasons=OPEN_REASONS, **shared(request),
    )  # fmt: skip


async def clear_fault(request: web.Request) -> web.Response:
    """The barrier was looked at; the lane may go on."""
    session, card = await require_session(request), await card_of(request)
    await request.app[EDGE].lanes.clear_fault(card.lane.name, session.name)
    await flash(request, "ok", texts(request)("done.cleared", lane=card.lane.name))
    return see_other("/booth")


def add_routes(app: web.Application) -> None:
    """Everything about one lane."""
    at = "/booth/lane/{lane}"
    app.router.add_get(f"{at}/plate", plate_page)
    app.router.add_post(f"{at}/plate", choose_plate)
    app.router.add_post(f"{at}/agree", agree)
    app.router.add_post(f"{at}/ticket", give_ticket)
    app.router.add_get(f"{at}/open", open_page)
    app.router.add_post(f"{at}/open", open_by_hand)
    app.router.add_post(f"{at}/clear", clear_fault)
