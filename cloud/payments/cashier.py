"""The cashier: the one page where any order is paid. It opens by the order's id alone, which nobody can guess."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

import segno
from aiohttp import web

from cloud.act import Refused
from cloud.payments import orders
from cloud.payments.desk import DESK, Desk
from cloud.payments.orders import PayOrder
from cloud.payments.provider import KnowsPayers, Prepared, ProviderError, Way
from cloud.web.state import CLOUD, words
from plumbing.web import Event, client_address, render, render_part, stream

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the order, the providers there are, the chosen one's code, or why there is none."""

    order: PayOrder
    kinds: list[str]
    chosen: str = ""
    code: str = ""
    error: str = ""
    is_phone: bool = False
    is_back: bool = False


async def _order(request: web.Request) -> PayOrder:
    cloud = request.config_dict[CLOUD]
    found = await cloud.db.run(orders.get, cloud.operator_id, request.match_info["order"])
    if found is None:
        raise web.HTTPNotFound
    return found


async def _shown(request: web.Request) -> Shown:
    """The page as it is now. On a phone the payer chooses; elsewhere a code is shown at once."""
    order, desk = await _order(request), request.config_dict[DESK]
    offers = await desk.offers(order) if order.state == "open" else {}
    kinds = sorted(offers, key=lambda kind: (offers[kind].rank, kind))
    agent, is_back = request.headers.get("User-Agent", ""), "back" in request.query
    is_phone = "Mobi" in agent
    wanted = request.query.get("with", "")
    chosen = wanted if wanted in kinds else next(iter(kinds), "")
    if not chosen or is_phone or is_back:
        return Shown(order, kinds, is_phone=is_phone, is_back=is_back)
    made = await _prepared(desk, order, chosen, Way.QR)
    if isinstance(made, Refused):
        return Shown(order, kinds, chosen, error=words(request, made))
    return Shown(order, kinds, chosen, segno.make_qr(made.qr_text, error="m").svg_data_uri(scale=5, border=3))


async def _prepared(
    desk: Desk, order: PayOrder, kind: str, way: Way, payer: str = "", address: str = ""
) -> Prepared | Refused:
    try:
        return await desk.prepare(order.order_id, kind, way, payer, address)
    except ProviderError as exc:
        log.warning("order %s cannot be begun at %s: %s", order.order_id, kind, exc)
        return Refused("provider_silent")


async def page(request: web.Request) -> web.Response:
    """Pay, or see what became of it. Inside a wallet's own browser the wallet opens at once."""
    order, desk = await _order(request), request.config_dict[DESK]
    if "back" in request.query and order.state == "open":
        await desk.look_at(order)
    elif order.state == "open":
        agent = request.headers.get("User-Agent", "")
        for kind, provider in (await desk.offers(order)).items():
            if provider.wallet in agent and Way.WALLET in provider.ways:
                raise web.HTTPFound(f"{order.cashier_path}/{kind}")
    return render(request, "cashier.html", shown=await _shown(request))


async def live(request: web.Request) -> web.StreamResponse:
    """The page's moving part."""
    last = ""

    async def show(_fact: str) -> list[Event]:
        nonlocal last
        part = render_part(request, "cashier_part.html", shown=await _shown(request))
        if part == last:
            return []
        last = part
        return [Event("cashier", part)]

    await _order(request)
    return await stream(request, request.config_dict[CLOUD].hub, show)


async def begin(request: web.Request) -> web.StreamResponse:
    """On to the provider: its page, or its wallet when we are inside it."""
    order, desk = await _order(request), request.config_dict[DESK]
    kind = request.match_info["provider"]
    provider = (await desk.offers(order)).get(kind)
    if provider is None or order.state != "open":
        raise web.HTTPFound(order.cashier_path)
    is_inside = provider.wallet in request.headers.get("User-Agent", "") and Way.WALLET in provider.ways
    if is_inside and isinstance(provider, KnowsPayers):
        return await _in_wallet(request, desk, order, kind, provider)
    way = Way.WALLET if is_inside else Way.PHONE
    made = await _prepared(desk, order, kind, way, address=client_address(request))
    if isinstance(made, Refused):
        shown = Shown(order, [kind], kind, error=words(request, made), is_phone=True)
        return render(request, "cashier.html", status=502, shown=shown)
    raise web.HTTPFound(made.url)


async def _in_wallet(
    request: web.Request, desk: Desk, order: PayOrder, kind: str, provider: KnowsPayers
) -> web.StreamResponse:
    """The provider's own script takes over, once it is known who pays."""
    here = f"{desk.base_url()}{order.cashier_path}/{kind}"
    state = order.order_id.replace("-", "")
    code = request.query.get("code", "")
    if not code or request.query.get("state") != state:
        raise web.HTTPFound(provider.ask_who(here, state))
    try:
        payer = await provider.who(code)
    except ProviderError as exc:
        log.warning("nobody says who pays %s: %s", order.order_id, exc)
        raise web.HTTPFound(provider.ask_who(here, state)) from exc
    made = await _prepared(desk, order, kind, Way.WALLET, payer)
    if isinstance(made, Refused):
        shown = Shown(order, [kind], kind, error=words(request, made), is_phone=True)
        return render(request, "cashier.html", status=502, shown=shown)
    return render(request, "cashier_wallet.html", order=order, kind=kind, wallet=json.dumps(dict(made.wallet)))


async def script(request: web.Request) -> web.StreamResponse:
    """What speaks with a provider's wallet."""
    kind = request.match_info["provider"]
    for provider in request.config_dict[DESK].providers.values():
        if provider.kind == kind and isinstance(provider, KnowsPayers):
            return web.FileResponse(provider.script)
    raise web.HTTPNotFound


def add_routes(app: web.Application) -> None:
    """The payer's pages."""
    add_get = app.router.add_get
    add_get("/payments/wallet/{provider:[a-z]+}.js", script)
    add_get("/payments/{order}", page)
    add_get("/payments/{order}/live", live)
    add_get("/payments/{order}/{provider:[a-z]+}", begin)
