"""The page behind a lane's code, for a phone that is not in the lot's own network."""

from __future__ import annotations

import asyncio

from aiohttp import web

from cloud.lots import driver
from cloud.lots.pages import ONLINE_MS
from cloud.web.state import CLOUD, read
from domain.driver_page import Answer, Outcome, Question, open_answer
from plumbing.lanepage.pages import LanePages, Place

POLL_S = 0.15
LOOKS = 80  # twelve seconds
SILENT = Answer(Outcome.SILENT)


async def find(request: web.Request, code: str) -> Place | None:
    """The lane of a code."""
    found = await read(request, driver.find_lane, code)
    return Place(found.lot, found.lane, found.leads_out) if found else None


async def put(request: web.Request, code: str, question: Question) -> Answer:
    """Ask the lot and wait for its word; a lot that was not heard of lately is not asked at all."""
    cloud = request.config_dict[CLOUD]
    found = await read(request, driver.find_lane, code)
    edge_id = await read(request, driver.edge_at, found.lot_id) if found else None
    heard = cloud.live().get(edge_id) if edge_id else None
    if edge_id is None or heard is None or cloud.now_ms() - heard.seen_ms > ONLINE_MS:
        return SILENT
    asked = await read(request, driver.ask, edge_id, code, question, cloud.now_ms())
    cloud.wake()
    for _ in range(LOOKS):
        await asyncio.sleep(POLL_S)
        said = await read(request, driver.answer, asked)
        if said is not None:
            return open_answer(said)
    return SILENT


def add_routes(app: web.Application) -> None:
    """Public: nobody signs in."""
    LanePages(find, put).add_routes(app)
