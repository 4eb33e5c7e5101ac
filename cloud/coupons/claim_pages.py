"""The page behind a coupon's code, on a driver's phone: see what it is, type the plate, confirm (S1.35).

Nobody signs in and nothing needs a script. The phone keeps a secret of its own in a cookie, so that its driver finds
the coupons again; a plate alone shows nothing of anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud.act import Refused
from cloud.coupons import claiming, placing, rebinding, wallets
from cloud.coupons.claiming import DRIVER, Claimed, Offered
from cloud.coupons.phone import keep, secret_of
from cloud.web.state import CLOUD, change, field_of, read, whole, words
from domain.driver_page import LONGEST_TYPED, typed_plate
from domain.ticket import number_in, plate_of
from domain.tries import Tries
from plumbing.lanepage.pages import keyboard
from plumbing.web import client_address, render, texts

TRIES, TRIES_S = 12, 600.0  # of one code, of one plate's wallet, of one phone
ADDRESS_TRIES = 60  # of one address, behind which many phones may stand
STATUS = {"claim_unknown": 404, "too_many": 429, "claim_taken": 410, "claim_withdrawn": 410, "claim_expired": 410} | {
    "slip_unknown": 404, "slip_used": 410, "slip_withdrawn": 410, "slip_expired": 410, "slip_bound": 410,
}  # fmt: skip


class ClaimPages:
    """Handlers, and how often each was tried."""

    def __init__(self) -> None:
        self._tries, self._of_address = Tries(TRIES, TRIES_S), Tries(ADDRESS_TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """One address a code, whichever case a phone makes of it."""
        app.router.add_get("/c/mine", self.mine)
        app.router.add_post("/c/mine", self.find)
        app.router.add_post("/c/mine/rebind", self.rebind)
        for path in ("/c/{code}", "/C/{code}"):
            app.router.add_get(path, self.form)
            app.router.add_post(path, self.claim)

    async def form(self, request: web.Request) -> web.Response:
        """What the code stands for, and the keyboard."""
        offered = await _offered(request)
        if offered is None:
            return self._unknown(request)
        refused = claiming.refusal(offered, request.config_dict[CLOUD].now_ms())
        phone = secret_of(request)
        if refused is not None and await read(request, _is_of, phone, offered.coupon["wallet_id"]):
            row = offered.coupon
            typed = await read(request, wallets.plate_of, row["wallet_id"])
            plate = wallets.drivers_plate(row["plate"], typed)
            return _done(request, Claimed(offered, plate, bool(row["stay_id"]), ""))
        if refused is not None:
            return refused_page(request, refused, offered)
        return form_page(request, offered, await read(request, _last_plate, phone))

    async def claim(self, request: web.Request) -> web.Response:
        """Show the plate once more, then bind."""
        offered, typed = await _offered(request), (await field_of(request, "text"))[:LONGEST_TYPED]
        if offered is None:
            return self._unknown(request)
        plate, problem = typed_plate(typed)
        if problem or "again" in await request.post():
            return form_page(request, offered, typed, problem)
        step = await field_of(request, "step")
        if step not in ("bind", "near"):
            alike = await self._alike(request, offered, plate)
            return render(request, "claim_confirm.html", offered=offered, plate=plate, alike=alike)
        if not self._may(offered.coupon["token"]):
            return refused_page(request, Refused("too_many"), offered)
        phone = secret_of(request, make=True)
        args = (offered.coupon["token"], plate, phone)
        lot_id = whole(await field_of(request, "lot_id")) or 0
        made = await change(request, DRIVER, claiming.claim, *args, is_near=step == "near", lot_id=lot_id)
        if isinstance(made, Refused):
            return refused_page(request, made, offered, typed)
        return keep(request, _done(request, made), phone)

    async def _alike(self, request: web.Request, offered: Offered, plate: str) -> RowMapping | None:
        """A car inside that this may be; shown as often as a code may be tried, so that nobody asks for all cars."""
        if claiming.refusal(offered, request.config_dict[CLOUD].now_ms()) is not None:
            return None
        alike = await read(request, placing.near, list(offered.lots), plate)
        return alike if alike is not None and self._may(f"near {offered.coupon['token']}") else None

    async def mine(self, request: web.Request) -> web.Response:
        """What this phone claimed, or how to see it from another."""
        return await _mine(request)

    async def find(self, request: web.Request) -> web.Response:
        """A plate with its code, or the number of an entry ticket alone."""
        typed, number = (await field_of(request, "text"))[:LONGEST_TYPED], number_in(await field_of(request, "code"))
        plate = typed_plate(typed)[0]
        if not self._may(f"wallet {plate or number}") or not self._may_from(request):
            return await _mine(request, Refused("too_many"))
        if number is None:
            return await _mine(request, Refused("wallet_code_wrong"))
        if not plate:
            found = await read(request, wallets.of_ticket, plate_of(number))
            return await _mine(request, None if found else Refused("wallet_code_wrong"), shown=found)
        phone = secret_of(request, make=True)
        refused = await change(request, DRIVER, wallets.open_by_code, phone, plate, number)
        return keep(request, await _mine(request, refused, phone=phone), phone)

    async def rebind(self, request: web.Request) -> web.Response:
        """The plate was mistyped: to another car, once (E4)."""
        coupon_id, typed = await field_of(request, "coupon_id"), (await field_of(request, "text"))[:LONGEST_TYPED]
        plate, problem = typed_plate(typed)
        if problem:
            return await _mine(request, said=texts(request)(f"lanepage.{problem}"))
        phone = secret_of(request)
        if not self._may(f"rebind {phone}"):
            return await _mine(request, Refused("too_many"))
        refused = await change(request, DRIVER, rebinding.by_driver, coupon_id, plate, phone)
        if refused is not None:
            return await _mine(request, refused)
        raise web.HTTPSeeOther("/c/mine?done=rebound")

    def _unknown(self, request: web.Request) -> web.Response:
        return refused_page(request, Refused("claim_unknown" if self._may_from(request) else "too_many"), None)

    def _may(self, name: str) -> bool:
        return self._tries.take(name, asyncio.get_running_loop().time())

    def _may_from(self, request: web.Request) -> bool:
        return self._of_address.take(client_address(request), asyncio.get_running_loop().time())


async def _offered(request: web.Request) -> Offered | None:
    return await read(request, claiming.find, request.match_info["code"])


def _last_plate(conn: Connection, _operator_id: int, phone: str) -> str:
    return wallets.last_plate(conn, phone)


def _is_of(conn: Connection, _operator_id: int, phone: str, wallet_id: int | None) -> bool:
    return bool(phone) and wallets.holds(conn, phone, wallet_id)


def _done(request: web.Request, claimed: Claimed) -> web.Response:
    return render(request, "claim_done.html", claimed=claimed, offered=claimed.offered)


def form_page(request: web.Request, offered: Offered, typed: str, problem: str = "") -> web.Response:
    """A coupon and the keyboard."""
    return render(
        request, "claim_form.html", status=422 if problem else 200, offered=offered, typed=typed,
        error=texts(request)(f"lanepage.{problem}") if problem else "", **keyboard(),
    )  # fmt: skip


def refused_page(request: web.Request, refused: Refused, offered: Offered | None, typed: str = "") -> web.Response:
    """Why it is not given."""
    return render(
        request, "claim_refused.html", status=STATUS.get(refused.code, 409), offered=offered, typed=typed,
        why=words(request, refused), code=refused.code,
    )  # fmt: skip


async def _mine(
    request: web.Request,
    refused: Refused | None = None,
    *,
    said: str = "",
    shown: Sequence[dict[str, Any]] = (),
    phone: str = "",
) -> web.Response:
    now_ms, phone = request.config_dict[CLOUD].now_ms(), phone or secret_of(request)
    own = await read(request, wallets.of_phone, phone, now_ms) if phone else ()
    return render(
        request, "claim_mine.html", status=422 if refused or said else 200, error=said or words(request, refused),
        coupons=[*shown, *own], own={row["coupon_id"] for row in own}, now_ms=now_ms,
        mends=rebinding.DRIVER_MS, **keyboard(),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Public: nobody signs in."""
    ClaimPages().add_routes(app)
