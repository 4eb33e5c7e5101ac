"""The cloud's question for a small picture of a car inside, answered at once or not at all (docs/sync.md §4)."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from domain.seeing import ASK, LONGEST, MOST_BYTES, TOLD, label
from domain.tries import Tries
from domain.wire import BadMessageError, Json, Sign, Verify, is_genuine, signed, text, unpack
from plumbing.sealing import BadSealError, seal
from plumbing.thumbnail import thumbnail

logger = logging.getLogger(__name__)

TRIES: Final = 60  # pictures a minute, whoever asks: lanes come first
TRIES_S: Final = 60.0

Picture = Callable[[str], Awaitable[bytes | None]]  # stay -> the picture its entry was decided on, while it is here


async def no_picture(_stay_id: str) -> bytes | None:
    """Of a lot that shows none to anybody."""
    return None


class Seeing:
    """Makes the answers of one edge. One picture is made small at a time."""

    def __init__(self, edge: str, sign: Sign, verify_cloud: Verify, picture: Picture) -> None:
        self._edge, self._sign, self._verify, self._picture = edge, sign, verify_cloud, picture
        self._tries, self._turn = Tries(TRIES, TRIES_S), asyncio.Lock()

    async def answer(self, payload: bytes) -> Json | None:
        """The message to send back; None for a question that is not the cloud's, or one too many."""
        try:
            message = unpack(payload)
            if not is_genuine(ASK, self._edge, message, self._verify):
                raise BadMessageError("not signed by our cloud for us")
            ask, stay_id = text(message, "ask")[:LONGEST], text(message, "stay")[:LONGEST]
            public = bytes.fromhex(text(message, "seal"))
            if not self._tries.take("", time.monotonic()):
                return None
            async with self._turn:
                image = await self._picture(stay_id)
                small = None if image is None else await asyncio.to_thread(thumbnail, image, MOST_BYTES)
            sealed = base64.b64encode(seal(public, small or b"", label(ask))).decode()
            return signed(TOLD, self._edge, {"ask": ask, "picture": sealed}, self._sign)
        except (BadMessageError, BadSealError, ValueError) as exc:
            logger.warning("a question for a picture was dropped: %s", exc)
            return None
