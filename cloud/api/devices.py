"""Calls without a key: how edges join and ask the time, and how a person gets a token."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web
from sqlalchemy import Connection

from cloud.access import pages as access_pages
from cloud.access import service as access
from cloud.access.service import Person
from cloud.act import Refused
from cloud.api.operation import Operation
from cloud.api.schema import FLAG, NAMED, WHOLE, maybe, record, text
from cloud.api.serving import dumps, refusal
from cloud.fees import service as fees
from cloud.joining import join
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.lots.edges import Claimed
from cloud.replacing import takeover_of
from cloud.web.state import CLOUD, Cloud
from domain.takeover import ANSWER, ASK
from domain.time_statement import PURPOSE, statement
from domain.wire import Json, is_genuine, signed
from plumbing.signing import PrivateKey, PublicKey
from plumbing.web import client_address

HEX_KEY = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
ANYTHING = {"type": "object"}


def answer(value: object, status: int = 200) -> web.Response:
    """*value* as JSON, Chinese as it is."""
    return web.json_response(value, status=status, dumps=dumps)


async def health(request: web.Request, _body: Json | None = None) -> web.Response:
    """Whether the service and its database answer."""
    cloud = request.config_dict[CLOUD]
    count = len(await cloud.db.run(lots.lots, cloud.operator_id))
    return answer({"status": "ok", "lots": count, "broker": cloud.is_connected()})


async def claim(request: web.Request, body: Json) -> web.Response:
    """A new device shows its claim's secret, once, and learns who it is (sync §9)."""
    cloud = request.config_dict[CLOUD]
    edge_id, address = body["edge_id"], client_address(request)
    _wait_for(cloud, edge_id, address)
    public_key = bytes.fromhex(body["public_key"])
    made = await cloud.db.run(_join, edge_id, body["secret"], public_key, cloud.config_key, cloud.now_ms())
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


def _wait_for(cloud: Cloud, edge_id: str, address: str) -> None:
    wait = cloud.throttle.wait_seconds(f"edge:{edge_id}", address)
    if wait:
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait)})


async def time_now(request: web.Request, body: Json) -> web.Response:
    """The time, signed for the asker and its nonce; for an edge whose clock cannot check a certificate."""
    cloud = request.config_dict[CLOUD]
    return answer(signed(PURPOSE, body["edge_id"], statement(body["nonce"], cloud.now_ms()), cloud.config_key))


async def takeover(request: web.Request, body: Json) -> web.Response:
    """Signed by a device that took another's place: what it begins with (sync §5)."""
    cloud, address = request.config_dict[CLOUD], client_address(request)
    edge_id, nonce = str(body["edge_id"]), body["nonce"]
    _wait_for(cloud, edge_id, address)
    who = await cloud.db.run(lot_edges.identity, edge_id)
    if who is None or not is_genuine(ASK, edge_id, body, PublicKey.from_raw(bytes(who["public_key"]))):
        cloud.throttle.failed(f"edge:{edge_id}", address)
        raise web.HTTPForbidden
    found = await cloud.db.run(takeover_of, edge_id)
    if isinstance(found, Refused):
        return refusal(request, found)
    told = {**found.message(), "nonce": nonce, "lot_id": who["lot_id"]}
    return answer({**signed(ANSWER, edge_id, told, cloud.config_key), "config_key": cloud.config_key.public.raw.hex()})


async def token(request: web.Request, body: Json) -> web.Response:
    """A token for account and password; a due first password is changed on the way."""
    cloud = request.config_dict[CLOUD]
    person = await access_pages.prove(cloud, body["account"], body["password"], client_address(request))
    if not isinstance(person, Person):
        if person == access_pages.OVER:
            return refusal(request, Refused("first_over"))
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(person)}) if person else web.HTTPUnauthorized()
    if person.must_change:
        refused = await _change_first(cloud, person, body.get("new_password", ""))
        if refused is not None:
            return refusal(request, refused)
    made = await cloud.db.run(access.create_token, cloud.act(person.login), person.user_id, body.get("name", "api"))
    return answer({"token": made, "role": person.role.value}, 201)


async def _change_first(cloud: Cloud, person: Person, password: str) -> Refused | None:
    if not password:
        return Refused("password_due")
    refused = access.refuse_password(password, person.login)
    if refused is None:
        hashed = await cloud.passwords.hash(password)
        await cloud.db.run(access.set_password, cloud.act(person.login), person.user_id, hashed)
    return refused


_WHO = text(64)
_NONCE = {"type": "string", "pattern": "^[0-9A-Za-z_-]{16,64}$"}

OPERATIONS = (
    Operation(
        "GET", "/health", "health", "Whether the service and its database answer", health,
        record({"status": {"const": "ok"}, "lots": WHOLE, "broker": FLAG}),
    ),
    Operation(
        "POST", "/tokens", "create_token", "A token for account and password", token,
        record({"token": NAMED, "role": NAMED}), status=201,
        body=record({"account": _WHO, "password": text(256)}, {"new_password": text(256), "name": text(60)}),
    ),
    Operation(
        "POST", "/claim", "claim_edge", "A device becomes the edge whose claim it shows, once", claim,
        record({
            "edge_id": _WHO, "operator_id": WHOLE, "lot_id": WHOLE, "voucher_key_id": WHOLE, "epoch": WHOLE,
            "config_key": HEX_KEY, "broker": maybe(record({"host": text(), "port": WHOLE})),
        }),
        body=record({"edge_id": _WHO, "secret": _WHO, "public_key": HEX_KEY}),
    ),
    Operation(
        "POST", "/takeover", "take_over", "What a device that took another's place begins with", takeover, ANYTHING,
        body={**ANYTHING, "properties": {"edge_id": _WHO, "nonce": _NONCE}, "required": ["edge_id", "nonce"]},
    ),
    Operation(
        "POST", "/time", "signed_time", "The time, signed for the asker and its nonce", time_now, ANYTHING,
        body=record({"edge_id": _WHO, "nonce": _NONCE}),
    ),
)  # fmt: skip
