"""The page behind a printed voucher: a phone that scans the slip says which car it is for."""

from __future__ import annotations

import asyncio

from aiohttp import web
from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.coupons import slips, wallets
from cloud.coupons.claim_pages import ADDRESS_TRIES, TRIES, TRIES_S, form_page, refused_page
from cloud.coupons.claiming import DRIVER, Offered
from cloud.coupons.phone import secret_of
from cloud.coupons.slips import Slip
from cloud.web.state import CLOUD, change, field_of, read
from domain.driver_page import LONGEST_TYPED, typed_plate
from domain.tries import Tries
from plumbing.signing import BadKeyError, PublicKey
from plumbing.web import client_address, render


def genuine(public: bytes, purpose: bytes, body: bytes, signature: bytes) -> bool:
    """Whether the edge with this key signed the slip."""
    try:
        return PublicKey.from_raw(public)(purpose, body, signature)
    except BadKeyError:
        return False


class SlipPages:
    """Handlers, and how often each was tried."""

    def __init__(self) -> None:
        self._tries, self._of_address = Tries(TRIES, TRIES_S), Tries(ADDRESS_TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """The address on the paper, in capitals as it is printed."""
        for path in ("/V/{token}", "/v/{token}"):
            app.router.add_get(path, self.form)
            app.router.add_post(path, self.bind)

    async def form(self, request: web.Request) -> web.Response:
        """What the slip is worth, and the keyboard."""
        found = await self._find(request)
        if isinstance(found, Refused):
            return refused_page(request, found, None)
        slip, offered = found
        refused = slips.refusal(slip)
        if refused is not None:
            return refused_page(request, refused, offered)
        return form_page(request, offered, await read(request, _last_plate, secret_of(request)))

    async def bind(self, request: web.Request) -> web.Response:
        """Show the plate once more, then tell the lot."""
        found, typed = await self._find(request), (await field_of(request, "text"))[:LONGEST_TYPED]
        if isinstance(found, Refused):
            return refused_page(request, found, None)
        slip, offered = found
        plate, problem = typed_plate(typed)
        if problem or "again" in await request.post():
            return form_page(request, offered, typed, problem)
        if await field_of(request, "step") != "bind":
            return render(request, "claim_confirm.html", offered=offered, plate=plate, alike=None)
        if not self._tries.take(f"{slip.payload.voucher_id}", _now()):
            return refused_page(request, Refused("too_many"), offered)
        made = await change(request, DRIVER, slips.bind, _token(request), plate, genuine)
        if isinstance(made, Refused):
            return refused_page(request, made, offered, typed)
        return render(request, "claim_done.html", claimed=made, offered=made.offered, slip=True)

    async def _find(self, request: web.Request) -> tuple[Slip, Offered] | Refused:
        cloud = request.config_dict[CLOUD]
        found = await cloud.db.run(_look, cloud.act(DRIVER), _token(request))
        if isinstance(found, Refused) and not self._of_address.take(client_address(request), _now()):
            return Refused("too_many")
        return found


def _look(conn: Connection, act: Act, token: str) -> tuple[Slip, Offered] | Refused:
    slip = slips.find(conn, act, token, genuine)
    return slip if isinstance(slip, Refused) else (slip, slips.offered(conn, act.operator_id, slip))


def _last_plate(conn: Connection, _operator_id: int, phone: str) -> str:
    return wallets.last_plate(conn, phone)


def _token(request: web.Request) -> str:
    return request.match_info["token"].upper()


def _now() -> float:
    return asyncio.get_running_loop().time()


def add_routes(app: web.Application) -> None:
    """Public: whoever holds the paper."""
    SlipPages().add_routes(app)
