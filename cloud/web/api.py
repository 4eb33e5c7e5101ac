"""The machine interface: how edges join, and what scripts need to set a lot up and look at it.

Callers other than a joining edge show ``Authorization: Bearer <token>``; cookies count for nothing here, so no page of
another site can use them. Answers are JSON; refusals are problem details with a stable ``code``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access import pages as access_pages
from cloud.access import service as access
from cloud.access.roles import Right, may
from cloud.access.service import Person
from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.fees import service as fees
from cloud.joining import join
from cloud.lots import edges as lot_edges
from cloud.lots import incidents as lot_incidents
from cloud.lots import remote
from cloud.lots import service as lots
from cloud.lots.edges import Claimed
from cloud.lots.service import LaneSpec
from cloud.merchants import contracts, leases, ledger, onboarding
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.replacing import replace_edge, takeover_of
from cloud.sync import channels
from cloud.web.state import CLOUD, Cloud, change, path_id, read, words
from domain.claim import write_claim
from domain.ledger import Commodity
from domain.plate import normalise
from domain.stay import Direction
from domain.takeover import ANSWER, ASK
from domain.time_statement import PURPOSE, statement
from domain.wire import Json, is_genuine, signed
from plumbing.passwords import random_password
from plumbing.signing import PrivateKey, PublicKey
from plumbing.web import client_address, csrf_exempt, problem

MOST_NONCE = 64
Handler = Callable[[web.Request], Awaitable[web.Response]]


def answer(value: object, status: int = 200) -> web.Response:
    """*value* as JSON, Chinese as it is."""
    return web.json_response(value, status=status, dumps=lambda each: json.dumps(each, ensure_ascii=False))


def refusal(request: web.Request, refused: Refused) -> web.Response:
    """A service's no."""
    return problem(request, 409, refused.code, words(request, refused), facts=dict(refused.facts))


async def body_of(request: web.Request) -> Json:
    """The JSON object sent. Raises HTTPBadRequest for anything else."""
    try:
        value = await request.json()
    except ValueError as exc:
        raise web.HTTPBadRequest from exc
    if not isinstance(value, dict):
        raise web.HTTPBadRequest
    return value


def text(body: Json, name: str, default: str | None = None) -> str:
    """A text of the body. Raises HTTPUnprocessableEntity when it is missing or something else."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise web.HTTPUnprocessableEntity
    return value


def number(body: Json, name: str, default: int | None = None) -> int:
    """A whole number of the body. Raises HTTPUnprocessableEntity when it is missing or something else."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 53:
        raise web.HTTPUnprocessableEntity
    return value


async def caller(request: web.Request, right: Right) -> Person:
    """Whose token came with the request. Raises HTTPUnauthorized, HTTPForbidden."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise web.HTTPUnauthorized
    person = await request.config_dict[CLOUD].db.run(access.bearer, token.strip())
    if person is None:
        raise web.HTTPUnauthorized
    if not may(person.role, right):
        raise web.HTTPForbidden
    return person


async def health(request: web.Request) -> web.Response:
    """Whether the service and its database answer."""
    cloud = request.config_dict[CLOUD]
    count = len(await cloud.db.run(lots.lots, cloud.operator_id))
    return answer({"status": "ok", "lots": count, "broker": cloud.is_connected()})


@csrf_exempt
async def claim(request: web.Request) -> web.Response:
    """A new device shows its claim's secret, once, and learns who it is (sync §9)."""
    cloud = request.config_dict[CLOUD]
    body = await body_of(request)
    edge_id, address = text(body, "edge_id"), client_address(request)
    wait = cloud.throttle.wait_seconds(f"edge:{edge_id}", address)
    if wait:
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait)})
    try:
        public_key = bytes.fromhex(text(body, "public_key"))
    except ValueError as exc:
        raise web.HTTPUnprocessableEntity from exc
    made = await cloud.db.run(_join, edge_id, text(body, "secret"), public_key, cloud.config_key, cloud.now_ms())
    if isinstance(made, Refused):
        cloud.throttle.failed(f"edge:{edge_id}", address)
        return refusal(request, made)
    cloud.throttle.succeeded(f"edge:{edge_id}", address)
    cloud.hub.publish("changed")
    broker = cloud.settings.broker
    line = {"host": broker.host, "port": broker.port} if broker else None
    return answer({**asdict(made), "config_key": cloud.config_key.public.raw.hex(), "broker": line})


def _join(
    conn: Connection, edge_id: str, secret: str, public_key: bytes, key: PrivateKey, now_ms: int
) -> Claimed | Refused:
    """Bind the device, and tell it how passes are typed at its lot."""
    made = join(conn, edge_id, secret, public_key, now_ms)
    if isinstance(made, Claimed):
        fees.tell_codes(conn, made.operator_id, key, now_ms)
    return made


