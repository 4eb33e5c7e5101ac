"""What an attendant does about one car: take cash, waive, lay a voucher, mend its plate or class, write its entry."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from aiohttp import web

from domain.decision import Refuse
from domain.fen import fen_from_yuan, yuan
from domain.plate import normalise
from edge.services import classing
from edge.services.refunding import late_fen, refundable_fen
from edge.web import receipts, workstation
from edge.web.booth import shared
from edge.web.cards import StayCard, stay_card
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, taken_flash, text_field, whole
from edge.web.proof import approver, approvers
from plumbing.web import render, require_session, texts

PAYMENT_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
MOST_FEN = 10_000_000  # an amount beyond 100,000 yuan is a slip of the keypad
WAIVE_REASONS = ("complaint", "device", "staff", "goodwill")


async def card_of(request: web.Request) -> StayCard:
    """The car the address names. Raises HTTPNotFound."""
    edge, stay_id = request.app[EDGE], request.match_info["stay"]
    lane = next((view.lane for view in edge.live.snapshot() if view.stay_id == stay_id), "")
    found = await edge.read(stay_card, edge.office.lot, stay_id, edge.office.now(), lane)
    if found is None:
        raise web.HTTPNotFound
    return found


async def task_page(
    request: web.Request, template: str, card: StayCard, refused: Refuse | str = "", **values: object
) -> web.Response:
    """A page about one car; *refused* is said on it."""
    error, place = refusal_words(request, refused) if refused else "", workstation.workstation_of(request)
    return render(
        request, template, status=409 if refused else 200, card=card, error=error, place=place,
        scan_stay=card.stay.stay_id, **values, **shared(request),
    )  # fmt: skip


def back_from(card: StayCard) -> web.Response:
    """A car at a lane leads back to the lanes, any other to its own page."""
    return see_other("/booth" if card.lane else f"/booth/stay/{card.stay.stay_id}")


async def stay_page(request: web.Request) -> web.Response:
    """One car with everything about it."""
    await require_session(request)
    card = await card_of(request)
    edge, stay_id = request.app[EDGE], card.stay.stay_id
    papers, refundable = await edge.tills.receipts_of(stay_id), await edge.read(refundable_fen, stay_id)
    late = await edge.read(late_fen, edge.office.lot, stay_id, edge.office.now())
    return await task_page(
        request, "stay.html", card, receipts=papers, refundable=refundable, late_fen=late,
        flash=await taken_flash(request),
    )  # fmt: skip


async def cash_page(request: web.Request) -> web.Response:
    """Ask for the money: what is due now."""
    await require_session(request)
    edge = request.app[EDGE]
    payment_id = edge.office.lot.new_id(edge.office.now())
    return await task_page(request, "cash.html", await card_of(request), payment_id=payment_id)


async def take_cash(request: web.Request) -> web.Response:
    """Book the money once: the form's payment id makes a second sending take nothing."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    edge, stay_id = request.app[EDGE], card.stay.stay_id
    payment_id, amount = text_field(data, "payment_id", 64), fen_of(text_field(data, "amount", 16))
    if amount is None or not PAYMENT_ID.fullmatch(payment_id):
        return await task_page(
            request, "cash.html", card, "bad_amount", payment_id=edge.office.lot.new_id(edge.office.now())
        )
    received = receipts.tendered_fen(text_field(data, "received", 16), amount)
    result = await edge.take_cash(
        payment_id, stay_id, amount, session.name, at=workstation.at(request), tendered_fen=received
    )
    if isinstance(result, Refuse):
        fresh = edge.office.lot.new_id(edge.office.now())
        return await task_page(request, "cash.html", await card_of(request), result, payment_id=fresh)
    t = texts(request)
    wanted = text_field(data, "receipt") == "1"
    if result.left_fen:
        said = t("done.cash_part", yuan=yuan(result.amount_fen), left=yuan(result.left_fen))
        await receipts.tell_taken(request, said, payment_id, session.name, wanted=wanted, tone="warn")
        return see_other(f"/booth/stay/{stay_id}")
    said = t("done.cash", yuan=yuan(result.amount_fen), plate=card.stay.plate)
    await receipts.tell_taken(request, said, payment_id, session.name, wanted=wanted)
    return back_from(card)


async def waive_page(request: web.Request) -> web.Response:
    """Ask how much to let go, and why."""
    await require_session(request)
    blank = {"amount": "", "other": "", "reason": ""}
    return await task_page(
        request, "waive.html", await card_of(request), reasons=WAIVE_REASONS, mark=new_mark(), typed=blank, approvers=[]
    )


