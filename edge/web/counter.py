"""The counter: a merchant's staff print vouchers within the allowance, and see honestly what became of each."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from domain.wire import Json
from edge.db import vouchers
from edge.db.vouchers import VoucherRow
from edge.services import allowance
from edge.services.allowance import MOST_AT_ONCE, Left, Offer, offers
from edge.web.keys import (
    EDGE,
    SESSIONS,
    WATCH,
    first_time,
    flash,
    merchant_of,
    refusal_words,
    require_alive,
    see_other,
    taken_flash,
    text_field,
    whole,
)
from edge.web.printdesk import PrintDesk, PrintOrder
from edge.web.tasks import new_mark, reason_of
from edge.web.watch import Changed
from plumbing.i18n import Texts
from plumbing.lanepage import fee_lines
from plumbing.web import Event, Page, Session, page_number, render, render_part, require_session, stream, texts

log = logging.getLogger(__name__)

DESK = web.AppKey("desk", PrintDesk)
PAGE_SIZE = 30
VOID_REASONS = ("not_printed", "damaged", "mistake")
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant at this counter, what it may still print, and what is left of its allowance here."""

    merchant_id: int
    name: str
    offers: list[Offer]
    left: list[Left]
    doubtful: list[VoucherRow]


class NoShopError(Exception):
    """One of the lot's own people has not said yet for which merchant."""


async def merchant_at(request: web.Request) -> int:
    """Whose counter this is: staff have their own merchant, the lot's people choose one. Raises NoShopError."""
    session = await require_session(request)
    own = merchant_of(session)
    chosen = own if own is not None else int(session.data.get("merchant", "0"))
    if not chosen:
        raise NoShopError
    return chosen


async def shop_of(request: web.Request, merchant_id: int) -> Shop:
    """What the page shows of a merchant."""
    edge = request.app[EDGE]
    names = {int(row["merchant_id"]): str(row.get("name", "")) for row in await edge.counter.merchants()}

    def look(conn: sqlite3.Connection) -> Shop:
        found = offers(conn, edge.office.lot, merchant_id, edge.office.now())
        left = allowance.left(conn, merchant_id, edge.office.now())
        return Shop(merchant_id, names.get(merchant_id, ""), found, left, vouchers.in_doubt(conn, merchant_id))

    return await edge.read(look)


def shared(request: web.Request) -> dict[str, Any]:
    """What every page of the counter gives its template."""
    t = texts(request)
    return {
        "strip": request.app[WATCH].strip,
        "coded": lambda group, code: fee_lines.coded(t, group, code),
        "worth": lambda template: worth(t, template),
        "refusal": lambda code: refusal_words(request, code),
        "slip_names": lambda rows: " ".join(f"{row.key_id}-{row.counter}" for row in rows),
        "number": lambda row: f"{row.key_id}-{row.counter:06d}",
    }


def worth(t: Texts, template: Json) -> str:
    """What a template takes off, in words."""
    value = int(template.get("value") or 0)
    match template.get("kind"):
        case "AMOUNT":
            return t("counter.worth_amount", yuan=yuan(value))
        case "DURATION":
            return t("counter.worth_duration", minutes=value)
        case "FULL_WAIVER":
            return t("counter.worth_full")
        case "PERCENT":
            return t("counter.worth_percent", percent=value)
        case "FREE_UNTIL":
            hour, minute = divmod(int((template.get("terms") or {}).get("until", 0)), 60)
            return t("counter.worth_until", at=f"{hour:02d}:{minute:02d}")
        case kind:
            return str(kind)


async def _status(request: web.Request, merchant_id: int) -> dict[str, Any]:
    return {
        "shop": await shop_of(request, merchant_id),
        "orders": request.app[DESK].of_merchant(merchant_id),
        "todays": await _of_day(request, merchant_id, _local_day(request), 8),
    }


async def counter_page(request: web.Request) -> web.Response:
    """Templates with how many are left, what is being printed, what is in doubt."""
    try:
        merchant_id = await merchant_at(request)
    except NoShopError:
        return await _choose_shop(request)
    return render(
        request,
        "counter.html",
        flash=await taken_flash(request),
        **await _status(request, merchant_id),
        **shared(request),
    )


async def _choose_shop(request: web.Request) -> web.Response:
    return render(
        request, "shops.html", shops=await request.app[EDGE].counter.merchants(), flash=None, **shared(request)
    )


async def choose_shop(request: web.Request) -> web.Response:
    """One of the lot's people serves a merchant's counter; a merchant's staff cannot change theirs."""
    session, data = await require_session(request), await request.post()
    if merchant_of(session) is not None:
        raise web.HTTPForbidden
    chosen = text_field(data, "merchant", 12)
    known = {str(row["merchant_id"]) for row in await request.app[EDGE].counter.merchants()}
    await request.app[SESSIONS].remember(request, merchant=chosen if chosen in known else "0")
    return see_other("/counter")


