"""Pictures asked of lots: only the lot's own answer to this question counts, and it is asked once for all who look."""

from __future__ import annotations

import asyncio
import base64

import pytest

from cloud.sync import seeing
from cloud.sync.seeing import Seeing
from domain.seeing import ASK, MOST_BYTES, TOLD, label
from domain.wire import Json, is_genuine, pack, signed, unpack
from plumbing.sealing import seal
from plumbing.signing import PrivateKey, PublicKey

CLOUD, LOT, THIEF = (PrivateKey.from_raw(letter * 32) for letter in (b"c", b"l", b"t"))
PICTURE = b"\xff\xd8\xff" + bytes(500)


class Line:
    """A lot that answers each question with what *answers* makes of it; None: silence."""

    def __init__(self, *, picture: bytes = PICTURE, key: PrivateKey = LOT, of: str = "", edge: str = "e1") -> None:
        self.picture, self.key, self.of, self.edge = picture, key, of, edge
        self.asked: list[Json] = []
        self.silent = False
        self.seeing = Seeing(CLOUD, self.public_of, self.publish, lambda work, _name: asyncio.create_task(work))

    async def public_of(self, edge: str) -> PublicKey | None:
        return LOT.public if edge == "e1" else None

    async def publish(self, topic: str, payload: bytes) -> None:
        message = unpack(payload)
        assert topic == f"lg/v1/e1/dn/{ASK}"
        assert is_genuine(ASK, "e1", message, CLOUD.public)
        self.asked.append(message)
        if not self.silent:
            ask = str(message["ask"])
            sealed = seal(bytes.fromhex(str(message["seal"])), self.picture, label(self.of or ask))
            said: Json = {"ask": ask, "picture": base64.b64encode(sealed).decode()}
            await self.seeing.told(self.edge, pack(signed(TOLD, self.edge, said, self.key)))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeing, "WAIT_S", 0.2)


async def test_a_picture_is_asked_for_once_and_remembered_for_whoever_looks_next() -> None:
    line = Line()

    first = await asyncio.gather(*(line.seeing.picture("e1", "s1") for _ in range(5)))
    later = await line.seeing.picture("e1", "s1")

    assert [*first, later] == [PICTURE] * 6
    assert len(line.asked) == 1
    assert await line.seeing.picture("e1", "s2") == PICTURE
    assert len(line.asked) == 2


@pytest.mark.parametrize(
    "line",
    [
        Line(key=THIEF),
        Line(of="another question"),
        Line(edge="e2"),
        Line(picture=b"<svg onload=alert(1)>"),
        Line(picture=b""),
        Line(picture=b"\xff\xd8\xff" + bytes(MOST_BYTES)),
    ],
    ids=["forged", "of another question", "of another lot", "no jpeg", "none there", "too big"],
)
async def test_what_is_not_this_lots_picture_is_none(line: Line) -> None:
    assert await line.seeing.picture("e1", "s1") is None


async def test_a_silent_lot_is_not_asked_again_at_once() -> None:
    line = Line()
    line.silent = True

    assert await line.seeing.picture("e1", "s1") is None
    assert await line.seeing.picture("e1", "s1") is None
    assert len(line.asked) == 1


async def test_what_nobody_asked_for_is_dropped() -> None:
    line = Line()
    sealed = base64.b64encode(seal(line.seeing._box.public, PICTURE, label("x"))).decode()

    await line.seeing.told("e1", pack(signed(TOLD, "e1", {"ask": "x", "picture": sealed}, LOT)))
    await line.seeing.told("e1", b"nonsense")

    line.silent = True
    assert await line.seeing.picture("e1", "x") is None
