"""An administrator's list on the cloud's page decides at the lane: over the real link, to the barrier and the fee."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import pytest

from domain.decision import Decision
from domain.lane import Idle
from domain.wire import Json
from drivers.camera.simulated import Sight
from edge.db import channels
from tests.edge.test_daemon import PLATE
from tests.journeys.test_lot_and_cloud import World, all_told, rules, world  # noqa: F401

NEW = "/admin/people/new"


class Administrator:
    """A browser without scripts at the cloud's pages."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base

    async def get(self, path: str) -> str:
        async with self._session.get(self._base + path) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return text

    async def send(self, page: str, path: str, **fields: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', await self.get(page))
        assert found is not None
        async with self._session.post(self._base + path, data={"csrf_token": found[1], **fields}) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return text


@pytest.fixture
async def admin(world: World) -> AsyncIterator[Administrator]:  # noqa: F811
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        browser = Administrator(session, world.cloud.base)
        await browser.send("/login", "/login", account="admin", password="seven cars waiting")
        yield browser


async def told(world: World, key: str, *names: str) -> Json:  # noqa: F811
    """The row of the lot's list, once it is there with all of *names*."""
    async with asyncio.timeout(30):
        while True:
            row = await world.lot.opened.edge.read(channels.get, "people", key)
            if row is not None and all(name in row for name in names):
                return row
            await asyncio.sleep(0.05)


async def test_a_monthly_car_added_on_the_clouds_page_comes_and_goes_free_until_it_is_ended(
    world: World,  # noqa: F811
    admin: Administrator,
) -> None:
    lot, edge = world.lot, world.lot.opened.edge
    (row,) = await world.cloud.call("lots")
    card = {"kind": "monthly", "name": "陈先生", "plates": PLATE, "zone": str(row["lot_id"])}
    await admin.send(NEW, NEW, **card)
    assert (await told(world, f"entitled:1:{PLATE}"))["grant"] == "monthly"

    await lot.passes("in", PLATE, 1)
    lot.later(600)
    await lot.passes("out", PLATE, 2)
    (first,) = await edge.recent_stays()

    await admin.send("/admin/people/1", "/admin/people/1/end", reason="moved out")
    await told(world, f"entitled:1:{PLATE}", "until_ms")
    await lot.passes("in", PLATE, 3)
    lot.later(90)
    quote = await edge.quote((await edge.cars_inside())[0].stay_id)
    await all_told(world)

    assert (first.fee_fen, first.outcome) == (0, "FREE")
    assert quote is not None
    assert quote.explanation["due_fen"] > 0
    assert "陈先生" in await admin.get("/admin/people?state=over")


async def test_a_stay_is_cut_where_its_card_says_and_only_the_rest_is_charged(
    world: World,  # noqa: F811
    admin: Administrator,
) -> None:
    lot, edge = world.lot, world.lot.opened.edge
    (row,) = await world.cloud.call("lots")
    today = f"{edge.office.lot.local(edge.office.now().wall_ms):%Y-%m-%d}"
    common = {"kind": "monthly", "zone": str(row["lot_id"])}
    await admin.send(NEW, NEW, name="ends today", plates="京A00001", ends=today, **common)
    await admin.send(NEW, NEW, name="nights", plates="京A00002", w1_from="20:00", w1_to="08:00", **common)
    await admin.send(NEW, NEW, name="family", plates="京A00003 京A00004", places="1", **common)
    for key in ("1:京A00001", "2:京A00002", "3:京A00004"):
        await told(world, f"entitled:{key}")

    for pulses, plate in enumerate(("京A00001", "京A00002", "京A00003", "京A00004"), 1):
        await lot.until(lambda: isinstance(edge.workers["in"].state.phase, Idle))
        await lot.passes("in", plate, pulses)
    lot.later(1440)
    quotes = {stay.plate: await edge.quote(stay.stay_id) for stay in await edge.cars_inside()}

    spans = {plate: _covered(quote) for plate, quote in quotes.items()}
    assert spans["京A00001"][-1][1] == datetime.fromisoformat(today) + timedelta(days=1)
    assert sum(((ends - begins) for begins, ends in spans["京A00002"]), timedelta()) == timedelta(hours=12)
    assert spans["京A00004"] == []
    due = {plate: quote.explanation["due_fen"] for plate, quote in quotes.items() if quote is not None}
    assert due["京A00003"] == 0
    assert min(due[plate] for plate in ("京A00001", "京A00002", "京A00004")) > 0


def _covered(quote: Decision | None) -> list[tuple[datetime, datetime]]:
    assert quote is not None
    lines = [line for line in quote.explanation["lines"] if line["rule"] == "covered"]
    return [(datetime.fromisoformat(line["from"]), datetime.fromisoformat(line["to"])) for line in lines]


async def test_a_car_blocked_on_the_clouds_page_is_not_let_in(world: World, admin: Administrator) -> None:  # noqa: F811
    lot, edge = world.lot, world.lot.opened.edge
    await admin.send("/admin/people/blocked", "/admin/people/blocked", plate=PLATE, reason="逃费")
    await told(world, "block:1")

    await lot.cameras["in"].see(Sight(PLATE))
    await lot.until(lambda: (view := edge.live.get("in")) is not None and view.code == "blocked")

    assert lot.board.pulses == []
