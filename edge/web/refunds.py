"""Cash given back at the booth, with a reason and, beyond one's own limit, a supervisor's PIN on the same page."""

from __future__ import annotations

import sqlite3

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from edge.db import stays
from edge.services import refunding
from edge.web import receipts, workstation
from edge.web.booth import shared
from edge.web.cards import StayCard
from edge.web.keys import EDGE, refusal_words, see_other, text_field
from edge.web.proof import approver, approvers
from edge.web.tasks import PAYMENT_ID, card_of, fen_of, reason_of
from plumbing.web import render, require_session, texts

REASONS = ("overpaid", "cancelled", "coupon_late", "wrong_car")
TYPED = ("amount", "other", "reason")


async def refund_page(request: web.Request) -> web.Response:
    """Ask how much, why, and whether a receipt is wanted; what was paid too much is filled in."""
    await require_session(request)
    return await _page(request, await card_of(request), dict.fromkeys(TYPED, ""))


async def refund(request: web.Request) -> web.Response:
    """Give it once: the form's id makes a second sending give nothing. The drawer opens by itself."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = {name: text_field(data, name, 200) for name in TYPED}
    amount, refund_id = fen_of(typed["amount"]), text_field(data, "refund_id", 64)
    if amount is None or not PAYMENT_ID.fullmatch(refund_id):
        return await _page(request, card, typed, "bad_amount")
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await _page(request, card, typed, approved)
    reason, at = reason_of(request, data, "refund_reason"), workstation.at(request)
    result = await request.app[EDGE].refund(
        refund_id, card.stay.stay_id, amount, session.name, reason, approved_by=approved, at=at
    )
    if isinstance(result, Refuse):
        return await _page(request, card, typed, result)
    said = texts(request)("refund.done", yuan=yuan(amount), plate=card.stay.plate)
    await receipts.tell_taken(request, said, refund_id, session.name, wanted="receipt" in data)
    return see_other(f"/booth/stay/{card.stay.stay_id}")


async def _page(
    request: web.Request, card: StayCard, typed: dict[str, str], refused: Refuse | str = ""
) -> web.Response:
    edge, stay_id = request.app[EDGE], card.stay.stay_id

    def look(conn: sqlite3.Connection) -> tuple[int, int, int]:
        stay, now = stays.get(conn, stay_id), edge.office.now()
        over = refunding.overpaid_fen(conn, edge.office.lot, stay, now) if stay else 0
        return refunding.refundable_fen(conn, stay_id), over, refunding.late_fen(conn, edge.office.lot, stay_id, now)

    most, over, late = await edge.read(look)
    place = workstation.workstation_of(request)
    return render(
        request, "refund.html", status=409 if refused else 200, card=card, typed=typed, most_fen=most, over_fen=over,
        late_fen=late,
        reasons=REASONS, refund_id=edge.office.lot.new_id(edge.office.now()), place=place,
        approvers=await approvers(request) if refused else [],
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """One page."""
    app.router.add_get("/booth/stay/{stay}/refund", refund_page)
    app.router.add_post("/booth/stay/{stay}/refund", refund)
