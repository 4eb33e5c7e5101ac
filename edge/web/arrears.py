"""What plates owe from earlier visits, at the booth: looked up with pictures, paid, waived, disputed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from domain.plate import normalise
from edge.db import arrears as owed
from edge.services.lot import Result
from edge.web import receipts, workstation
from edge.web.booth import shared
from edge.web.debt_cards import DebtCard, debt_card, debt_cards
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.proof import approver, approvers, authority, beside
from edge.web.tasks import PAYMENT_ID, fen_of, new_mark, reason_of
from plumbing.web import Page, Session, page_number, render, require_session, texts

PAGE_SIZE = 12
SHOWN = {"open": (owed.OPEN,), "disputed": (owed.DISPUTED,), "settled": (owed.SETTLED,)}
ASKED = ("waive", "dispute", "uphold")  # acts that want a reason
REASONS = {
    "waive": ("complaint", "device", "staff", "goodwill"),
    "dispute": ("other_car", "paid_before", "wrong_time"),
    "uphold": ("picture", "talked"),
}


async def arrears_page(request: web.Request) -> web.Response:
    """Debts by state, searched by any part of the plate, the newest first."""
    await require_session(request)
    number, wanted = page_number(request.query), normalise(request.query.get("q", "")[:20])
    state = request.query.get("state", "open")
    states = SHOWN.get(state, SHOWN["open"])

    def look(conn: sqlite3.Connection) -> tuple[list[DebtCard], tuple[int, int]]:
        found = owed.page(conn, states, wanted, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        return debt_cards(conn, found), owed.totals(conn, states, wanted)

    cards, (count, left_fen) = await request.app[EDGE].read(look)
    return render(
        request, "arrears.html", page=Page(cards, number, count, PAGE_SIZE), wanted=wanted, left_fen=left_fen,
        state=state if state in SHOWN else "open", states=list(SHOWN), flash=await taken_flash(request),
        **shared(request),
    )  # fmt: skip


async def _card_of(request: web.Request) -> DebtCard:
    found = await request.app[EDGE].read(debt_card, request.match_info["debt"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _at(card: DebtCard) -> str:
    return f"/booth/debt/{card.debt.debt_id}"


async def debt_page(request: web.Request) -> web.Response:
    """One debt: pictures, history, what may be done."""
    await require_session(request)
    card = await _card_of(request)
    return render(request, "debt.html", card=card, at=_at(card), flash=await taken_flash(request), **shared(request))


async def cash_page(request: web.Request) -> web.Response:
    """Ask for everything the plate owes, the oldest first."""
    await require_session(request)
    return _cash(request, await _card_of(request))


def _cash(request: web.Request, card: DebtCard, refused: Refuse | str = "") -> web.Response:
    edge = request.app[EDGE]
    return render(
        request, "debt_cash.html", status=409 if refused else 200, card=card, at=_at(card),
        payment_id=edge.office.lot.new_id(edge.office.now()), place=workstation.workstation_of(request),
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def take_cash(request: web.Request) -> web.Response:
    """Book the money once: the form's payment id makes a second sending take nothing."""
    session, card, data = await require_session(request), await _card_of(request), await request.post()
    payment_id, amount = text_field(data, "payment_id", 64), fen_of(text_field(data, "amount", 16))
    if amount is None or not PAYMENT_ID.fullmatch(payment_id):
        return _cash(request, card, "bad_amount")
    result = await request.app[EDGE].pay_debts(
        payment_id, card.debt.plate, amount, session.name, at=workstation.at(request)
    )
    if isinstance(result, Refuse):
        return _cash(request, await _card_of(request), result)
    said = texts(request)("arrears.done_paid", yuan=yuan(amount), plate=card.debt.plate)
    await receipts.tell_taken(request, said, payment_id, session.name, wanted="receipt" in data)
    return see_other(_at(card))


async def ask_page(request: web.Request) -> web.Response:
    """Ask for the reason of a waiver, a dispute or its end."""
    typed = {"amount": "", "other": "", "reason": ""}
    return _ask(request, await _card_of(request), typed, could_approve=await _beside(request))


async def _beside(request: web.Request, *, refused: bool = False) -> list[tuple[str, str]]:
    """Whom the page names: for a waiver only once it was too much."""
    session = await require_session(request)
    if request.match_info["act"] == "waive":
        return await approvers(request) if refused else []
    return await beside(request, session, request.app[EDGE].office.lot.rules.dispute_by)


def _ask(
    request: web.Request, card: DebtCard, typed: dict[str, str], refused: Refuse | str = "",
    could_approve: Sequence[tuple[str, str]] = (),
) -> web.Response:  # fmt: skip
    act = request.match_info["act"]
    if act not in ASKED:
        raise web.HTTPNotFound
    return render(
        request, "debt_ask.html", status=409 if refused else 200, card=card, at=_at(card), act=act, typed=typed,
        group="waive_reason" if act == "waive" else f"{act}_reason", reasons=REASONS[act], mark=new_mark(),
        approvers=could_approve, error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def act_on_debt(request: web.Request) -> web.Response:
    """Waive, dispute or uphold, by name and reason; a form sent twice acts once."""
    session, card, data = await require_session(request), await _card_of(request), await request.post()
    act, typed = request.match_info["act"], {name: text_field(data, name) for name in ("amount", "other", "reason")}
    if act not in ASKED:
        raise web.HTTPNotFound
    reason = reason_of(request, data, "waive_reason" if act == "waive" else f"{act}_reason")
    amount = fen_of(typed["amount"]) if act == "waive" else 0
    if amount is None:
        return _ask(request, card, typed, "bad_amount")
    if first_time(request, data):
        result = await _do(request, act, card, amount, session, reason)
        if isinstance(result, Refuse):
            return _ask(request, await _card_of(request), typed, result, await _beside(request, refused=True))
        await flash(request, "ok", texts(request)(f"arrears.done_{act}", plate=card.debt.plate))
    return see_other(_at(card))


async def _do(request: web.Request, act: str, card: DebtCard, amount_fen: int, session: Session, reason: str) -> Result:
    edge, debt_id, by = request.app[EDGE], card.debt.debt_id, session.name
    if act == "waive":
        approved = await approver(request, await request.post())
        if isinstance(approved, Refuse):
            return approved
        return await edge.waive_debt(debt_id, amount_fen, by, reason, approved_by=approved)
    may = await authority(request, await request.post(), session)
    if isinstance(may, Refuse):
        return may
    result = await (edge.dispute_debt if act == "dispute" else edge.uphold_debt)(debt_id, by, may.role, reason)
    if not isinstance(result, Refuse):
        await edge.approved(may.approver, by, f"debt.{act}", debt_id)
    return result


def add_routes(app: web.Application) -> None:
    """The list and everything about one debt."""
    app.router.add_get("/booth/arrears", arrears_page)
    app.router.add_get("/booth/debt/{debt}", debt_page)
    app.router.add_get("/booth/debt/{debt}/cash", cash_page)
    app.router.add_post("/booth/debt/{debt}/cash", take_cash)
    app.router.add_get("/booth/debt/{debt}/{act}", ask_page)
    app.router.add_post("/booth/debt/{debt}/{act}", act_on_debt)
