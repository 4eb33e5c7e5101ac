"""A device that wakes in 1970 asks the cloud for the time before TLS can be checked, and believes a signature alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from domain.moment import Anchor, Moment, Quality
from domain.time_statement import PURPOSE, open_statement, statement
from domain.wire import BadMessageError, Json, signed
from edge.clock import Clock
from edge.cold_time import keep_time
from edge.db import boots, log
from edge.db.database import open_database, transaction
from edge.settings import EdgeSettings
from plumbing.onethread import OneThread
from plumbing.signing import PrivateKey
from tests.edge.lots import START, settings

NOW_MS = START.wall_ms
KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
ASKED, HEARD = Moment("b", 1_000, 5), Moment("b", 1_080, 85)


def told(nonce: str = "n" * 16, utc_ms: int = NOW_MS, edge: str = "e1", key: PrivateKey = KEY) -> Json:
    return signed(PURPOSE, edge, statement(nonce, utc_ms), key)


def opened(message: Json, least_ms: int = 0, heard: Moment = HEARD) -> Anchor:
    return open_statement("e1", message, "n" * 16, ASKED, heard, KEY.public, least_ms)


def test_the_clouds_word_is_good_for_the_middle_of_the_exchange() -> None:
    assert opened(told(), NOW_MS) == Anchor("b", 1_040, NOW_MS, 40)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: opened(told(key=OTHER)),
        lambda: opened(told(edge="e2")),
        lambda: opened(told(nonce="m" * 16)),
        lambda: opened({**told(), "utc_ms": NOW_MS + 1}),
        lambda: opened(told(), NOW_MS + 41),
        lambda: opened(told(), heard=Moment("b", 62_000, 5)),
        lambda: opened(told(), heard=Moment("c", 1_080, 5)),
        lambda: opened({}),
    ],
    ids=["key", "edge", "nonce", "changed", "before what is certain", "slow", "boot", "nothing"],
)
def test_anything_else_is_no_time(wrong: Callable[[], Anchor]) -> None:
    with pytest.raises(BadMessageError):
        wrong()


@dataclass
class Cloud:
    """Answers as the cloud does."""

    key: PrivateKey = KEY
    utc_ms: int = NOW_MS
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["edge_id"])
        return web.json_response(told(body["nonce"], self.utc_ms, body["edge_id"], self.key))


@contextlib.asynccontextmanager
async def served(cloud: Cloud, folder: Path) -> AsyncIterator[EdgeSettings]:
    app = web.Application()
    app.router.add_post("/api/v1/time", cloud.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lot = settings(folder)
    lot.cloud_url_file.write_text(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    try:
        yield lot
    finally:
        await runner.cleanup()


def cold_clock(folder: Path) -> Clock:
    """A machine without a hardware clock that has just started: the system believes it is 1970."""
    (folder / "rtc").mkdir()
    return Clock("cold", lambda: 5_000, lambda: 5_000, folder / "no-ntp", folder / "rtc")


async def test_a_clock_in_1970_is_set_by_the_cloud_and_kept(tmp_path: Path) -> None:
    cloud, clock = Cloud(), cold_clock(tmp_path)
    async with served(cloud, tmp_path) as lot, OneThread("db") as thread:
        db = await thread.run(open_database, lot.database)
        before = clock.now()
        task = asyncio.create_task(keep_time(lot, clock, thread, db, KEY.public, lambda: None))
        async with asyncio.timeout(20):
            while not clock.now().is_vouched:
                await asyncio.sleep(0.01)
        task.cancel()
        kept = await thread.run(log.anchors, db.conn, "cold")
        await thread.run(db.close)

    assert before.quality is Quality.UNKNOWN
    assert (clock.now().quality, clock.utc().year, len(kept)) == (Quality.CLOUD, 2026, 1)


@pytest.mark.parametrize("harm", ["key", "early"])
async def test_a_stranger_or_a_time_that_is_past_for_certain_sets_nothing(tmp_path: Path, harm: str) -> None:
    cloud, clock = Cloud(OTHER if harm == "key" else KEY), cold_clock(tmp_path)
    async with served(cloud, tmp_path) as lot, OneThread("db") as thread:
        db = await thread.run(open_database, lot.database)

        def known() -> None:
            with transaction(db) as conn:
                boots.note(conn, Moment("warm", 9, NOW_MS + 60_000 if harm == "early" else 0, Quality.NTP))

        await thread.run(known)
        task = asyncio.create_task(keep_time(lot, clock, thread, db, KEY.public, lambda: None))
        async with asyncio.timeout(20):
            while not cloud.asked:
                await asyncio.sleep(0.01)
        for _ in range(50):
            await asyncio.sleep(0.01)
        task.cancel()
        kept = await thread.run(log.anchors, db.conn, "cold")
        await thread.run(db.close)

    assert (kept, clock.now().quality) == ([], Quality.UNKNOWN)


async def test_a_clock_somebody_vouches_for_is_asked_only_when_certificates_are_refused(tmp_path: Path) -> None:
    cloud, clock = Cloud(), Clock("warm", lambda: 5_000, lambda: NOW_MS, tmp_path / "no-ntp", tmp_path / "no-rtc")
    async with served(cloud, tmp_path) as lot, OneThread("db") as thread:
        db = await thread.run(open_database, lot.database)
        why = [None, "broker is not valid on 2026-01-01 00:00"]
        for error in why:
            task = asyncio.create_task(keep_time(lot, clock, thread, db, KEY.public, lambda e=error: e))  # type: ignore[misc]
            async with asyncio.timeout(20):
                while error and not cloud.asked:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            task.cancel()
            assert bool(cloud.asked) is bool(error)
        await thread.run(db.close)
