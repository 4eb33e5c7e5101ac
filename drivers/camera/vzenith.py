"""Vzenith 臻识 camera (and Alphadigi units): it pushes over HTTP, we answer; its relay is never used here."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from aiohttp import web

from domain.plate import PlateVerdict
from drivers.base import (
    BadFrameError,
    BadOptionsError,
    DeviceRefusedError,
    DeviceUnreachableError,
    LoopChange,
    PlateCandidate,
    PlateRead,
)
from drivers.camera.vzenith_codec import MAX_BODY, GioIn, PlateResult, VzenithPush, parse_push
from drivers.camera.vzenith_reply import Reply, answer
from drivers.wiring import Wiring
from plumbing.files import ExposedFileError, read_secret

log = logging.getLogger(__name__)

SHORTEST_SECRET = 16
WAITING_READS = 256  # reads the lane has not taken yet; the camera itself keeps up to 9000
REMEMBERED = 20_000  # twice what a camera can replay
PARSE_IN_THREAD = 128 * 1024  # bigger bodies carry pictures and would hold the loop for milliseconds


@dataclass(frozen=True, slots=True)
class VzenithOptions:
    """A camera set to push to ``http://EDGE:PORT/device/SECRET``."""

    secret_file: Path  # holds the last part of that address, at least 16 characters
    serials: tuple[str, ...] = ()  # serial numbers allowed; empty: any
    addresses: tuple[str, ...] = ()  # addresses or networks allowed; empty: any
    dedupe_minutes: int = 60
    lost_after_seconds: int = 90  # three plain heartbeats of 30 s
    answer_within_ms: int = 3000

    def __post_init__(self) -> None:
        for address in self.addresses:
            ip_network(address, strict=False)


