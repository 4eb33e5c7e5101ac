"""A slip looked at in the cloud is the picture that the lot's own booth draws, dot for dot, over the real link."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import replace
from pathlib import Path

import aiohttp

from edge.settings import EdgeSettings
from tests.journeys.test_lot_and_cloud import World, whole_world
from tests.journeys.test_people import Administrator

LIKES = {"paper": 80, "qr": "native", "text": "drawn", "cutter": False, "tear_lines": 7}


def with_likes(settings: EdgeSettings) -> EdgeSettings:
    devices = settings.devices
    return replace(settings, devices=replace(devices, printers={"desk": {**devices.printers["desk"], **LIKES}}))


async def seen_afar(admin: Administrator) -> bytes:
    page = await admin.get("/admin/lots/1/slips?slip=test&printer=own:desk&written=zh-CN")
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return base64.b64decode(picture)


async def at_the_booth(world: World) -> bytes:
    office = world.lot.opened.edge.office
    return await world.lot.opened.edge.printers["desk"].sample("test", office.lot, office.now().wall_ms)


async def test_the_cloud_draws_a_slip_as_the_booth_does(tmp_path: Path) -> None:
    async with (
        whole_world(tmp_path, change=with_likes) as world,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        admin = Administrator(session, world.cloud.base)
        await admin.send("/login", "/login", account="admin", password="seven cars waiting")

        async with asyncio.timeout(30):  # the minute printed on it may end between the two
            while await at_the_booth(world) != await seen_afar(admin):
                await asyncio.sleep(0.1)