@csrf_exempt
async def time_now(request: web.Request) -> web.Response:
    """``{edge_id, nonce}``: the time, signed for both; for an edge whose clock cannot check a certificate."""
    cloud, body = request.config_dict[CLOUD], await body_of(request)
    edge_id, nonce = text(body, "edge_id"), text(body, "nonce")
    if not 16 <= len(nonce) <= MOST_NONCE or len(edge_id) > MOST_NONCE:
        raise web.HTTPUnprocessableEntity
    return answer(signed(PURPOSE, edge_id, statement(nonce, cloud.now_ms()), cloud.config_key))


@csrf_exempt
async def takeover(request: web.Request) -> web.Response:
    """``{edge_id, nonce, csr?, sig}``, signed by a device that took another's place: what it begins with (sync §5)."""
    cloud, body = request.config_dict[CLOUD], await body_of(request)
    edge_id, nonce, address = text(body, "edge_id"), text(body, "nonce"), client_address(request)
    wait = cloud.throttle.wait_seconds(f"edge:{edge_id}", address)
    if wait:
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait)})
    who = await cloud.db.run(lot_edges.identity, edge_id)
    if who is None or not is_genuine(ASK, edge_id, body, PublicKey.from_raw(bytes(who["public_key"]))):
        cloud.throttle.failed(f"edge:{edge_id}", address)
        raise web.HTTPForbidden
    found = await cloud.db.run(takeover_of, edge_id)
    if isinstance(found, Refused):
        return refusal(request, found)
    told = {**found.message(), "nonce": nonce, "lot_id": who["lot_id"]}
    return answer({**signed(ANSWER, edge_id, told, cloud.config_key), "config_key": cloud.config_key.public.raw.hex()})


@csrf_exempt
async def token(request: web.Request) -> web.Response:
    """A token for account and password; a due first password is changed on the way with ``new_password``."""
    cloud = request.config_dict[CLOUD]
    body = await body_of(request)
    person = await access_pages.prove(cloud, text(body, "account"), text(body, "password"), client_address(request))
    if not isinstance(person, Person):
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(person)}) if person else web.HTTPUnauthorized()
    if person.must_change:
        refused = await _change_first(cloud, person, text(body, "new_password", ""))
        if refused is not None:
            return refusal(request, refused)
    name = text(body, "name", "api")
    made = await cloud.db.run(access.create_token, cloud.act(person.login), person.user_id, name)
    return answer({"token": made, "role": person.role.value}, 201)


async def _change_first(cloud: Cloud, person: Person, password: str) -> Refused | None:
    if not password:
        return Refused("password_due")
    refused = access.refuse_password(password, person.login)
    if refused is None:
        hashed = await cloud.passwords.hash(password)
        await cloud.db.run(access.set_password, cloud.act(person.login), person.user_id, hashed)
    return refused


async def list_lots(request: web.Request) -> web.Response:
    """Lots with cars inside and lanes."""
    await caller(request, Right.VIEW)
    rows, lanes = await read(request, lots.lots), await read(request, lots.lanes)
    return answer(
        [dict(row) | {"lanes": [dict(lane) for lane in lanes if lane["lot_id"] == row["lot_id"]]} for row in rows]
    )


@csrf_exempt
async def create_lot(request: web.Request) -> web.Response:
    """``{name, places, lanes: [{name, direction, from, to}]}``."""
    person = await caller(request, Right.MANAGE)
    body = await body_of(request)
    zone = text(body, "time_zone", request.config_dict[CLOUD].settings.time_zone)
    args = text(body, "name"), zone, number(body, "places"), _lanes(body)
    made = await change(request, person.login, lots.create_lot, *args)
    return refusal(request, made) if isinstance(made, Refused) else answer({"lot_id": made}, 201)


def _lanes(body: Json) -> list[LaneSpec]:
    try:
        return [
            LaneSpec(text(each, "name"), Direction(text(each, "direction")), text(each, "from"), text(each, "to"))
            for each in body.get("lanes", [])
        ]
    except (ValueError, AttributeError, TypeError) as exc:
        raise web.HTTPUnprocessableEntity from exc


@csrf_exempt
async def open_barrier(request: web.Request) -> web.Response:
    """Ask a lot for one pulse at a lane; ``GET`` of the lot's openings says what came of it."""
    person, body = await caller(request, Right.MANAGE), await body_of(request)
    lot_id, lane, reason = path_id(request, "lot_id"), request.match_info["lane"], text(body, "reason")
    refused = await change(request, person.login, remote.open_barrier, lot_id, lane, reason)
    return refusal(request, refused) if refused else answer({"asked": True}, 202)


