"""Small pictures of cars inside, asked of their lots when somebody looks (docs/sync.md §4): in memory, for minutes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Final

from domain.seeing import ASK, MOST_BYTES, TOLD, label
from domain.wire import BadMessageError, Json, is_genuine, pack, signed, text, unpack
from plumbing.sealing import BadSealError, SealKey
from plumbing.signing import PrivateKey, PublicKey

WAIT_S: Final = 4.0
KEPT_S: Final = 300.0  # a picture
MISSED_S: Final = 20.0  # that there is none, or that nobody answered
MOST_KEPT: Final = 256
MOST_WAITING: Final = 16
JPEG: Final = b"\xff\xd8\xff"

Spawn = Callable[[Coroutine[None, None, bytes], str], "asyncio.Task[bytes]"]
PublicOf = Callable[[str], Awaitable[PublicKey | None]]  # of an edge that is believed
Publish = Callable[[str, bytes], Awaitable[None]]
Stay = tuple[str, str]  # edge, stay


class Seeing:
    """Asks and remembers. A question is sent once; the same one asked meanwhile waits for the same answer."""

    def __init__(self, key: PrivateKey, public_of: PublicOf, publish: Publish, spawn: Spawn) -> None:
        self._key, self._box = key, SealKey.of(key)
        self._public_of, self._publish, self._spawn = public_of, publish, spawn
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._asked: dict[Stay, asyncio.Task[bytes]] = {}
        self._kept: OrderedDict[Stay, tuple[float, bytes]] = OrderedDict()

    async def picture(self, edge: str, stay_id: str) -> bytes | None:
        """A JPEG of at most MOST_BYTES, None where the lot has none or does not answer in time."""
        stay = (edge, stay_id)
        until_s, kept = self._kept.get(stay, (0.0, b""))
        if time.monotonic() < until_s:
            return kept or None
        if stay not in self._asked:
            if len(self._asked) >= MOST_WAITING:
                return None
            self._asked[stay] = self._spawn(self._ask(stay), f"picture of {stay_id}")
        return await asyncio.shield(self._asked[stay]) or None

    async def told(self, edge: str, payload: bytes) -> None:
        """A lot answered. What is forged, late or no picture is dropped."""
        with suppress(BadMessageError, BadSealError, binascii.Error):
            message = unpack(payload)
            ask = text(message, "ask")
            waiting = self._waiting.get(ask)
            public = None if waiting is None else await self._public_of(edge)
            if waiting is None or waiting.done() or public is None or not is_genuine(TOLD, edge, message, public):
                return
            small = self._box.open(base64.b64decode(text(message, "picture"), validate=True), label(ask))
            waiting.set_result(small if len(small) <= MOST_BYTES and small.startswith(JPEG) else b"")

    async def _ask(self, stay: Stay) -> bytes:
        edge, stay_id = stay
        ask = secrets.token_hex(16)
        self._waiting[ask] = asyncio.get_running_loop().create_future()
        message: Json = {"ask": ask, "stay": stay_id, "seal": self._box.public.hex()}
        small = b""
        try:
            await self._publish(f"lg/v1/{edge}/dn/{ASK}", pack(signed(ASK, edge, message, self._key)))
            async with asyncio.timeout(WAIT_S):
                small = await self._waiting[ask]
        except TimeoutError:
            pass
        finally:
            del self._waiting[ask], self._asked[stay]
        self._keep(stay, small)
        return small

    def _keep(self, stay: Stay, small: bytes) -> None:
        now_s = time.monotonic()
        self._kept[stay] = (now_s + (KEPT_S if small else MISSED_S), small)
        self._kept.move_to_end(stay)
        for other in [other for other, (until_s, _) in self._kept.items() if until_s <= now_s]:
            del self._kept[other]
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
