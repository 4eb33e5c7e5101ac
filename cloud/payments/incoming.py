"""Where providers tell us of payments. Their signature is the only proof; there is no cookie and no token."""

from __future__ import annotations

import logging

from aiohttp import web

from cloud.payments.desk import DESK
from cloud.payments.provider import BadNoticeError
from plumbing.web.csrf import csrf_exempt

log = logging.getLogger(__name__)


@csrf_exempt
async def notice(request: web.Request) -> web.Response:
    """One notice of a provider: proved, written, answered as it wants."""
    desk, account = request.config_dict[DESK], request.match_info["account"]
    provider = desk.providers.get(account)
    if provider is None:
        raise web.HTTPNotFound
    body = await request.read()
    taken = False
    try:
        told = provider.read_notice(request.headers, body)
        if told is not None:
            await desk.take_notice(account, told)
        taken = True
    except BadNoticeError as exc:
        log.warning("notice for %s not believed: %s", account, exc)
    reply = provider.reply(taken=taken)
    return web.Response(status=reply.status, text=reply.body, content_type=reply.content_type)


def add_routes(app: web.Application) -> None:
    """The providers' way in."""
    app.router.add_post("/api/payments/notices/{account}", notice)