async def live(request: web.Request) -> web.StreamResponse:
    """What is printed and left, as it changes."""
    merchant_id = await merchant_at(request)

    async def show(changed: Changed) -> list[Event]:
        await require_alive(request)
        events = []
        if changed.vouchers:
            values = {**await _status(request, merchant_id), **shared(request)}
            events.append(Event("offers", render_part(request, "counter_offers.html", **values)))
            events.append(Event("orders", render_part(request, "counter_orders.html", **values)))
        if changed.strip:
            events.append(Event("strip", render_part(request, "counter_strip.html", **shared(request))))
        return events

    return await stream(request, request.app[WATCH].hub, show, start=[Changed(strip=True, vouchers=True)])


async def print_page(request: web.Request) -> web.Response:
    """How many of one template."""
    merchant_id = await merchant_at(request)
    return await _print(request, await _offer(request, merchant_id))


async def order_print(request: web.Request) -> web.Response:
    """Queue an order; the same form again orders nothing more."""
    session, merchant_id, data = await require_session(request), await merchant_at(request), await request.post()
    offer = await _offer(request, merchant_id)
    count, printer = whole(text_field(data, "count", 4), 0), text_field(data, "printer", 64)
    if not 1 <= count <= MOST_AT_ONCE:
        return await _print(request, offer, texts(request)("refused.bad_count", most=min(offer.count, MOST_AT_ONCE)))
    if not request.app[EDGE].counter.slips_are_of_use:
        return await _print(request, offer, refusal_words(request, "nowhere_to_scan"))
    if count > offer.count:
        return await _print(request, offer, refusal_words(request, offer.refused or "lease_short"))
    if first_time(request, data):
        name = str(offer.template.get("name", ""))
        await request.app[SESSIONS].remember(request, printer=printer)
        order = PrintOrder(merchant_id, offer.template_id, name, count, session.name, printer)
        refused = await request.app[DESK].submit(order)
        if refused is not None:
            return await _print(request, offer, refusal_words(request, refused))
    return see_other("/counter")


async def _print(request: web.Request, offer: Offer, error: str = "") -> web.Response:
    printers, usual = list(request.app[EDGE].printers), _usual(request, await require_session(request))
    return render(
        request, "counter_print.html", status=409 if error else 200, offer=offer, error=error, mark=new_mark(),
        printers=printers, usual=usual, most=min(offer.count, MOST_AT_ONCE), **shared(request),
    )  # fmt: skip


def _usual(request: web.Request, session: Session) -> str:
    """The printer this till printed on last, "" before it did or where that one is gone."""
    last = session.data.get("printer", "")
    return last if last in request.app[EDGE].printers else ""


async def _offer(request: web.Request, merchant_id: int) -> Offer:
    shop = await shop_of(request, merchant_id)
    for offer in shop.offers:
        if str(offer.template_id) == request.match_info["template"]:
            return offer
    raise web.HTTPNotFound


