"""A driver's phone pays: type a plate or scan a quote, see what is due, pay, and hold the exit pass.

Nobody signs in, and nothing but a plate is asked for. Whoever types a plate sees what is due and not since when.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import segno
from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.fees import asking, quoting, service
from cloud.fees.asking import CHANGED, SILENT, Said
from cloud.fees.service import Asked
from cloud.lots import service as lots
from cloud.lots.asking import ask_lot
from cloud.members import extending
from cloud.payments import invoices
from cloud.payments.orders import PayOrder
from cloud.web.state import CLOUD, change, field_of, path_id, read
from domain.driver_page import LONGEST_TYPED, typed_plate
from domain.fee_quote import FeeQuote
from domain.plate import PROVINCES
from domain.scanned import ScannedKind, link_of
from domain.tries import Tries
from plumbing.lanepage import fee_lines
from plumbing.lanepage.pages import LETTERS, TAILS
from plumbing.web import client_address, render, texts

LOOKS = 40  # six seconds
SCANNED_LOOKS = 13  # two: the sum is known already
TRIES, TRIES_S = 20, 600.0  # plates of one address
PAYER = "driver:phone"
LONG_MS = 10_000  # a lot that has not answered by then is taken to have no line


class FeePages:
    """The pages of every lot."""

    def __init__(self) -> None:
        self._tries = Tries(TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """One address a lot, and one a quote."""
        app.router.add_get("/pay/{lot}", self.form)
        app.router.add_post("/pay/{lot}", self.ask)
        app.router.add_post("/pay/{lot}/pass", self.extend)
        app.router.add_get("/Q/{token}", self.quote)
        app.router.add_post("/Q/{token}", self.pay)

    async def form(self, request: web.Request) -> web.Response:
        """The keyboard."""
        return _form(request, await _lot(request))

    async def ask(self, request: web.Request) -> web.Response:
        """What a plate has to pay here, from the lot itself; from what it last said where it has no line."""
        lot = await _lot(request)
        plate = await self._plate(request, lot)
        if isinstance(plate, web.Response):
            return plate
        said = await _said(request, lot["lot_id"], plate)
        if said == SILENT:
            said = await _by_cloud(request, lot["lot_id"], plate) or said
        quotes = [(one, token) for token in (said.quote, said.debts) if (one := await _open(request, token))]
        return render(
            request, "fee_due.html", status=503 if said == SILENT else 200, lot=lot, plate=plate, said=said,
            quotes=[(one.quote, token) for one, token in quotes], off=await read(request, _worded, said),
            offer=await read(request, extending.offer_for, lot["lot_id"], plate, request.config_dict[CLOUD].now_ms()),
        )  # fmt: skip

    async def _plate(self, request: web.Request, lot: RowMapping) -> str | web.Response:
        """What was typed, in normal form; the keyboard again where it is no plate or one too many."""
        typed = (await field_of(request, "text"))[:LONGEST_TYPED]
        plate, problem = typed_plate(typed)
        if problem:
            return _form(request, lot, typed, texts(request)(f"lanepage.{problem}"))
        if not self._tries.take(client_address(request), asyncio.get_running_loop().time()):
            return _form(request, lot, "", texts(request)("fees.too_many"), 429)
        return plate

    async def extend(self, request: web.Request) -> web.Response:
        """A month more for a plate's monthly pass: on to where it is paid."""
        lot = await _lot(request)
        plate = await self._plate(request, lot)
        if isinstance(plate, web.Response):
            return plate
        order = await change(request, PAYER, _month, lot["lot_id"], plate)
        raise web.HTTPSeeOther(f"/pay/{lot['lot_id']}" if order is None else order.cashier_path)

    async def quote(self, request: web.Request) -> web.Response:
        """A quote from its code: what is due, and once it is paid the pass."""
        token = request.match_info["token"]
        asked = await _open(request, token)
        if asked is None:
            return render(request, "fee_over.html", status=404, why="unknown", lot_id=None)
        paid = await read(request, service.paid, asked.quote)
        if paid is not None:
            return await _paid(request, asked, paid)
        if not asked.quote.is_good_at(request.config_dict[CLOUD].now_ms() // 1000):
            return render(request, "fee_over.html", status=410, why="over", lot_id=asked.quote.lot_id)
        said = await self._explained(request, asked)
        known = await read(request, _known, asked.quote) if asked.quote.off_fen and not said.lines else []
        return render(
            request, "fee_quote.html", asked=asked, token=token, until=_local(asked, asked.quote.until_s), said=said,
            off=await read(request, _worded, said), known=known,
        )  # fmt: skip

    async def _explained(self, request: web.Request, asked: Asked) -> Said:
        """How the lot says the quote's sum comes about; SILENT without a line, CHANGED where it is another sum now."""
        quote = asked.quote
        if not quote.stay_id or not self._tries.take(client_address(request), asyncio.get_running_loop().time()):
            return SILENT
        said = await _said(request, quote.lot_id, quote.plate, SCANNED_LOOKS)
        again = await _open(request, said.quote)
        if said == SILENT or (again is not None and _sums(again.quote) == _sums(quote)):
            return said
        return CHANGED

    async def pay(self, request: web.Request) -> web.Response:
        """Open the order and go to where it is paid."""
        token = request.match_info["token"]
        order = await change(request, PAYER, service.begin, token, request.config_dict[CLOUD].config_key)
        if isinstance(order, Refused):
            return await self.quote(request)
        raise web.HTTPSeeOther(order.cashier_path)


def _month(conn: Connection, act: Act, lot_id: int, plate: str) -> PayOrder | None:
    made = extending.offer_for(conn, act.operator_id, lot_id, plate, act.now_ms)
    return None if made is None else extending.begin(conn, act, made, f"/pay/{lot_id}")


async def _lot(request: web.Request) -> RowMapping:
    found = await read(request, lots.get_lot, path_id(request, "lot"))
    if found is None:
        raise web.HTTPNotFound
    return found


async def _open(request: web.Request, token: str) -> Asked | None:
    return await read(request, service.open_quote, token, request.config_dict[CLOUD].config_key) if token else None


def _form(request: web.Request, lot: RowMapping, typed: str = "", error: str = "", status: int = 422) -> web.Response:
    return render(
        request, "fee_form.html", status=status if error else 200, lot=lot, typed=typed, error=error,
        provinces=PROVINCES, letters=LETTERS, tails=TAILS,
    )  # fmt: skip


def _sums(quote: FeeQuote) -> tuple[str, int, int, int]:
    return quote.stay_id, quote.fee_fen, quote.off_fen, quote.before_fen


def _worded(conn: Connection, operator_id: int, said: Said) -> list[tuple[str, int]]:
    """What each coupon took off, by the merchant that gave it."""
    names = coupons.givers(conn, operator_id, [ref for ref, _ in said.off])
    return [(names.get(ref, ""), fen) for ref, fen in said.off]


def _known(conn: Connection, operator_id: int, quote: FeeQuote) -> list[str]:
    return coupons.held_by(conn, operator_id, quote.lot_id, quote.plate, quote.stay_id)


async def _said(request: web.Request, lot_id: int, plate: str, looks: int = LOOKS) -> Said:
    text = await ask_lot(request, lot_id, asking.KIND, {"plate": plate}, looks)
    return SILENT if text is None else asking.read(text)


async def _by_cloud(request: web.Request, lot_id: int, plate: str) -> Said | None:
    """What the cloud makes of it while the lot has no line."""
    cloud, worded = request.config_dict[CLOUD], partial(fee_lines.in_every_language, texts(request).catalogue)
    return await read(request, quoting.quote, lot_id, plate, cloud.config_key, worded, cloud.now_ms())


async def _paid(request: web.Request, asked: Asked, row: RowMapping) -> web.Response:
    cloud, quote = request.config_dict[CLOUD], asked.quote
    token, digits = service.pass_of(row, cloud.config_key)
    host = cloud.public_url.partition("://")[2]
    code = segno.make_qr(link_of(host, ScannedKind.EXIT_PASS, token), error="m").svg_data_uri(scale=4, border=4)
    leave_by = _local(asked, int(row["paid_ms"]) // 1000 + 60 * quote.leave_min)
    return render(
        request, "fee_paid.html", asked=asked, row=row, code=code, digits=digits, leave_by=leave_by,
        paid_at=_local(asked, int(row["paid_ms"]) // 1000), waits=row["state"] == "paid",
        is_long=cloud.now_ms() - row["paid_ms"] > LONG_MS, invoice=await read(request, _invoice, row["order_id"]),
    )  # fmt: skip


def _invoice(conn: Connection, _operator_id: int, order_id: str) -> str:
    """The state of the invoice asked for, "" for none."""
    row = invoices.current(conn, order_id)
    return "" if row is None else str(row["state"])


def _local(asked: Asked, utc_s: int) -> str:
    """The lot's own time of day."""
    return f"{datetime.fromtimestamp(utc_s, UTC).astimezone(ZoneInfo(asked.time_zone)):%H:%M}"


def add_routes(app: web.Application) -> None:
    """Public: nobody signs in."""
    FeePages().add_routes(app)
