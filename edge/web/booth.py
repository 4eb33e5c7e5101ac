"""The booth's screen: every lane as it is now, the cars inside, and their pictures."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from domain.plate import normalise
from edge.db import stays
from edge.db.stays import StayRow
from edge.lanes.live import LaneView
from edge.web import words
from edge.web.cards import CandidateCard, LaneCard, car_cards, lane_card
from edge.web.keys import EDGE, WATCH, require_alive, taken_flash
from edge.web.watch import Changed, Looking, Strip
from edge.web.workstation import at, is_kiosk, kiosk
from plumbing.lanepage import fee_lines
from plumbing.web import Event, Page, page_number, render, render_part, require_session, stream, texts

PAGE_SIZE = 24
SOUNDS = {"pay": "arrival", "ask": "arrival", "refused": "alarm", "stuck": "alarm"}  # by the state a lane turns to
LOST = ("offline", "fault", "paper_out", "cover_open", "cutter")  # printers
PICTURE_PAUSES = (0.0, 0.1, 0.3, 0.6)  # seconds
PICTURE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


async def lane_cards(request: web.Request, only: Sequence[str] | None = None) -> list[LaneCard]:
    """Lanes in the order of the lot file."""
    edge = request.app[EDGE]
    lanes = [lane for lane in edge.settings.lanes if only is None or lane.name in only]
    views = {view.lane: view for view in edge.live.snapshot()}

    def look(conn: sqlite3.Connection) -> list[LaneCard]:
        now = edge.office.now()
        return [
            replace(
                lane_card(
                    conn, edge.office.lot, lane, views.get(lane.name) or LaneView(lane.name, lane.direction.value), now
                ),
                attended=edge.office.attendance.of(lane, now),
            )
            for lane in lanes
        ]

    return await edge.read(look)


def shared(request: web.Request) -> dict[str, Any]:
    """What every page of the booth gives its template."""
    t = texts(request)
    return {
        "strip": request.app[WATCH].strip,
        "is_kiosk": is_kiosk(request),
        "lock_min": request.app[EDGE].settings.rules.booth_lock_min,
        "rule_words": lambda code: fee_lines.rule(t, code),
        "coupon_words": lambda step: words.coupon(t, step),
        "saved_fen": words.saved_fen,
        "short_ref": words.short_ref,
        "coded": lambda group, code: fee_lines.coded(t, group, code),
        "lost_words": lambda part: words.lost(t, part),
        "scan_words": lambda outcome: words.scanned(t, outcome),
        "standing_words": lambda standing: words.standing(t, standing),
    }


async def lanes_page(request: web.Request) -> web.Response:
    """All lanes."""
    await require_session(request)
    return render(request, "lanes.html", cards=await lane_cards(request), flash=await taken_flash(request),
                  **shared(request))  # fmt: skip


def alarms_of(view: LaneView) -> set[str]:
    """What is wrong at a lane: what just happened there, devices that are lost, an arm or a loop that stays."""
    return {view.incident, *(part for part, why in view.wrong.items() if why)} - {""}


def alarms_beside(strip: Strip) -> set[str]:
    """What is wrong beside the lanes: the line to the cloud, the disk, devices of no lane."""
    lot_wide = {"link": strip.link == "offline", "disk": strip.disk == "full"}
    wrong = {name for name, is_wrong in lot_wide.items() if is_wrong}
    return {*wrong, *strip.parts, *(name for name, status in strip.printers if status in LOST)}


@dataclass(slots=True)
class Rung:
    """What a page has rung for: a lane's alarm rings at once, and not again when the strip counts it a moment later."""

    alarms: int
    lane: bool = False

    def take(self, alarms: int) -> tuple[bool, bool]:
        """Are there more alarms than before, and did a lane tell of them already?"""
        more, told = alarms > self.alarms, self.lane
        self.alarms, self.lane = alarms, self.lane and not more
        return more, told