async def list_openings(request: web.Request) -> web.Response:
    """The last openings asked for from here at a lot."""
    await caller(request, Right.VIEW)
    found = await read(request, remote.asked, path_id(request, "lot_id"))
    shown = ("made_ms", "expires_ms", "state", "result")
    return answer([{**row["body"], **{name: row[name] for name in shown}} for row in found])


@csrf_exempt
async def create_edge(request: web.Request) -> web.Response:
    """``{lot_id, name}`` gives the claim text, this once."""
    person = await caller(request, Right.MANAGE)
    cloud, body = request.config_dict[CLOUD], await body_of(request)
    args = number(body, "lot_id"), text(body, "name"), cloud.public_url, cloud.config_key.public.raw
    made = await change(request, person.login, lot_edges.create_edge, *args)
    if isinstance(made, Refused):
        return refusal(request, made)
    return answer({"edge_id": made.edge_id, "claim": write_claim(made)}, 201)


@csrf_exempt
async def replace(request: web.Request) -> web.Response:
    """Put the edge out and get the claim text for the device that takes its place, this once."""
    person, cloud = await caller(request, Right.MANAGE), request.config_dict[CLOUD]
    args = request.match_info["edge_id"], cloud.public_url, cloud.config_key.public.raw
    made = await change(request, person.login, replace_edge, *args)
    if isinstance(made, Refused):
        return refusal(request, made)
    return answer({"edge_id": made.edge_id, "claim": write_claim(made)}, 201)


async def list_edges(request: web.Request) -> web.Response:
    """Edges with where their logs stand."""
    await caller(request, Right.VIEW)
    shown = ("edge_id", "lot_id", "lot_name", "name", "state", "epoch", "seq", "told_seq", "seen_ms")
    held = await read(request, channels.standings)
    told = ("channel", "ver", "held_ver", "agrees")
    return answer(
        [
            {name: row[name] for name in shown}
            | {"channels": [{name: each[name] for name in told} for each in held.get(row["edge_id"], [])]}
            for row in await read(request, lot_edges.edges)
        ]
    )


@csrf_exempt
async def create_merchant(request: web.Request) -> web.Response:
    """``{name, phone, branch, remark, lots: […]}``: prepaid, settled on issue, with a contract at these lots."""
    person = await caller(request, Right.MANAGE)
    body, password = await body_of(request), random_password()
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    details = [text(body, name, "") for name in ("name", "phone", "branch", "remark")]
    lot_ids = body.get("lots", [])
    if not isinstance(lot_ids, list) or not all(isinstance(each, int) for each in lot_ids):
        raise web.HTTPUnprocessableEntity
    made = await change(request, person.login, _ready_merchant, details, hashed, lot_ids)
    if isinstance(made, Refused):
        return refusal(request, made)
    return answer({**asdict(made), "password": password}, 201)


def _ready_merchant(
    conn: Connection, act: Act, details: list[str], hashed: str, lot_ids: list[int]
) -> onboarding.Onboarded | Refused:
    made = onboarding.onboard(conn, act, details[0], details[1], details[2], details[3], hashed)
    if isinstance(made, Refused):
        return made
    modes = PaymentMode.PREPAID, SettlementMode.ON_ISSUE
    merchants.configure_settlement(conn, act, made.merchant_id, *modes)
    for lot_id in lot_ids:
        contracts.set_contract(conn, act, made.merchant_id, lot_id)
    return made


@csrf_exempt
async def top_up(request: web.Request) -> web.Response:
    """``{commodity: FEN|MIN, paid, bonus, remark}``."""
    person = await caller(request, Right.MONEY)
    body = await body_of(request)
    commodity = Commodity.MIN if text(body, "commodity", "FEN") == "MIN" else Commodity.FEN
    args = path_id(request, "merchant_id"), commodity, number(body, "paid"), number(body, "bonus", 0)
    refused = await change(request, person.login, merchants.top_up, *args, text(body, "remark", ""))
    return refusal(request, refused) if refused is not None else answer({"done": True})


@csrf_exempt
async def create_template(request: web.Request) -> web.Response:
    """``{name, kind, value, meaning, cap_fen, valid_min, remainder}``."""
    person = await caller(request, Right.ISSUE)
    body = await body_of(request)
    made = await change(
        request,
        person.login,
        coupons.create_template,
        path_id(request, "merchant_id"),
        text(body, "name"),
        text(body, "kind"),
        number(body, "value", 0),
        meaning=text(body, "meaning", "end"),
        cap_fen=number(body, "cap_fen", 0),
        valid_min=number(body, "valid_min", 1440),
        remainder=text(body, "remainder", "forfeit"),
    )
    return refusal(request, made) if isinstance(made, Refused) else answer({"template_id": made}, 201)


