"""Alarms: everything that somebody should look at, newest first, until a person says they have seen it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aiohttp import web

from domain.fen import yuan
from edge.db import alarms, decisions, stays
from edge.db.alarms import AlarmRow
from edge.web.booth import shared
from edge.web.keys import EDGE, WATCH, flash, see_other, taken_flash, text_field
from plumbing.web import Page, page_number, render, require_session, texts

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """A row with the decision whose picture shows it, the stay it names, and what else its record says.

    *apart_s*: by how many seconds a wrong clock is off, 0 for any other alarm.
    """

    row: AlarmRow
    picture: str
    stay_id: str
    more: str
    apart_s: int


def alarm(conn: sqlite3.Connection, row: AlarmRow) -> Alarm:
    """What an incident's detail names is looked up; what is left of it is for people."""
    picture, stay_id, more = "", "", []
    for word in row.detail.split():
        if decisions.picture_time(conn, word, "frame") is not None:
            picture = word
        elif stays.get(conn, word) is not None:
            stay_id = word
        elif row.code == "paid_more_than_fee" and word.isdecimal():
            more.append(f"¥{yuan(int(word))}")
        elif len(word) < 32:  # not the id of a decision without a picture
            more.append(word)
    return Alarm(row, picture, stay_id, " ".join(more), _apart_s(row))


def _apart_s(row: AlarmRow) -> int:
    """A second that has begun counts."""
    ms = row.detail.partition(" ")[0].removeprefix("-")
    return (int(ms) + 999) // 1000 if row.code == "clock_wrong" and ms.isdecimal() else 0


async def alarms_page(request: web.Request) -> web.Response:
    """Those that nobody has seen; with ?all=1 every one."""
    await require_session(request)
    edge, number, everything = request.app[EDGE], page_number(request.query), "all" in request.query

    def look(conn: sqlite3.Connection) -> tuple[list[Alarm], int]:
        rows = alarms.page(conn, PAGE_SIZE, (number - 1) * PAGE_SIZE, only_unseen=not everything)
        total = alarms.count(conn) if everything else alarms.unseen(conn)
        return [alarm(conn, row) for row in rows], total

    found, total = await edge.read(look)
    return render(
        request, "alarms.html", page=Page(found, number, total, PAGE_SIZE), everything=everything,
        newest=max((one.row.incident_id for one in found), default=0), flash=await taken_flash(request),
        **shared(request),
    )  # fmt: skip


async def see(request: web.Request) -> web.Response:
    """Somebody has seen one, or all up to the newest that the page showed. Raises HTTPBadRequest."""
    session, data = await require_session(request), await request.post()
    oldest, newest = (text_field(data, name, 12) for name in ("oldest", "newest"))
    if not (oldest.isdecimal() and newest.isdecimal()):
        raise web.HTTPBadRequest
    seen = await request.app[EDGE].see_alarms(int(oldest), int(newest), session.name)
    await request.app[WATCH].look_now()
    await flash(request, "ok", texts(request)("alarms.done", count=seen))
    return see_other("/booth/alarms")


def add_routes(app: web.Application) -> None:
    """The page and its one act."""
    app.router.add_get("/booth/alarms", alarms_page)
    app.router.add_post("/booth/alarms/seen", see)
