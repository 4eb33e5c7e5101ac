"""``POST /device/SECRET`` on the edge's device listener: bodies bounded, every refusal an answer, no lane harmed."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Iterable

from aiohttp import web

from drivers.base import BadFrameError, DeviceRefusedError, DeviceUnreachableError
from drivers.camera.pushed import Answer, Pushing
from drivers.digest import DigestCheck, challenge

log = logging.getLogger(__name__)

LANE_TURNS = 3  # of the event loop: the camera's reader, the lane, its call of the database thread


def device_routes(cameras: Iterable[Pushing]) -> list[web.RouteDef]:
    """Routes for cameras that push; some makes add a path of their own behind the secret."""
    by_secret = tuple(cameras)

    async def receive(request: web.Request) -> web.StreamResponse:
        given = request.match_info["secret"].encode()
        found = [camera for camera in by_secret if hmac.compare_digest(camera.secret.encode(), given)]
        return await answer_push(found[0], request) if found else web.Response(status=404)

    return [web.post("/device/{secret}", receive), web.post("/device/{secret}/{make:.{0,100}}", receive)]


def login_routes(cameras: Iterable[Pushing]) -> list[web.RouteDef]:
    """The bare addresses of ITSAPI, for cameras whose address cannot hold a secret: who they are, Digest tells."""
    known = [(camera, login) for camera in cameras if isinstance(login := getattr(camera, "login", None), DigestCheck)]

    async def receive(request: web.Request) -> web.StreamResponse:
        said = request.headers.get("Authorization", "")
        for camera, login in known:
            if login.accepts(request.method, request.path_qs, said):
                return await answer_push(camera, request)
        nonce = secrets.token_hex(16)
        for _, login in known:
            login.know(nonce)
        return web.Response(status=401, headers={"WWW-Authenticate": challenge(nonce)})

    return [web.post("/NotificationInfo/{kind:[A-Za-z]{1,40}}", receive)] if known else []


async def answer_push(camera: Pushing, request: web.Request) -> web.StreamResponse:
    """Take one push of *camera* and write the answer."""
    try:
        async with asyncio.timeout(camera.answer_within_s):
            body = await _bounded(request, camera.max_body)
            answer = await camera.push(body, request.headers.get("Content-Type", ""), request.remote or "")
            await _lane_first()
    except BadFrameError as exc:
        log.warning("camera %s: %s", camera.name, exc)
        return web.Response(status=400, text=str(exc))
    except DeviceRefusedError as exc:
        log.warning("%s", exc)
        return web.Response(status=403)
    except DeviceUnreachableError as exc:
        log.warning("%s", exc)
        return web.Response(status=503)
    except TimeoutError:
        log.warning("camera %s: its push came too slowly and was dropped", camera.name)
        return web.Response(status=503)
    return await _send(request, answer)


async def _lane_first() -> None:
    """Let the lane begin with what was pushed: writing the answer takes as long as half a decision."""
    for _ in range(LANE_TURNS):
        await asyncio.sleep(0)


async def _send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Write *answer* and say whether it left: an order to a camera may ride on it."""
    response = web.Response(body=answer.body, content_type=answer.content_type, charset="utf-8")
    whole = False
    try:
        if request.transport is not None and not request.transport.is_closing():
            await response.prepare(request)
            await response.write_eof()
            whole = True
    finally:
        answer.sent(whole)
    return response


async def _bounded(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise BadFrameError(f"camera push of {request.content_length} bytes; at most {limit} are taken")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise BadFrameError(f"camera push over {limit} bytes")
    return bytes(body)