async def waive(request: web.Request) -> web.Response:
    """Let go of part of the fee."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    amount, reason = fen_of(text_field(data, "amount", 16)), reason_of(request, data, "waive_reason")
    typed = {name: text_field(data, name) for name in ("amount", "other", "reason")}
    again = {
        "reasons": WAIVE_REASONS, "mark": new_mark(), "typed": typed, "approvers": await approvers(request)
    }  # fmt: skip
    if amount is None:
        return await task_page(request, "waive.html", card, "bad_amount", **again)
    approved = await approver(request, data)
    if isinstance(approved, Refuse):
        return await task_page(request, "waive.html", card, approved, **again)
    if not first_time(request, data):
        return back_from(card)
    result = await request.app[EDGE].waive(card.stay.stay_id, amount, session.name, reason, approved_by=approved)
    if isinstance(result, Refuse):
        return await task_page(request, "waive.html", await card_of(request), result, **again)
    await flash(request, "ok", texts(request)("done.waived", yuan=yuan(amount), plate=card.stay.plate))
    return back_from(card)


async def mend_page(request: web.Request) -> web.Response:
    """Type the plate this car really has."""
    await require_session(request)
    card = await card_of(request)
    return await task_page(request, "mend.html", card, typed=card.stay.plate)


async def mend(request: web.Request) -> web.Response:
    """Give an open stay the plate a person read; the old one stays on record."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = text_field(data, "plate", 20)
    result = await request.app[EDGE].correct_plate(card.stay.stay_id, typed, session.name)
    if isinstance(result, Refuse):
        return await task_page(request, "mend.html", card, result, typed=typed)
    await flash(request, "ok", texts(request)("done.mended", old=card.stay.plate, new=normalise(typed)))
    return see_other(f"/booth/stay/{card.stay.stay_id}")


async def pick_class(request: web.Request) -> web.Response:
    """Charge this car as the class a person sees, from its entry on."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    picked, approved = text_field(data, "class", 40), await approver(request, data)
    result = (
        approved
        if isinstance(approved, Refuse)
        else await request.app[EDGE].pick_class(card.stay.stay_id, picked, session.name, approved_by=approved)
    )
    if isinstance(result, Refuse):
        return await task_page(request, "class.html", card, result, picked=picked, approvers=await approvers(request))
    await flash(request, "ok", texts(request)("done.classed", plate=card.stay.plate))
    return see_other(f"/booth/stay/{card.stay.stay_id}")


async def note_charging(request: web.Request) -> web.Response:
    """How long this car has charged so far."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    minutes = whole(text_field(data, "minutes", 8), -1)
    result = await request.app[EDGE].note_charging(card.stay.stay_id, minutes, session.name)
    if isinstance(result, Refuse):
        return await task_page(request, "stay.html", card, result, receipts=[], refundable=0, late_fen=0, flash=None)
    await flash(request, "ok", texts(request)("done.charging", plate=card.stay.plate, minutes=minutes))
    return see_other(f"/booth/stay/{card.stay.stay_id}")


async def entry_page(request: web.Request) -> web.Response:
    """Write an entry nobody recorded; `?plate=` and `?lane=` come from the lane that asks for it."""
    await require_session(request)
    typed = {"plate": request.query.get("plate", "")[:20], "entered": "", "other": ""}
    return await _entry(request, typed, request.query.get("lane", "")[:64])


async def write_entry(request: web.Request) -> web.Response:
    """Open the stay; if a car waits for it at a lane, that lane decides again."""
    session, data, edge = await require_session(request), await request.post(), request.app[EDGE]
    typed = {name: text_field(data, name) for name in ("plate", "entered", "zone", "class", "other")}
    lane, entered_ms = text_field(data, "lane", 64), local_wall_ms(request, typed["entered"])
    if entered_ms is None:
        return await _entry(request, typed, lane, "bad_time")
    reason, approved = reason_of(request, data, "entry_reason"), await approver(request, data)
    if isinstance(approved, Refuse):
        return await _entry(request, typed, lane, approved)
    result = await edge.enter_missing(
        typed["plate"], typed["zone"], entered_ms, session.name, reason, typed["class"], approved_by=approved
    )
    if isinstance(result, Refuse):
        return await _entry(request, typed, lane, result)
    await flash(request, "ok", texts(request)("done.entry", plate=normalise(typed["plate"])))
    if lane in edge.workers:
        await edge.lanes.choose_plate(lane, typed["plate"], session.name)
        return see_other("/booth")
    return see_other(f"/booth/stay/{result.subject}")


