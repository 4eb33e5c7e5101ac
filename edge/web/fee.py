"""Setting a fee by hand: what the price lists say, what a person says, and why."""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from edge.web import workstation
from edge.web.cards import StayCard
from edge.web.keys import EDGE, flash, text_field
from edge.web.proof import approver, approvers
from edge.web.shifts import fen_or_none
from edge.web.tasks import PAYMENT_ID, back_from, card_of, reason_of, task_page
from plumbing.web import require_session, texts

REASONS = ("lost_ticket", "entry_known", "wrong_zone", "agreed")


async def fee_page(request: web.Request) -> web.Response:
    """Ask for the fee, and why."""
    await require_session(request)
    return await _page(request, await card_of(request), "", {}, [])


async def set_fee(request: web.Request) -> web.Response:
    """Set it once: the form's own id makes a second sending set nothing."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = {name: text_field(data, name) for name in ("amount", "other", "reason")}
    fee, set_id = fen_or_none(typed["amount"]), text_field(data, "set_id", 64)
    reason = reason_of(request, data, "fee_reason")
    named = await approvers(request)
    if fee is None or not PAYMENT_ID.fullmatch(set_id):
        return await _page(request, card, "bad_amount", typed, named)
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await _page(request, card, approved, typed, named)
    result = await request.app[EDGE].set_fee(
        set_id, card.stay.stay_id, fee, session.name, reason, approved_by=approved, at=workstation.at(request)
    )
    if isinstance(result, Refuse):
        return await _page(request, card, result, typed, named)
    await flash(request, "ok", texts(request)("done.fee_set", yuan=yuan(fee), plate=card.stay.plate))
    return back_from(card)


async def _page(
    request: web.Request, card: StayCard, refused: Refuse | str, typed: dict[str, str], named: list[tuple[str, str]]
) -> web.Response:
    office = request.app[EDGE].office
    blank = {"amount": "", "other": "", "reason": ""}
    return await task_page(
        request, "fee.html", card, refused, reasons=REASONS, typed=blank | typed, approvers=named,
        set_id=office.lot.new_id(office.now()),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Ask and set."""
    app.router.add_get("/booth/stay/{stay}/fee", fee_page)
    app.router.add_post("/booth/stay/{stay}/fee", set_fee)