async def live(request: web.Request) -> web.StreamResponse:
    """Lanes and the line of states, as they change."""
    await require_session(request)
    watch = request.app[WATCH]
    states: dict[str, str] = {}  # as this page saw each lane last
    alarms: dict[str, set[str]] = {}  # and what was wrong there; at "" beside the lanes

    rung = Rung(watch.strip.alarms)

    def is_new(place: str, now: set[str]) -> bool:
        before, alarms[place] = alarms.get(place), now
        return before is not None and bool(now - before)

    async def show(changed: Changed) -> list[Event]:
        await require_alive(request)
        events = []
        for card in await lane_cards(request, changed.lanes) if changed.lanes else ():
            html = render_part(request, "lane.html", card=card, **shared(request))
            events.append(Event(f"lane-{card.lane.name}", html))
            before, states[card.lane.name] = states.get(card.lane.name), card.state
            turned = SOUNDS.get(card.state, "") if before not in (None, card.state) else ""
            if sound := "alarm" if is_new(card.lane.name, alarms_of(card.view)) else turned:
                events.append(Event("sound", sound))
                rung.lane = rung.lane or sound == "alarm"
        if changed.strip:
            events.append(Event("strip", render_part(request, "strip.html", **shared(request))))
            more, told = rung.take(watch.strip.alarms)
            if is_new("", alarms_beside(watch.strip)) or (more and not told):
                events.append(Event("sound", "alarm"))
        if changed.scan is not None and changed.scan.place in ("", at(request)):
            events.append(Event("scan", render_part(request, "scanned.html", outcome=changed.scan, **shared(request))))
            if changed.scan.why:
                events.append(Event("sound", "alarm"))
        return events

    everything = Changed(tuple(lane.name for lane in request.app[EDGE].settings.lanes), strip=True)
    page = Looking(request.query.get("at", "")[:64], at(request), lambda: request.transport is not None)
    with watch.looking(page):
        return await stream(request, watch.hub, show, start=[everything])


async def picture(request: web.Request) -> web.Response:
    """The JPEG a decision was taken on."""
    await require_session(request)
    decision_id, kind = request.match_info["decision"], request.match_info["kind"]
    if kind not in ("frame", "crop") or not PICTURE_ID.fullmatch(decision_id):
        raise web.HTTPNotFound
    for pause in PICTURE_PAUSES:  # the file follows the decision that the page was told of
        await asyncio.sleep(pause)
        image = await request.app[EDGE].picture(decision_id, kind)
        if image is not None:
            break
    else:
        raise web.HTTPNotFound
    return web.Response(body=image, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


async def cars_page(request: web.Request) -> web.Response:
    """Cars inside, searched by any part of the plate, likeliest first."""
    await require_session(request)
    edge, number = request.app[EDGE], page_number(request.query)
    wanted, zone = normalise(request.query.get("q", "")[:20]), request.query.get("zone", "")[:64]
    zones = list(edge.office.lot.zones)

    def look(conn: sqlite3.Connection) -> tuple[list[CandidateCard], int]:
        found: list[StayRow] = stays.open_page(conn, PAGE_SIZE, (number - 1) * PAGE_SIZE, wanted, zone)
        return car_cards(conn, found, edge.office.now()), stays.count_containing(conn, wanted, zone)

    cars, total = await edge.read(look)
    page = Page(cars, number, total, PAGE_SIZE)
    return render(
        request,
        "cars.html",
        page=page,
        wanted=wanted,
        zone=zone,
        zones=zones if len(zones) > 1 else [],
        flash=await taken_flash(request),
        **shared(request),
    )


def add_routes(app: web.Application) -> None:
    """Pages to look at; acts are in `edge.web.tasks`."""
    app.router.add_get("/booth", lanes_page)
    app.router.add_get("/booth/live", live)
    app.router.add_get("/booth/kiosk", kiosk)
    app.router.add_get("/booth/cars", cars_page)
    app.router.add_get("/booth/picture/{decision}/{kind}", picture)
