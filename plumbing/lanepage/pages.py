"""The page behind a lane's code, on a driver's phone: type a plate, take a ticket, see the fee.

The edge serves it in the lot's own network and the cloud everywhere else; each says how a question reaches the lane.
One set of words, one look. It asks for nothing but the plate, and knows nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import segno
from aiohttp import web

from domain.driver_page import LONGEST_TYPED, Answer, Outcome, Question, Wish, typed_plate
from domain.plate import PROVINCES
from domain.scanned import ScannedKind, recognise
from domain.ticket import number_in, number_on
from domain.tries import Tries
from plumbing.web import client_address, render, texts
from plumbing.web.request import visit

HERE = Path(__file__).parent
TEMPLATES, STATIC, LOCALE = HERE / "templates", HERE / "static", HERE / "locale"
MOST_BYTES = 8_192
TRIES, TRIES_S = 20, 600.0  # of one address; the lane counts for itself
COOKIE, COOKIE_S = "lg_ticket", 30 * 86_400
LETTERS = "QWERTYUPASDFGHJKLZXCVBNM"
TAILS = "警学挂港澳使领试超应急"
STATUS = {Outcome.TOO_MANY: 429, Outcome.SILENT: 503}


@dataclass(frozen=True, slots=True)
class Place:
    """The lane of a code; *pay_base* is where its quotes are paid, "" on the page's own host."""

    lot: str
    lane: str
    leads_out: bool
    pay_base: str = ""


Find = Callable[[web.Request, str], Awaitable[Place | None]]
Put = Callable[[web.Request, str, Question], Awaitable[Answer]]


class LanePages:
    """Handlers over *find*, which knows the lanes, and *put*, which asks one."""

    def __init__(self, find: Find, put: Put) -> None:
        self._find, self._put = find, put
        self._tries = Tries(TRIES, TRIES_S)

    def add_routes(self, app: web.Application) -> None:
        """One address a lane."""
        app.router.add_get("/lane/{code:[0-9A-Za-z]{8}}", self.form)
        app.router.add_post("/lane/{code:[0-9A-Za-z]{8}}", self.ask)

    async def form(self, request: web.Request) -> web.Response:
        """The keyboard."""
        place = await self._find(request, _code(request))
        return _unknown(request) if place is None else _form(request, place)

    async def ask(self, request: web.Request) -> web.Response:
        """Put what was typed to the lane and show what it says."""
        if (request.content_length or 0) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES, request.content_length or 0)
        place, data = await self._find(request, _code(request)), await request.post()
        if place is None:
            return _unknown(request)
        question = _question(data)
        problem = _problem(question)
        if problem:
            return _form(request, place, question.text if question.wish is Wish.PLATE else "", problem)
        if not self._tries.take(client_address(request), asyncio.get_running_loop().time()):
            return _answer(request, place, Answer(Outcome.TOO_MANY), question)
        answer = await self._put(request, _code(request), question)
        return _answer(request, place, answer, question)


def lane_qr(url: str) -> str:
    """The code at a lane as a picture for a page."""
    return segno.make_qr(url, error="m").svg_data_uri(scale=4, border=4)


def keyboard() -> dict[str, str]:
    """What ``plate_field.html`` is given beside what was typed."""
    return {"provinces": PROVINCES, "letters": LETTERS, "tails": TAILS}


def _unknown(request: web.Request) -> web.Response:
    """No lane has this code: it was torn, or belongs to a lane that is there no more."""
    said = {name: texts(request)(f"lanepage.unknown_{name}") for name in ("title", "advice")}
    return render(request, "error.html", status=404, code=404, **said)


def _code(request: web.Request) -> str:
    return request.match_info["code"].upper()


def _question(data: object) -> Question:
    """What the form says. Raises HTTPBadRequest for what no form of ours says."""
    fields = {name: _field(data, name) for name in ("wish", "text", "turn")}
    try:
        wish = Wish(fields["wish"])
    except ValueError as exc:
        raise web.HTTPBadRequest from exc
    scanned = recognise(fields["text"])
    text = scanned.token if scanned.kind is ScannedKind.ENTRY_TICKET else fields["text"][:LONGEST_TYPED]
    return Question(wish, text, fields["turn"][:64])


def _field(data: object, name: str) -> str:
    value = data.get(name, "") if hasattr(data, "get") else ""
    return value.strip() if isinstance(value, str) and len(value) <= 400 else ""


def _problem(question: Question) -> str:
    match question.wish:
        case Wish.PLATE:
            return typed_plate(question.text)[1]
        case Wish.NUMBER:
            known = number_in(question.text) or number_on(question.text)
            return "" if known else "number_form"
        case _:
            return ""


def _form(request: web.Request, place: Place, typed: str = "", problem: str = "") -> web.Response:
    return render(
        request, "lane_form.html", status=422 if problem else 200, place=place, typed=typed, **keyboard(),
        error=texts(request)(f"lanepage.{problem}") if problem else "",
        kept=request.cookies.get(COOKIE, "")[:400], kept_number=number_on(request.cookies.get(COOKIE, "")[:400]),
    )  # fmt: skip


def _answer(request: web.Request, place: Place, answer: Answer, question: Question) -> web.Response:
    response = render(
        request, "lane_answer.html", status=STATUS.get(answer.outcome, 200), place=place, answer=answer,
        question=question, why=_why(request, answer),
        code=segno.make_qr(answer.token, error="m").svg_data_uri(scale=4, border=4) if answer.token else "",
    )  # fmt: skip
    if answer.token:
        secure = visit(request).shell.https
        response.set_cookie(
            COOKIE, answer.token, max_age=COOKIE_S, path="/lane", httponly=True, samesite="Lax", secure=secure
        )
    return response


def _why(request: web.Request, answer: Answer) -> str:
    """The sentence for what came of it: what is wrong and what to do next."""
    words = texts(request)
    for key in (f"lanepage.{answer.outcome}_{answer.code}", f"lanepage.{answer.outcome}"):
        if words.catalogue.has(key):
            return words(key)
    return ""
