"""Carries a call out: who asks, may they, does it make sense, was it asked before; then one transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web
from sqlalchemy import Connection

from cloud.access import keys
from cloud.access.keys import Caller
from cloud.act import Refused
from cloud.api import answers
from cloud.api.operation import Ask, Direct, NotThereError, Operation, Work
from cloud.api.rates import Rates
from cloud.api.schema import MOST_ID, Schema, shown, wrong
from cloud.web.state import CLOUD, Cloud, words
from domain.wire import Json
from plumbing.web import Page, csrf_exempt, problem

RATES: Final = web.AppKey("api_rates", Rates)
MOST_FAULTS: Final = 20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON text, already cut to its schema, and the length of the whole list if it is one."""

    status: int
    text: str
    page: Page[Any] | None = None


class _TakeBackError(Exception):
    """The service refused: nothing of the transaction stays, an idempotency key least of all."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused


class _ForbiddenError(Exception):
    """The key is good, and not for this."""


def handler_of(operation: Operation) -> Handler:
    """The aiohttp handler that serves *operation*."""

    @csrf_exempt
    async def direct(request: web.Request) -> web.StreamResponse:
        body, faults = await _body_of(request, operation.body)
        return _nonsense(request, faults) if faults else await cast("Direct", operation.serve)(request, body)

    @csrf_exempt
    async def serve(request: web.Request) -> web.StreamResponse:
        return await _serve(request, operation)

    return direct if operation.scope is None else serve


async def _serve(request: web.Request, operation: Operation) -> web.StreamResponse:
    cloud, token = request.config_dict[CLOUD], _token(request)
    wait = request.config_dict[RATES].wait_seconds(token)
    if wait:
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait)})
    body, faults = await _body_of(request, operation.body)
    path, path_faults = _typed(operation.within, request.match_info)
    query, query_faults = _typed(operation.query, request.query)
    key = request.headers.get("Idempotency-Key") if operation.moves_money else None
    if key is not None and not answers.is_key(key):
        query_faults.append("Idempotency-Key: has 1 to 64 letters, digits, - or _")
    asked = _Asked(operation, token, key, path, query, body, [*path_faults, *query_faults, *faults])
    try:
        prepared = await _prepared(cloud, asked)
        run = cloud.db.share if operation.moves_money else cloud.db.run
        answer = await run(_carry_out, cloud, asked, prepared)
    except _TakeBackError as said:
        return refusal(request, said.refused)
    except _ForbiddenError as exc:
        raise web.HTTPForbidden from exc
    except NotThereError as exc:
        raise web.HTTPNotFound from exc
    except answers.KeyReusedError:
        return problem(request, 422, "key_reused", words(request, Refused("key_reused")))
    if answer is None:
        return _nonsense(request, asked.faults)
    if request.method not in ("GET", "HEAD"):
        cloud.wake()
        cloud.hub.publish("changed")
    return _response(request, answer)


@dataclass(frozen=True, slots=True)
class _Asked:
    operation: Operation
    token: str
    key: str | None
    path: Json
    query: Json
    body: Json
    faults: list[str]


async def _prepared(cloud: Cloud, asked: _Asked) -> Any:
    """What takes longer than a transaction should, such as hashing a password: for nobody who may not make the call."""
    prepare = asked.operation.prepare
    if prepare is None or asked.faults:
        return None
    await cloud.db.run(_admitted, cloud, asked)
    return await prepare(cloud, asked.body)


def _admitted(conn: Connection, cloud: Cloud, asked: _Asked) -> Caller:
    """Who calls, if they may. Raises HTTPUnauthorized, _ForbiddenError, NotThereError."""
    caller = keys.caller(conn, asked.token, cloud.now_ms())
    if caller is None or caller.operator_id != cloud.operator_id:
        raise web.HTTPUnauthorized
    _admit(asked.operation, caller, asked.path)
    return caller


def _carry_out(conn: Connection, cloud: Cloud, asked: _Asked, prepared: Any) -> Answer | None:
    """None when the call makes no sense: told only to those who may make it."""
    operation = asked.operation
    caller = _admitted(conn, cloud, asked)
    if asked.faults:
        return None
    ask = Ask(caller, asked.path, asked.query, asked.body, cloud, prepared)
    act = cloud.act(caller.by)
    if asked.key is None:
        return _work(conn, operation, act, ask)
    digest = answers.digest(operation.method, operation.path, asked.path, asked.body)
    before = answers.begin(conn, act, asked.key, digest)
    if before is not None:
        return Answer(*before)
    answer = _work(conn, operation, act, ask)
    answers.keep(conn, act, asked.key, answer.status, answer.text)
    return answer


def _admit(operation: Operation, caller: Caller, path: Json) -> None:
    if operation.scope not in caller.scopes:
        raise _ForbiddenError
    if caller.merchant_id is None:
        return
    if not operation.for_merchants:
        raise _ForbiddenError
    if path.get("merchant_id", caller.merchant_id) != caller.merchant_id:
        raise NotThereError


def _work(conn: Connection, operation: Operation, act: Any, ask: Ask) -> Answer:
    result = cast("Work", operation.serve)(conn, act, ask)
    if isinstance(result, Refused):
        raise _TakeBackError(result)
    page = result if isinstance(result, Page) else None
    value = shown(operation.answer, result.items if page else result)
    return Answer(operation.status, dumps(value), page)


def dumps(value: object) -> str:
    """JSON with Chinese as it is."""
    return json.dumps(value, ensure_ascii=False)


def _response(request: web.Request, answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, text=answer.text, content_type="application/json")
    if answer.page is not None:
        if not answer.page.more:
            response.headers["X-Total-Count"] = str(answer.page.total)
        steps = {"prev": answer.page.number - 1, "next": answer.page.number + 1}
        links = [
            f'<{request.rel_url.update_query(page=number)}>; rel="{rel}"'
            for rel, number in steps.items()
            if 1 <= number <= answer.page.pages
        ]
        if links:
            response.headers["Link"] = ", ".join(links)
    return response


def refusal(request: web.Request, refused: Refused) -> web.Response:
    """A service's no."""
    return problem(request, 409, refused.code, words(request, refused), facts=dict(refused.facts))


def _nonsense(request: web.Request, faults: list[str]) -> web.Response:
    return problem(request, 422, "bad_request", faults=faults[:MOST_FAULTS])


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not token.strip().isascii():
        raise web.HTTPUnauthorized
    return token.strip()


async def _body_of(request: web.Request, schema: Schema | None) -> tuple[Json, list[str]]:
    """The body and what is wrong with it. Raises HTTPBadRequest for what is no JSON at all."""
    if schema is None:
        return {}, []
    try:
        value = json.loads(await request.text() or "{}")
        dumps(value).encode()  # half a surrogate pair is no text
    except (ValueError, LookupError, RecursionError) as exc:
        raise web.HTTPBadRequest from exc
    return (value if isinstance(value, dict) else {}), wrong(schema, value)


def _typed(wanted: Any, given: Any) -> tuple[Json, list[str]]:
    """Values of a path or query in the types of their schemas; what nobody asked for is passed over."""
    values: Json = {}
    faults: list[str] = []
    for name, schema in wanted.items():
        if name not in given:
            continue
        value: Any = given[name]
        if schema.get("type") == "integer" and value.isascii() and value.isdigit() and len(value) <= len(str(MOST_ID)):
            value = int(value)
        if schema.get("type") == "boolean":
            value = {"true": True, "false": False}.get(value, value)
        values[name] = value
        faults += wrong(schema, value, name)
    return values, faults
