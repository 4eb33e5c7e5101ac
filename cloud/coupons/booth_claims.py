"""A claim code that was scanned or typed at a lot's booth: bound to the car that stands there (E36).

The lot signs what it asks with its own key, so nobody counts its tries; the code is of that lot or is refused.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.coupons import claiming
from cloud.coupons.claiming import Claimed
from cloud.lots import edges
from cloud.web.state import CLOUD, change
from domain.claim_code import BOOTH_ASK, BOOTH_PATH
from domain.wire import is_genuine
from plumbing.signing import PublicKey
from plumbing.web import csrf_exempt

ASKED = ("edge_id", "code", "plate", "mark")
SHORTEST_MARK = 16


@csrf_exempt
async def claim(request: web.Request) -> web.Response:
    """``{edge_id, code, plate, mark, sig}``: answers ``{why, facts}``, *why* empty where the coupon is the car's now.

    *mark* is the form's own secret: said again it is the same claim.
    """
    body, lot_id = await _asked(request)
    by = f"edge:{body['edge_id']}"
    result = await change(request, by, bind, lot_id, body["code"], body["plate"], body["mark"])
    refused = result if isinstance(result, Refused) else Refused("")
    return web.json_response({"why": refused.code, "facts": {name: str(fact) for name, fact in refused.facts.items()}})


def bind(conn: Connection, act: Act, lot_id: int, code: str, plate: str, mark: str) -> Claimed | Refused:
    """Claim *code* for *plate* at this lot, one where it is good."""
    offered = claiming.find(conn, act.operator_id, code)
    if offered is not None and lot_id not in offered.lots:
        return Refused("claim_other_lot")
    return claiming.claim(conn, act, code, plate, f"booth {mark}", booth_of=lot_id)


async def _asked(request: web.Request) -> tuple[dict[str, Any], int]:
    """What is asked, and the lot that asks. Raises HTTPBadRequest and HTTPForbidden."""
    try:
        body = await request.json()
    except ValueError as exc:
        raise web.HTTPBadRequest from exc
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in ASKED):
        raise web.HTTPBadRequest
    if len(body["mark"]) < SHORTEST_MARK:
        raise web.HTTPBadRequest
    who = await request.config_dict[CLOUD].db.run(edges.identity, body["edge_id"])
    if who is None or not is_genuine(BOOTH_ASK, body["edge_id"], body, PublicKey.from_raw(bytes(who["public_key"]))):
        raise web.HTTPForbidden
    return body, int(who["lot_id"])


def add_routes(app: web.Application) -> None:
    """One call, for the lots' own devices."""
    app.router.add_post(BOOTH_PATH, claim)
