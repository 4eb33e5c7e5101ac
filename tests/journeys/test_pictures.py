"""A merchant looks for a car: its picture comes from the lot over a real broker, is told once, and is kept nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from PIL import Image
from sqlalchemy import Connection

from cloud.access import service as access
from cloud.access.roles import Role
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.merchants import contracts
from cloud.merchants import service as merchants
from domain.seeing import MOST_BYTES
from drivers.camera.simulated import Sight
from lotgate.demo.scenes import draw_scene
from tests.edge.test_daemon import PLATE
from tests.edge.web.running import Visitor
from tests.journeys.town import Town, open_town

PASSWORD = "seven cars waiting"
JPEG = b"\xff\xd8\xff"


@dataclass
class Looking:
    """A town and a merchant's browser; *shop* serves the lot unless told otherwise."""

    town: Town
    shop: Visitor

    async def stay_id(self) -> str:
        (stay,) = await self.town.lot.opened.edge.cars_inside()
        return stay.stay_id

    async def picture(self, stay_id: str) -> tuple[int, str, str, bytes]:
        async with self.shop.session.get(f"{self.shop.base}/m/issue/{stay_id}/picture") as answer:
            kept = answer.headers["Cache-Control"]
            return answer.status, answer.content_type, kept, await answer.read()


def _open_shop(conn: Connection, town: Town, hashed: str, *, serves: bool) -> str:
    act = town.cloud.act("admin")
    made = merchants.create_merchant(conn, act, "面馆", "13800000000")
    assert not isinstance(made, Refused)
    if serves:
        contracts.set_contract(conn, act, made["merchant_id"], town.lot_id)
    access.create_user(conn, act, "shop", "面馆", Role.MERCHANT, hashed, made["merchant_id"])
    conn.exec_driver_sql("UPDATE app_user SET must_change = false")
    return "shop"


def words_of(page: str) -> str:
    return re.sub("<[^>]+>|·", "", page)


@contextlib.asynccontextmanager
async def looking(folder: Path, *, serves: bool = True) -> AsyncIterator[Looking]:
    async with contextlib.AsyncExitStack() as stack:
        town = await stack.enter_async_context(open_town(folder))
        hashed = await town.cloud.passwords.hash(PASSWORD)
        await town.cloud.db.run(_open_shop, town, hashed, serves=serves)
        jar = aiohttp.CookieJar(unsafe=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar, cookies={"lg_lang": "zh-CN"}))
        shop = Visitor(town.cloud.public_url, session)
        await shop.send("/login", {"account": "shop", "password": PASSWORD})
        await town.lot.until(lambda: bool(town.cloud.live()))
        await town.lot.cameras["in"].see(Sight(PLATE, image=draw_scene(PLATE)))
        await town.lot.until(lambda: len(town.lot.board.pulses) == 1)
        async with asyncio.timeout(30):
            while not await town.cloud.db.run(lots.open_stay_of, town.cloud.operator_id, town.lot_id, PLATE):
                await asyncio.sleep(0.1)
        yield Looking(town, shop)


async def test_the_car_is_seen_small_and_once_it_has_left_no_more(tmp_path: Path) -> None:
    async with looking(tmp_path) as look:
        stay_id = await look.stay_id()
        page = await look.shop.get(f"/m/issue?q={PLATE}")

        status, kind, kept, body = await look.picture(stay_id)

        assert f"/m/issue/{stay_id}/picture" in page
        assert (status, kind, kept) == (200, "image/jpeg", "no-store")
        assert body.startswith(JPEG)
        assert len(body) <= MOST_BYTES
        with Image.open(io.BytesIO(body)) as picture:
            assert picture.width == 480
        assert (await look.picture("unknown"))[0] == 404
        assert await look.town.lot.opened.edge.read(_widest_event) < 2_000, "no event carries it"
        assert look.town.cloud.db.run_here(_commands) == 0, "and no command"
        await look.town.lot.passes("out", PLATE, 2)
        async with asyncio.timeout(30):
            while (await look.picture(stay_id))[0] != 404:
                await asyncio.sleep(0.1)


async def test_a_merchant_that_does_not_serve_the_lot_sees_no_picture(tmp_path: Path) -> None:
    async with looking(tmp_path, serves=False) as look:
        assert (await look.picture(await look.stay_id()))[0] == 404
        assert PLATE[1:] not in words_of(await look.shop.get(f"/m/issue?q={PLATE}"))


async def test_with_the_line_down_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with looking(tmp_path) as look:
        stay_id = await look.stay_id()
        await look.town.broker.stop()
        await look.town.lot.until(lambda: look.town.lot.opened.edge.link_state() == "offline", 20)

        assert (await look.picture(stay_id))[0] == 404
        monkeypatch.setattr(look.town.cloud, "live", dict)
        assert "车场离线，暂无照片" in await look.shop.get(f"/m/issue?q={PLATE}")


def _widest_event(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT max(length(body)) FROM outbox").fetchone()[0])


def _commands(conn: Connection) -> int:
    return int(conn.exec_driver_sql("SELECT count(*) FROM command").scalar_one())
