"""Coupons, vouchers and exit passes of one car: scanned or typed, taken off and put back (E36)."""

from __future__ import annotations

from aiohttp import web

from domain import exit_pass
from domain.decision import Refuse
from domain.fen import yuan
from domain.scanned import ScannedKind, recognise
from edge.web.cards import StayCard
from edge.web.keys import EDGE, flash, see_other, taken_flash, text_field
from edge.web.tasks import back_from, card_of, new_mark, task_page
from plumbing.web import require_session, texts


async def paper_page(request: web.Request) -> web.Response:
    """What lies on the car, and a field for more."""
    await require_session(request)
    return await _page(request, await card_of(request), flash=await taken_flash(request))


async def lay_paper(request: web.Request) -> web.Response:
    """Use what was scanned or typed, and show the fee it leaves."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    scanned = text_field(data, "scanned", 600)
    kind = recognise(scanned).kind
    if exit_pass.code_in(scanned) or kind is ScannedKind.EXIT_PASS:
        return await _take_phone_payment(request, card, scanned)
    if kind is ScannedKind.CLAIM_CODE:
        return await _claim(request, card, scanned, text_field(data, "mark", 64))
    result = await request.app[EDGE].lay_voucher(card.stay.stay_id, scanned, session.name, card.lane)
    if isinstance(result, Refuse):
        return await _page(request, await card_of(request), result)
    await flash(request, "ok", texts(request)("done.paper", yuan=yuan(result.due_fen)))
    return back_from(card) if card.lane else _here(card)


async def _claim(request: web.Request, card: StayCard, code: str, mark: str) -> web.Response:
    """A shop's claim code: the cloud ties its coupon to this car."""
    session = await require_session(request)
    result = await request.app[EDGE].claims.claim(card.stay.stay_id, code, session.name, mark or new_mark())
    if isinstance(result, Refuse):
        return await _page(request, await card_of(request), result)
    await flash(request, "ok", texts(request)("done.claimed", plate=result.subject))
    return _here(card)


async def _take_phone_payment(request: web.Request, card: StayCard, scanned: str) -> web.Response:
    """An exit pass scanned here, or its eight digits: what was paid by phone while the lot had no line."""
    desk, told = request.app[EDGE].phone, recognise(scanned)
    is_pass = told.kind is ScannedKind.EXIT_PASS
    result = await (desk.take_pass(told.token) if is_pass else desk.take_digits(card.stay.stay_id, scanned))
    if isinstance(result, Refuse):
        return await _page(request, await card_of(request), result)
    await request.app[EDGE].record_act((await require_session(request)).name, "pass.take", result.payment_id)
    key = "phone.taken" if result.stay_id == card.stay.stay_id else "phone.taken_other"
    await flash(request, "ok", texts(request)(key, yuan=yuan(result.used_fen)))
    return back_from(card)


async def take_paper_off(request: web.Request) -> web.Response:
    """Take a voucher off the stay again; its holder keeps it."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    result = await request.app[EDGE].take_off(text_field(data, "ref", 64), session.name)
    return await _done(request, card, result, "done.paper_off")


async def set_aside(request: web.Request) -> web.Response:
    """Take a coupon the cloud tied to this car off its stay: the driver keeps it."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    ref = text_field(data, "ref", 64)
    result = await request.app[EDGE].set_coupon_aside(card.stay.stay_id, ref, session.name, aside=True)
    return await _done(request, card, result, "done.coupon_off")


async def put_back(request: web.Request) -> web.Response:
    """Let such a coupon count again."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    ref = text_field(data, "ref", 64)
    result = await request.app[EDGE].set_coupon_aside(card.stay.stay_id, ref, session.name, aside=False)
    return await _done(request, card, result, "done.coupon_back")


async def _done(request: web.Request, card: StayCard, result: object, key: str) -> web.Response:
    if isinstance(result, Refuse):
        return await _page(request, await card_of(request), result)
    await flash(request, "ok", texts(request)(key))
    return _here(card)


async def _page(
    request: web.Request, card: StayCard, refused: Refuse | str = "", flash: tuple[str, str, str] | None = None
) -> web.Response:
    return await task_page(request, "paper.html", card, refused, flash=flash, mark=new_mark())


def _here(card: StayCard) -> web.Response:
    return see_other(f"/booth/stay/{card.stay.stay_id}/paper")


def add_routes(app: web.Application) -> None:
    """One page and what is done on it."""
    at = "/booth/stay/{stay}/paper"
    app.router.add_get(at, paper_page)
    app.router.add_post(at, lay_paper)
    app.router.add_post(f"{at}/off", take_paper_off)
    app.router.add_post(f"{at}/aside", set_aside)
    app.router.add_post(f"{at}/back", put_back)
