"""The cloud's question for a picture: answered to nobody else, sealed for its key, and so many a minute."""

from __future__ import annotations

import base64
import io

from PIL import Image

from domain.seeing import ASK, TOLD, label
from domain.wire import Json, is_genuine, pack, signed
from edge.sync.seeing import TRIES, Seeing
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey

CLOUD, EDGE = PrivateKey.from_raw(b"c" * 32), PrivateKey.from_raw(b"e" * 32)
BOX = SealKey.of(CLOUD)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), (10, 90, 30)).save(file, "JPEG")
    return file.getvalue()


async def picture(stay_id: str) -> bytes | None:
    return jpeg() if stay_id == "s1" else None


def ask(stay_id: str = "s1", key: PrivateKey = CLOUD, edge: str = "e1", purpose: str = ASK) -> bytes:
    message: Json = {"ask": "q1", "stay": stay_id, "seal": BOX.public.hex()}
    return pack(signed(purpose, edge, message, key))


def seeing() -> Seeing:
    return Seeing("e1", EDGE, CLOUD.public, picture)


def opened(said: Json | None) -> bytes:
    assert said is not None
    return BOX.open(base64.b64decode(said["picture"]), label("q1"))


async def test_only_the_cloud_that_asks_opens_the_answer_and_knows_whose_it_is() -> None:
    said = await seeing().answer(ask())

    assert said is not None
    assert opened(said).startswith(b"\xff\xd8\xff")
    assert is_genuine(TOLD, "e1", said, EDGE.public)
    assert not is_genuine(TOLD, "e2", said, EDGE.public)


async def test_a_car_without_a_picture_is_answered_with_none() -> None:
    assert opened(await seeing().answer(ask("s2"))) == b""


async def test_nobody_else_is_answered() -> None:
    lot = seeing()
    strangers = [ask(key=PrivateKey.from_raw(b"x" * 32)), ask(edge="e2"), ask(purpose="cmd"), b"", b"\x00[]"]
    no_key = pack(signed(ASK, "e1", {"ask": "q1", "stay": "s1", "seal": "zz"}, CLOUD))

    assert [await lot.answer(one) for one in (*strangers, no_key)] == [None] * 6


async def test_so_many_a_minute_and_then_silence() -> None:
    lot = seeing()
    answers = [await lot.answer(ask("s2")) for _ in range(TRIES + 1)]

    assert [one is None for one in answers] == [False] * TRIES + [True]
