"""Taking the end of a stay back at the booth, and the second entry that was a misread."""

from __future__ import annotations

import sqlite3

from aiohttp import web

from domain.decision import Refuse
from edge.db import decisions
from edge.db.stays import StayRow
from edge.services import reopening
from edge.web.booth import shared
from edge.web.cards import StayCard
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, text_field
from edge.web.proof import approver, approvers, authority, beside
from edge.web.tasks import card_of, new_mark, reason_of
from plumbing.web import render, require_session, texts

REASONS = ("turned_round", "wrong_car", "misread")
GONE_REASONS = ("not_here", "towed")


async def reopen_page(request: web.Request) -> web.Response:
    """Ask why; where a second entry ended the stay, which plate that car really had."""
    await require_session(request)
    return await _page(request, await card_of(request))


async def _page(
    request: web.Request, card: StayCard, refused: Refuse | str = "", typed: dict[str, str] | None = None
) -> web.Response:
    def look(conn: sqlite3.Connection) -> tuple[str, StayRow | None]:
        shown = card.stay.decision_out
        kept = shown if shown and "frame" in decisions.picture_kinds(conn, shown) else ""
        return kept, reopening.second_entry(conn, card.stay)

    edge, session = request.app[EDGE], await require_session(request)
    picture, second = await edge.read(look)
    return render(
        request, "reopen.html", status=409 if refused else 200, card=card, picture=picture, second=second,
        approvers=await beside(request, session, edge.office.lot.rules.reopen_by),
        reasons=REASONS, mark=new_mark(), typed=typed or {"plate": "", "other": ""},
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def reopen(request: web.Request) -> web.Response:
    """Open the stay again; a form sent twice acts once."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = {name: text_field(data, name, 200) for name in ("plate", "other")}
    reason, edge, stay_id = reason_of(request, data, "reopen_reason"), request.app[EDGE], card.stay.stay_id
    may = await authority(request, data, session)
    if isinstance(may, Refuse):
        return await _page(request, card, may, typed)
    if first_time(request, data):
        if "second" in data:
            result = await edge.undo_second_entry(stay_id, typed["plate"], session.name, may.role, reason)
        else:
            result = await edge.reopen_stay(stay_id, session.name, may.role, reason)
        if isinstance(result, Refuse):
            return await _page(request, card, result, typed)
        await edge.approved(may.approver, session.name, "stay.reopen", stay_id)
        await flash(request, "ok", texts(request)("reopen.done", plate=card.stay.plate))
    return see_other(f"/booth/stay/{stay_id}")


async def gone_page(request: web.Request) -> web.Response:
    """Ask why a car is said to be gone."""
    await require_session(request)
    return await _gone(request, await card_of(request), "", {}, [])


async def _gone(
    request: web.Request, card: StayCard, refused: Refuse | str, typed: dict[str, str], named: list[tuple[str, str]]
) -> web.Response:
    return render(
        request, "gone.html", status=409 if refused else 200, card=card, reasons=GONE_REASONS, mark=new_mark(),
        typed={"other": "", "reason": ""} | typed, approvers=named,
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def gone(request: web.Request) -> web.Response:
    """One car is not here any more, whatever the books say."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed, named = {name: text_field(data, name) for name in ("other", "reason")}, await approvers(request)
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await _gone(request, card, approved, typed, named)
    if first_time(request, data):
        result = await request.app[EDGE].walks.write_off(
            card.stay.stay_id, session.name, reason_of(request, data, "gone_reason"), approved_by=approved
        )
        if isinstance(result, Refuse):
            return await _gone(request, card, result, typed, named)
        await flash(request, "ok", texts(request)("gone.done", plate=card.stay.plate))
    return see_other(f"/booth/stay/{card.stay.stay_id}")


def add_routes(app: web.Application) -> None:
    """Two acts about one stay."""
    app.router.add_get("/booth/stay/{stay}/reopen", reopen_page)
    app.router.add_post("/booth/stay/{stay}/reopen", reopen)
    app.router.add_get("/booth/stay/{stay}/gone", gone_page)
    app.router.add_post("/booth/stay/{stay}/gone", gone)