async def _entry(request: web.Request, typed: dict[str, str], lane: str, refused: Refuse | str = "") -> web.Response:
    named = await approvers(request) if isinstance(refused, Refuse) and typed.get("class") else []
    lot, now = request.app[EDGE].office.lot, request.app[EDGE].office.now()
    return render(
        request, "entry.html", status=409 if refused else 200, typed=typed, lane=lane, zones=list(lot.zones),
        error=refusal_words(request, refused) if refused else "", now=f"{lot.local(now.wall_ms):%Y-%m-%dT%H:%M}",
        reasons=("missed", "loop", "moved"), classes=classing.known(lot, now), approvers=named,
        **shared(request),
    )  # fmt: skip


async def since_page(request: web.Request) -> web.Response:
    """Ask when a car came whose entry time no clock vouches for."""
    await require_session(request)
    return _since(request, await card_of(request), {"entered": "", "other": ""})


async def name_entry(request: web.Request) -> web.Response:
    """Price the stay by the time a person names."""
    session, card, data = await require_session(request), await card_of(request), await request.post()
    typed = {name: text_field(data, name) for name in ("entered", "other")}
    entered_ms = local_wall_ms(request, typed["entered"])
    if entered_ms is None:
        return _since(request, card, typed, "bad_time")
    reason = reason_of(request, data, "since_reason")
    result = await request.app[EDGE].set_entry(card.stay.stay_id, entered_ms, session.name, reason)
    if isinstance(result, Refuse):
        return _since(request, await card_of(request), typed, result)
    await flash(request, "ok", texts(request)("done.since", plate=card.stay.plate))
    return back_from(card)


def _since(request: web.Request, card: StayCard, typed: dict[str, str], refused: Refuse | str = "") -> web.Response:
    recorded = f"{request.app[EDGE].office.lot.local(card.stay.entered.wall_ms):%Y-%m-%dT%H:%M}"
    return render(
        request, "since.html", status=409 if refused else 200, card=card, typed=typed, recorded=recorded,
        reasons=("picture", "ticket"), error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


def new_mark() -> str:
    """A mark for one form, so that it acts once."""
    return secrets.token_hex(16)


def reason_of(request: web.Request, data: object, group: str) -> str:
    """The chosen reason in words, with what was typed beside it; "" when there is neither."""
    choice, typed = text_field(data, "reason", 40), text_field(data, "other", 200)
    key = f"{group}.{choice}"
    chosen = texts(request)(key) if choice and texts(request).catalogue.has(key) else ""
    return " · ".join(part for part in (chosen, typed) if part)


def fen_of(typed: str) -> int | None:
    """An amount of money as typed, None when it is none."""
    try:
        amount = int(fen_from_yuan(typed))
    except ValueError:
        return None
    return amount if 0 < amount <= MOST_FEN else None


def local_wall_ms(request: web.Request, typed: str) -> int | None:
    """A lot-local time from the page as UTC milliseconds."""
    try:
        when = datetime.strptime(typed, "%Y-%m-%dT%H:%M").replace(tzinfo=request.app[EDGE].office.lot.tz)
    except ValueError:
        return None
    return round(when.timestamp() * 1000)


async def ticket_again(request: web.Request) -> web.Response:
    """Print the ticket of a car without a plate once more; it says that it is a copy."""
    session, card = await require_session(request), await card_of(request)
    result = await request.app[EDGE].tickets.again(card.stay.stay_id, session.name)
    await receipts.tell_print(request, result, texts(request)("done.ticket", number=card.stay.plate[1:]))
    return see_other(f"/booth/stay/{card.stay.stay_id}")


def add_routes(app: web.Application) -> None:
    """Everything about one car."""
    at = "/booth/stay/{stay}"
    app.router.add_get(at, stay_page)
    for name, page, act in (
        ("cash", cash_page, take_cash),
        ("waive", waive_page, waive),
        ("plate", mend_page, mend),
        ("since", since_page, name_entry),
    ):
        app.router.add_get(f"{at}/{name}", page)
        app.router.add_post(f"{at}/{name}", act)
    app.router.add_post(f"{at}/class", pick_class)
    app.router.add_post(f"{at}/charging", note_charging)
    app.router.add_post(f"{at}/ticket", ticket_again)
    app.router.add_get("/booth/entry", entry_page)
    app.router.add_post("/booth/entry", write_entry)
