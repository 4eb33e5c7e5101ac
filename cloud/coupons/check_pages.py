"""The verifier's page: a number typed or scanned, and what became of the coupon (S3.21, S3.22, E65)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.coupons import checking
from cloud.coupons.slip_pages import genuine
from cloud.web.state import CLOUD, allow, lots_of, read
from domain.tries import Tries
from plumbing.web import render

TRIES, TRIES_S = 60, 60.0  # of one account: numbers of vouchers follow each other


class CheckPage:
    """The handler, and how often each account asked."""

    def __init__(self) -> None:
        self._tries = Tries(TRIES, TRIES_S)

    async def page(self, request: web.Request) -> web.Response:
        """Look, and say."""
        session = await allow(request, Right.CHECK)
        typed, found, busy = request.query.get("q", "").strip()[: checking.LONGEST], None, False
        if typed:
            busy = not self._tries.take(session.user_id, asyncio.get_running_loop().time())
        if typed and not busy:
            now_ms = request.config_dict[CLOUD].now_ms()
            found = await read(request, checking.look, typed, genuine, now_ms, lots_of(session))
        plates = may(session.role, Right.PLATES)
        return render(
            request, "check.html", status=429 if busy else 200, typed=typed, found=found, busy=busy, plates=plates
        )


def add_routes(app: web.Application) -> None:
    """One page."""
    app.router.add_get("/admin/check", CheckPage().page)
