"""The picture of a car inside beside the search that gives it a coupon (S1.29), asked of its lot when looked at."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.lots import service as lots
from cloud.lots.edges import edge_of_lot
from cloud.merchants import serving
from cloud.web.state import CLOUD, allow, place_of, read
from domain.tries import Tries
from plumbing.web import Session

TRIES: Final = 120  # pictures of one account in a minute: a search shows twenty
TRIES_S: Final = 60.0


def seeable(conn: Connection, operator_id: int, stay_id: str, merchant_id: int | None) -> str | None:
    """The edge to ask for a car's picture: it is inside, at a lot the merchant serves (None: the operator looks)."""
    stay = lots.stays(conn, operator_id, [stay_id]).get(stay_id)
    if stay is None or stay["left_ms"] is not None:
        return None
    if merchant_id is not None and stay["lot_id"] not in serving.served(conn, merchant_id):
        return None
    return edge_of_lot(conn, stay["lot_id"])


class PicturePages:
    """Handlers, and how often each account looked."""

    def __init__(self) -> None:
        self._tries = Tries(TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """One for each side."""
        app.router.add_get("/m/issue/{stay}/picture", self.mine)
        app.router.add_get("/admin/coupons/issue/{stay}/picture", self.any)

    async def mine(self, request: web.Request) -> web.Response:
        """For a merchant's people."""
        session = await allow(request, Right.GIVE)
        return await self._picture(request, session, place_of(session)[0])

    async def any(self, request: web.Request) -> web.Response:
        """For the operator's."""
        return await self._picture(request, await allow(request, Right.ISSUE), None)

    async def _picture(self, request: web.Request, session: Session, merchant_id: int | None) -> web.Response:
        cloud, stay_id = request.config_dict[CLOUD], request.match_info["stay"]
        if not may(session.role, Right.PLATES):
            raise web.HTTPForbidden
        if not self._tries.take(session.user_id, asyncio.get_running_loop().time()):
            raise web.HTTPTooManyRequests
        edge_id = await read(request, seeable, stay_id, merchant_id)
        small = await cloud.see(edge_id, stay_id) if edge_id is not None else None
        if small is None:
            raise web.HTTPNotFound
        return web.Response(body=small, content_type="image/jpeg")


def add_routes(app: web.Application) -> None:
    """Both."""
    PicturePages().add_routes(app)