async def list_page(request: web.Request) -> web.Response:
    """Today's vouchers, or those of the day in `?day=`."""
    merchant_id = await merchant_at(request)
    today, day = _local_day(request), _local_day(request, request.query.get("day", ""))
    found = await _of_day(request, merchant_id, day, PAGE_SIZE, page_number(request.query))
    return render(
        request, "counter_list.html", shop=await shop_of(request, merchant_id), page=found, day=day, today=today,
        yesterday=day - timedelta(days=1), flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


def _local_day(request: web.Request, typed: str = "") -> date:
    """The day *typed* as 2026-11-22, else today; none after today."""
    lot, now = request.app[EDGE].office.lot, request.app[EDGE].office.now()
    today = lot.local(now.wall_ms).date()
    try:
        return min(date.fromisoformat(typed[:10]), today) if typed else today
    except ValueError:
        return today


async def _of_day(request: web.Request, merchant_id: int, of: date, size: int, number: int = 1) -> Page[dict[str, Any]]:
    edge = request.app[EDGE]
    day = datetime.combine(of, time())
    start, end = (_ms(day + timedelta(days=more), edge.office.lot.tz) for more in (0, 1))
    names = {int(row["template_id"]): str(row.get("name", "")) for row in await edge.counter.templates(merchant_id)}

    def look(conn: sqlite3.Connection) -> Page[dict[str, Any]]:
        found = vouchers.between(conn, merchant_id, start, end, size, (number - 1) * size)
        rows = [
            {"voucher": row, "used": used, "name": names.get(row.template_id, f"#{row.template_id}")}
            for row, used in found
        ]
        return Page(rows, number, vouchers.count_between(conn, merchant_id, start, end), size)

    return await edge.read(look)


def _ms(local: datetime, zone: Any) -> int:
    return round(local.replace(tzinfo=zone).timestamp() * 1000)


async def came_out(request: web.Request) -> web.Response:
    """Slips in doubt were seen on paper: those the form names."""
    session, merchant_id, data = await require_session(request), await merchant_at(request), await request.post()
    named = text_field(data, "slips", 4000).split()
    mine = await request.app[EDGE].read(vouchers.in_doubt, merchant_id)
    slips = [(row.key_id, row.counter) for row in mine if f"{row.key_id}-{row.counter}" in named]
    count = await request.app[EDGE].counter.came_out(slips, session.name)
    await flash(request, "ok", texts(request)("done.came_out", count=count))
    request.app[WATCH].hub.publish(Changed(vouchers=True))
    return see_other("/counter")


async def go_on(request: web.Request) -> web.Response:
    """Print what is left of an order that waits, or with ``stop`` let go of it."""
    session, merchant_id, data = await require_session(request), await merchant_at(request), await request.post()
    desk, order_id = request.app[DESK], request.match_info["order"]
    stops = text_field(data, "do", 8) == "stop"
    if not await (desk.give_up if stops else desk.go_on)(merchant_id, order_id):
        await flash(request, "warn", texts(request)("counter.order_over"))
    else:
        log.info("order of merchant %d: %s by %s", merchant_id, "given up" if stops else "goes on", session.name)
    return see_other("/counter")


async def void_page(request: web.Request) -> web.Response:
    """Withdraw a voucher, with a reason, and print a new one if wanted."""
    return await _void(request, await _own_voucher(request))


async def void(request: web.Request) -> web.Response:
    """Withdraw it; a new one has its own counter, the old is never printed again."""
    session, row, data = await require_session(request), await _own_voucher(request), await request.post()
    reason = reason_of(request, data, "void_reason")
    result = await request.app[EDGE].counter.void_voucher(row.key_id, row.counter, session.name, reason)
    if isinstance(result, Refuse):
        return await _void(request, row, result)
    await flash(request, "ok", texts(request)("done.voided", number=f"{row.key_id}-{row.counter:06d}"))
    if "again" in data:
        names = {
            int(one["template_id"]): str(one["name"])
            for one in await request.app[EDGE].counter.templates(row.merchant_id)
        }
        name = names.get(row.template_id, "")
        order = PrintOrder(row.merchant_id, row.template_id, name, 1, session.name, _usual(request, session))
        refused = await request.app[DESK].submit(order)
        if refused is not None:
            await flash(request, "bad", refusal_words(request, refused))
    return see_other("/counter")


async def _void(request: web.Request, row: VoucherRow, refused: Refuse | None = None) -> web.Response:
    return render(
        request, "counter_void.html", status=409 if refused else 200, row=row, reasons=VOID_REASONS,
        error=refusal_words(request, refused) if refused else "", **shared(request),
    )  # fmt: skip


async def _own_voucher(request: web.Request) -> VoucherRow:
    """The voucher the address names, if it is this merchant's. Raises HTTPNotFound."""
    merchant_id = await merchant_at(request)
    key_id, counter = int(request.match_info["key"]), int(request.match_info["counter"])
    row = await request.app[EDGE].read(vouchers.get, key_id, counter)
    if row is None or row.merchant_id != merchant_id:
        raise web.HTTPNotFound
    return row


@web.middleware
async def shop_first(request: web.Request, handler: Any) -> web.StreamResponse:
    """Whoever has no merchant yet is led to the choice."""
    try:
        response: web.StreamResponse = await handler(request)
    except NoShopError:
        return see_other("/counter")
    return response


def add_routes(app: web.Application) -> None:
    """Everything at the counter."""
    app.middlewares.append(shop_first)
    app.router.add_get("/counter", counter_page)
    app.router.add_get("/counter/live", live)
    app.router.add_post("/counter/merchant", choose_shop)
    app.router.add_get("/counter/print/{template:\\d{1,10}}", print_page)
    app.router.add_post("/counter/print/{template:\\d{1,10}}", order_print)
    app.router.add_post("/counter/came-out", came_out)
    app.router.add_post("/counter/order/{order:[0-9a-f]{32}}", go_on)
    app.router.add_get("/counter/vouchers", list_page)
    app.router.add_get("/counter/voucher/{key:\\d{1,10}}-{counter:\\d{1,15}}", void_page)
    app.router.add_post("/counter/voucher/{key:\\d{1,10}}-{counter:\\d{1,15}}/void", void)
