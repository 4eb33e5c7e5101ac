"""The page behind a lane's code, for a phone that is not in the lot's own network."""

from __future__ import annotations

from aiohttp import web

from cloud.lots import driver
from cloud.lots.asking import ask_lot
from cloud.web.state import read
from domain.driver_page import Answer, Outcome, Question, open_answer
from plumbing.lanepage.pages import LanePages, Place

ASK = "lane.ask"
LOOKS = 80  # twelve seconds
SILENT = Answer(Outcome.SILENT)


async def find(request: web.Request, code: str) -> Place | None:
    """The lane of a code."""
    found = await read(request, driver.find_lane, code)
    return Place(found.lot, found.lane, found.leads_out) if found else None


async def put(request: web.Request, code: str, question: Question) -> Answer:
    """Ask the lot and wait for its word."""
    found = await read(request, driver.find_lane, code)
    if found is None:
        return SILENT
    body = {"code": code, "wish": question.wish.value, "text": question.text, "turn": question.turn}
    said = await ask_lot(request, found.lot_id, ASK, body, LOOKS)
    return SILENT if said is None else open_answer(said)


def add_routes(app: web.Application) -> None:
    """Public: nobody signs in."""
    LanePages(find, put).add_routes(app)
