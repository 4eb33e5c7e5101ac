"""A payment code (付款码) that a booth or a lane scanned: taken for the lot's quote, once, and asked about (E41).

The lot signs what it asks with its own key. The code is the payer's money for a minute: it is neither kept nor logged.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.act import Refused
from cloud.fees import service
from cloud.fees.service import Asked
from cloud.lots import edges
from cloud.payments import orders
from cloud.payments.desk import DESK
from cloud.payments.orders import PayOrder
from cloud.payments.provider import Way
from cloud.web.state import CLOUD, change, read
from domain.fee_quote import CODE_ASK
from domain.wire import is_genuine
from plumbing.signing import PublicKey
from plumbing.web import csrf_exempt

log = logging.getLogger(__name__)

SOON_S = 3.0  # most wallets have paid by then; the others ask their owner for a password
PAID, WAITING, CLOSED, NOTHING = "paid", "waiting", "closed", "none"


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges under way."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)


CHARGES = web.AppKey("charges", Charges)


@csrf_exempt
async def charge(request: web.Request) -> web.Response:
    """``{edge_id, quote, code?, sig}``: take the code for the quote, or with no code say how it stands.

    Answers ``{state, why}``: paid, waiting (for the payer or for the provider), closed (nothing was taken), none.
    """
    body = await _body(request)
    asked = await _asked(request, body)
    token, code, why = str(body["quote"]), str(body.get("code", "")), ""
    if code and await read(request, standing, asked) != WAITING:
        order = await change(
            request, f"edge:{body['edge_id']}", service.begin, token, request.config_dict[CLOUD].config_key
        )
        why = order.code if isinstance(order, Refused) else await _begun(request, order, code)
    state = await read(request, standing, asked)
    return web.json_response({"state": CLOSED if why and state == NOTHING else state, "why": why})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as exc:
        raise web.HTTPBadRequest from exc
    if not isinstance(body, dict) or not isinstance(body.get("quote"), str):
        raise web.HTTPBadRequest
    return body


async def _asked(request: web.Request, body: dict[str, Any]) -> Asked:
    """The quote, if the edge of its own lot asks. Raises HTTPForbidden."""
    edge_id = str(body.get("edge_id", ""))
    asked = await read(request, service.open_quote, body["quote"], request.config_dict[CLOUD].config_key)
    who = await request.config_dict[CLOUD].db.run(edges.identity, edge_id)
    is_its_own = asked is not None and who is not None and who["lot_id"] == asked.quote.lot_id
    if asked is None or who is None or not is_its_own:
        raise web.HTTPForbidden
    if not is_genuine(CODE_ASK, edge_id, body, PublicKey.from_raw(bytes(who["public_key"]))):
        raise web.HTTPForbidden
    return asked


async def _begun(request: web.Request, order: PayOrder, code: str) -> str:
    """Take the code; what is not over soon goes on by itself. Why it was not tried at all, or ""."""
    charges = request.config_dict[CHARGES]
    task = asyncio.create_task(request.config_dict[DESK].pay_by_code(order.order_id, code))
    charges.tasks.add(task)
    task.add_done_callback(lambda done: _ended(charges, done))
    done, _ = await asyncio.wait({task}, timeout=SOON_S)
    result = task.result() if done and not task.exception() else None
    return result.code if isinstance(result, Refused) else ""


def _ended(charges: Charges, task: asyncio.Task[Any]) -> None:
    charges.tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("a payment code could not be worked on", exc_info=task.exception())


def standing(conn: Connection, operator_id: int, asked: Asked) -> str:
    """How the charge for a quote stands. One nobody knows the end of is waiting: no second code is taken meanwhile."""
    if service.paid(conn, operator_id, asked.quote) is not None:
        return PAID
    tries = [
        one["state"]
        for order_id in service.orders_of(conn, asked.quote)
        for one in orders.tries(conn, order_id)
        if one["way"] == Way.CODE.value
    ]
    if "waiting" in tries:
        return WAITING
    return CLOSED if tries else NOTHING


async def _stop(app: web.Application) -> None:
    """What is under way is asked about by the next rounds."""
    for task in list(app[CHARGES].tasks):
        task.cancel()


def add_routes(app: web.Application) -> None:
    """One call, for the lots' own devices."""
    app[CHARGES] = Charges()
    app.on_shutdown.append(_stop)
    app.router.add_post("/api/fees/code", charge)
