"""The page behind a poster's code, on a driver's phone: type the plate, see it once more, have the coupon (E11).

Nobody signs in and nothing needs a script. It tells nothing of a plate but what this poster gives it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud.act import Refused
from cloud.coupons import posters
from cloud.coupons.phone import keep, secret_of
from cloud.merchants import service as merchants
from cloud.web.state import change, field_of, read, whole, words
from domain.driver_page import LONGEST_TYPED, typed_plate
from domain.plate import PROVINCES
from domain.tries import Tries
from plumbing.lanepage.pages import LETTERS, TAILS
from plumbing.web import client_address, render, texts

DRIVER = "driver"  # who takes it: nobody signs in
TRIES, TRIES_S = 12, 600.0  # of one plate
ADDRESS_TRIES = 60  # of one address, behind which many phones may stand


class PosterClaims:
    """Handlers, and how often each was tried."""

    def __init__(self) -> None:
        self._tries, self._of_address = Tries(TRIES, TRIES_S), Tries(ADDRESS_TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """One address a poster."""
        app.router.add_get("/p/{code}", self.form)
        app.router.add_post("/p/{code}", self.take)

    async def form(self, request: web.Request) -> web.Response:
        """What the poster gives, and the keyboard."""
        return _page(request, await self._offer(request))

    async def take(self, request: web.Request) -> web.Response:
        """Show the plate once more, then give the coupon."""
        offer, typed = await self._offer(request), (await field_of(request, "text"))[:LONGEST_TYPED]
        plate, problem = typed_plate(typed)
        if problem or "again" in await request.post():
            return _page(request, offer, typed, texts(request)(f"lanepage.{problem}") if problem else "")
        if await field_of(request, "step") != "bind":
            return render(request, "poster_confirm.html", plate=plate, **offer)
        if not self._may(plate, request):
            return _page(request, offer, typed, words(request, Refused("poster_busy")))
        phone = secret_of(request, make=True)
        args = (request.match_info["code"], plate, phone, whole(await field_of(request, "lot_id")) or 0)
        made = await change(request, DRIVER, posters.take, *args)
        if isinstance(made, Refused):
            return _page(request, offer, typed, words(request, made))
        return keep(request, render(request, "poster_done.html", plate=plate, made=made, **offer), phone)

    def _may(self, plate: str, request: web.Request) -> bool:
        now = asyncio.get_running_loop().time()
        return self._of_address.take(client_address(request), now) and self._tries.take(plate, now)

    async def _offer(self, request: web.Request) -> dict[str, Any]:
        offer = await read(request, _face, request.match_info["code"])
        if offer is None:
            raise web.HTTPNotFound
        return offer


def _face(conn: Connection, operator_id: int, code: str) -> dict[str, Any] | None:
    """What a driver may know of a poster."""
    poster: RowMapping | None = posters.find(conn, operator_id, code)
    if poster is None:
        return None
    account = merchants.get(conn, operator_id, poster["merchant_id"])
    there = posters.lots_of(conn, operator_id, poster)
    lot = " / ".join(there.values())
    return {"poster": poster, "merchant": account["name"] if account else "", "lot": lot, "lots": there}


def _page(request: web.Request, offer: dict[str, Any], typed: str = "", error: str = "") -> web.Response:
    return render(
        request, "poster_claim.html", status=422 if error else 200, typed=typed, error=error,
        provinces=PROVINCES, letters=LETTERS, tails=TAILS, **offer,
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Public: nobody signs in."""
    PosterClaims().add_routes(app)