@csrf_exempt
async def issue(request: web.Request) -> web.Response:
    """``{merchant_id, template_id, stay_id}`` or ``plate`` in place of ``stay_id``: a coupon to a car inside.

    ``value`` for a kind that has none of its own.
    """
    person = await caller(request, Right.ISSUE)
    body = await body_of(request)
    stay_id = text(body, "stay_id", "") or await _stay_of(request, text(body, "plate", ""))
    args = number(body, "merchant_id"), number(body, "template_id"), stay_id, number(body, "value", 0)
    made = await change(request, person.login, coupons.issue, *args)
    return refusal(request, made) if isinstance(made, Refused) else answer(asdict(made), 201)


async def _stay_of(request: web.Request, plate: str) -> str:
    wanted = normalise(plate)
    found = await read(request, lots.cars_inside, wanted) if wanted else None
    exact = [row["stay_id"] for row in found.items if row["plate"] == wanted] if found else []
    return exact[0] if len(exact) == 1 else ""


@csrf_exempt
async def void(request: web.Request) -> web.Response:
    """``{reason}``: take an unused coupon back."""
    person = await caller(request, Right.ISSUE)
    reason = text(await body_of(request), "reason")
    refused = await change(request, person.login, coupons.void, request.match_info["coupon_id"], reason)
    return refusal(request, refused) if refused is not None else answer({"done": True})


@csrf_exempt
async def refill(request: web.Request) -> web.Response:
    """Lease what the edge may need now, in place of waiting for the next round."""
    person = await caller(request, Right.MONEY)
    limits = request.config_dict[CLOUD].settings.leases
    terms = leases.Terms(limits.cap, limits.spend_until_h)
    granted = await change(request, person.login, leases.refill, request.match_info["edge_id"], terms)
    return answer({"granted": granted})


async def cars(request: web.Request) -> web.Response:
    """``?q=`` part of a plate: cars inside."""
    await caller(request, Right.PLATES)
    return answer(_rows((await read(request, lots.cars_inside, normalise(request.query.get("q", "")))).items))


async def list_coupons(request: web.Request) -> web.Response:
    """Coupons, newest first."""
    await caller(request, Right.PLATES)
    return answer(_rows((await read(request, coupons.coupons, None, request.query.get("q", ""))).items))


async def list_vouchers(request: web.Request) -> web.Response:
    """Vouchers printed at lots, newest first."""
    await caller(request, Right.VIEW)
    return answer(_rows((await read(request, coupons.vouchers)).items))


async def list_incidents(request: web.Request) -> web.Response:
    """Open incidents."""
    await caller(request, Right.VIEW)
    return answer(_rows((await read(request, lot_incidents.incidents, only_open=True)).items))


async def list_leases(request: web.Request) -> web.Response:
    """Leases, newest first."""
    await caller(request, Right.VIEW)
    return answer(_rows((await read(request, leases.listed)).items))


async def books(request: web.Request) -> web.Response:
    """Every merchant's accounts and whether they are right (I1, I2)."""
    await caller(request, Right.VIEW)
    found = await read(request, _own_books)
    return answer([asdict(each) | {"is_right": each.is_right} for each in found])


def _own_books(conn: Connection, operator_id: int) -> list[ledger.Books]:
    own = {row["merchant_id"] for row in merchants.everyone(conn, operator_id)}
    return [each for each in ledger.merchant_books(conn) if each.merchant_id in own]


def _rows(rows: Any) -> list[Mapping[str, Any]]:
    return [dict(row) for row in rows]


def add_routes(app: web.Application) -> None:
    """Everything under /api/v1."""
    add_get, add_post = app.router.add_get, app.router.add_post
    gets: dict[str, Handler] = {
        "health": health,
        "lots": list_lots,
        "edges": list_edges,
        "cars": cars,
        "coupons": list_coupons,
        "vouchers": list_vouchers,
        "incidents": list_incidents,
        "leases": list_leases,
        "books": books,
        "lots/{lot_id:[0-9]+}/openings": list_openings,
    }
    posts: dict[str, Handler] = {
        "claim": claim,
        "tokens": token,
        "lots": create_lot,
        "lots/{lot_id:[0-9]+}/lanes/{lane}/open": open_barrier,
        "edges": create_edge,
        "edges/{edge_id}/refill": refill,
        "edges/{edge_id}/replace": replace,
        "takeover": takeover,
        "time": time_now,
        "merchants": create_merchant,
        "merchants/{merchant_id:[0-9]+}/top-up": top_up,
        "merchants/{merchant_id:[0-9]+}/templates": create_template,
        "coupons": issue,
        "coupons/{coupon_id}/void": void,
    }
    for path, handler in gets.items():
        add_get(f"/api/v1/{path}", handler)
    for path, handler in posts.items():
        add_post(f"/api/v1/{path}", handler)