class VzenithCamera:
    """Takes the pushes of one camera; an offline record becomes a read that is not live and can never open."""

    def __init__(
        self, name: str, options: VzenithOptions, secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise BadOptionsError(
                f"camera {name}: its secret must have at least {SHORTEST_SECRET} characters; "
                "openssl rand -hex 16 makes one"
            )
        self.name = name
        self.options = options
        self.secret = secret
        self._clock = clock
        self._networks = tuple(ip_network(address, strict=False) for address in options.addresses)
        self._reads: asyncio.Queue[PlateRead] = asyncio.Queue(WAITING_READS)
        self._seen: OrderedDict[str, float] = OrderedDict()  # record name -> when it was taken
        self._listeners: list[tuple[int, str, asyncio.Queue[LoopChange]]] = []
        self._heard_at = clock()
        self._lost = False

    async def push(self, body: bytes, content_type: str, remote: str) -> bytes:
        """Take one push and return the reply bytes. Raises BadFrameError, or DeviceRefusedError when not allowed."""
        self._check_address(remote)
        if len(body) > PARSE_IN_THREAD:
            parsed = await asyncio.to_thread(parse_push, body, content_type)
        else:
            parsed = parse_push(body, content_type)
        if self.options.serials and parsed.serial not in self.options.serials:
            raise DeviceRefusedError(f"camera {self.name}: serial number {parsed.serial!r} is not on its list")
        self._heard()
        return answer(parsed, self._take(parsed))

    def _take(self, parsed: VzenithPush) -> Reply:
        if isinstance(parsed, GioIn):
            self._tell_listeners(parsed)
        if not isinstance(parsed, PlateResult):
            return Reply()
        if not self._is_copy(parsed.record):
            self._queue(read_of(parsed, self.name))
            self._seen[parsed.record] = self._clock()
        return Reply(continue_offline=parsed.plate_id if parsed.offline else None)

    def _queue(self, read: PlateRead) -> None:
        try:
            self._reads.put_nowait(read)
        except asyncio.QueueFull as exc:  # unanswered, so the camera keeps the record and sends it again
            raise DeviceUnreachableError(f"camera {self.name}: the lane has not taken {WAITING_READS} reads") from exc

    def _is_copy(self, record: str) -> bool:
        oldest_kept = self._clock() - self.options.dedupe_minutes * 60
        while self._seen and (len(self._seen) > REMEMBERED or next(iter(self._seen.values())) < oldest_kept):
            self._seen.popitem(last=False)
        return record in self._seen

    def _tell_listeners(self, change: GioIn) -> None:
        for source, loop, queue in self._listeners:
            if source == change.source:
                queue.put_nowait(LoopChange(loop, occupied=bool(change.value)))

    def _check_address(self, remote: str) -> None:
        if not self._networks:
            return
        with contextlib.suppress(ValueError):  # no address at all (a local socket) is on no list
            if any(ip_address(remote) in network for network in self._networks):
                return
        raise DeviceRefusedError(f"camera {self.name}: address {remote!r} is not on its list")

    def _heard(self) -> None:
        self._heard_at = self._clock()
        if self._lost:
            self._lost = False
            log.info("camera %s is back", self.name)

    def is_lost(self) -> bool:
        """True when nothing, heartbeats included, came for longer than allowed; logs the change once."""
        silent = self._clock() - self._heard_at > self.options.lost_after_seconds
        if silent and not self._lost:
            self._lost = True
            log.warning("camera %s has been silent for %d s", self.name, self.options.lost_after_seconds)
        return silent

    async def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival, each record once within the dedupe window; a silent camera just says nothing."""
        while True:
            try:
                async with asyncio.timeout(self.options.lost_after_seconds / 3):
                    read = await self._reads.get()
            except TimeoutError:
                self.is_lost()
                continue
            yield read

    async def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, from the next push on."""
        listener = (source, loop, asyncio.Queue[LoopChange]())
        self._listeners.append(listener)
        try:
            while True:
                yield await listener[2].get()
        finally:
            self._listeners.remove(listener)

    async def aclose(self) -> None:
        """Nothing to let go: the listener belongs to the edge."""


def read_of(result: PlateResult, camera: str) -> PlateRead:
    """The lane's view of a plate result. A plate the camera calls fake is for a person to confirm."""
    verdict = PlateVerdict.ASK if result.fake else PlateVerdict.ACCEPT
    candidate = PlateCandidate(result.plate, result.confidence, result.colour, result.box, verdict)
    return PlateRead(
        read_id=result.record,
        camera=camera,
        candidates=(candidate,),  # text "" is a car without a plate, not an empty lane
        live=not result.offline,
        image=result.image,
        crop=result.crop,
        taken_wall_ms=result.taken_wall_ms,
    )


def device_routes(cameras: Iterable[VzenithCamera]) -> list[web.RouteDef]:
    """``POST /device/SECRET`` for the edge's device listener; its application needs no body limit of its own."""
    by_secret = tuple(cameras)

    async def receive(request: web.Request) -> web.Response:
        given = request.match_info["secret"].encode()
        found = [camera for camera in by_secret if hmac.compare_digest(camera.secret.encode(), given)]
        return await _answer(found[0], request) if found else web.Response(status=404)

    return [web.post("/device/{secret}", receive)]


async def _answer(camera: VzenithCamera, request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(camera.options.answer_within_ms / 1000):
            body = await _bounded(request)
            reply = await camera.push(body, request.headers.get("Content-Type", ""), request.remote or "")
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
    return web.Response(body=reply, content_type="application/json", charset="utf-8")


async def _bounded(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise BadFrameError(f"camera push of {request.content_length} bytes; at most {MAX_BODY} are taken")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadFrameError(f"camera push over {MAX_BODY} bytes")
    return bytes(body)


async def open_vzenith(options: VzenithOptions, wiring: Wiring) -> VzenithCamera:
    """A camera that waits for pushes; the edge adds its ``device_routes``. Raises BadOptionsError."""
    try:
        secret = read_secret(options.secret_file)
    except OSError as exc:
        raise BadOptionsError(f"camera {wiring.name}: secret_file {options.secret_file}: {exc.strerror}") from exc
    except (ValueError, ExposedFileError) as exc:
        raise BadOptionsError(f"camera {wiring.name}: {exc}") from exc
    return VzenithCamera(wiring.name, options, secret)
