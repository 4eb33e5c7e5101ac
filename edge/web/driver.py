"""The lanes' codes on the lot's own network: the page works with the cloud gone, and answers the cloud's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from aiohttp import web

from domain.driver_page import Answer, Outcome, Question, Wish
from domain.stay import OUTSIDE
from domain.wire import Json
from edge.facade import Edge
from edge.services import phone_asked
from edge.services.lot import Lot
from edge.web.keys import EDGE
from plumbing.i18n import Catalogue
from plumbing.lanepage import fee_lines
from plumbing.lanepage.pages import LanePages, Place

HERE_SOURCE, AFAR_SOURCE = "edge", "cloud"
KIND = "lane.ask"


async def find(request: web.Request, code: str) -> Place | None:
    """The lane of a code."""
    edge = request.app[EDGE]
    lane = edge.door.lane(code)
    if lane is None:
        return None
    return Place(edge.settings.name, lane.name, lane.target == OUTSIDE, f"https://{edge.settings.voucher_host.lower()}")


async def put(request: web.Request, code: str, question: Question) -> Answer:
    """Ask the lane itself."""
    answer = await request.app[EDGE].door.ask(code, question, HERE_SOURCE)
    return worded(request.app[CATALOGUE], answer)


CATALOGUE = web.AppKey("catalogue", Catalogue)


def worded(catalogue: Catalogue, answer: Answer) -> Answer:
    """The fee's lines in words of both languages, in place of the price list's codes."""
    return replace(answer, lines=tuple(_line(catalogue, line) for line in answer.lines))


def _line(catalogue: Catalogue, line: Json) -> Json:
    said = fee_lines.in_every_language(catalogue, str(line["rule"]))
    return said | {name: line[name] for name in ("fen", "from", "to") if name in line}


async def answer_from_afar(edge: Edge, catalogue: Catalogue, body: Mapping[str, object]) -> str:
    """The cloud's ``lane.ask``: a driver's question that came over the Internet; returns the answer's text."""
    try:
        wish = Wish(str(body.get("wish")))
    except ValueError:
        return Answer(Outcome.SILENT).text()
    question = Question(wish, str(body.get("text", ""))[:200], str(body.get("turn", ""))[:64])
    answer = await edge.door.ask(str(body.get("code", "")), question, AFAR_SOURCE)
    return worded(catalogue, answer).text()


def handlers(lot: Lot, catalogue: Catalogue) -> dict[str, phone_asked.Handler]:
    """What the cloud may ask for drivers that writes no more than a quote."""
    return {phone_asked.KIND: phone_asked.handler(lot, partial(fee_lines.in_every_language, catalogue))}


def add_routes(app: web.Application, catalogue: Catalogue) -> None:
    """The drivers' pages of this lot."""
    app[CATALOGUE] = catalogue
    LanePages(find, put).add_routes(app)
