"""Lots and lanes live, cars inside, incidents, and the edges that run the lots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud import replacing, sheets
from cloud.access.roles import Right, may
from cloud.act import Act, Refused
from cloud.joining import put_out
from cloud.lots import edges as lot_edges
from cloud.lots import incidents as lot_incidents
from cloud.lots import list_files, occupancy, service, stays
from cloud.lots.service import LaneSpec
from cloud.merchants import service as merchants
from cloud.reach import Lots
from cloud.sync import channels, events
from cloud.sync.link import Live
from cloud.waiting import service as waiting
from cloud.web.lists import ShortList, short_list
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    lots_of,
    read,
    require_alive,
    whole,
    words,
    zone_of,
)
from domain.claim import Claim, write_claim
from domain.stay import OUTSIDE, Direction
from plumbing.web import Event, Session, page_number, render, render_part, stream, texts

DAY_MS = 86_400_000
ONLINE_MS = 30_000  # an edge that says nothing for so long is offline: it tells its lanes every two seconds

MOST_LANES, FEW_LANES = 12, 4
LANE_FIELDS = ("name", "direction", "from", "to")


def _board(conn: Connection, operator_id: int, now_ms: int, within: Lots) -> dict[str, Any]:
    shown = service.lots(conn, operator_id, within)
    return {
        "lots": shown,
        "lanes": service.lanes_now(conn, operator_id),
        "zones": occupancy.by_lot(conn, operator_id),
        "edges": {row["lot_id"]: row for row in lot_edges.edges(conn, operator_id) if row["state"] != "revoked"},
        "taken_fen": service.taken_since(conn, operator_id, now_ms - DAY_MS, within),
        "open_incidents": lot_incidents.incidents(conn, operator_id, only_open=True, within=within),
        "parked": events.parked_count(conn, operator_id),
        "low": merchants.low(conn, operator_id),
        "waiting": len(waiting.everything(conn, operator_id)),
        "now_ms": now_ms,
    }


async def _board_values(request: web.Request, session: Session) -> dict[str, Any]:
    cloud, role = request.config_dict[CLOUD], session.role
    board = await read(request, _board, cloud.now_ms(), lots_of(session))
    live = cloud.live()
    heard = {edge: board["now_ms"] - said.age_ms for edge, said in live.items()}
    return board | {
        "plates": may(role, Right.PLATES),
        "every": may(role, Right.VIEW),
        "manage": may(role, Right.MANAGE),
        "run": may(role, Right.RUN_LOTS),
        "heard": heard,
        "live": _lanes_live(live),
        "online_ms": ONLINE_MS,
        "connected": cloud.is_connected(),
        "has_broker": cloud.settings.broker is not None,
    }


@dataclass(frozen=True, slots=True)
class LaneLive:
    """What an edge says of a lane right now: its phase, the verdict on the car there, devices that do not answer."""

    phase: str
    verdict: str
    wrong: tuple[str, ...]
    held: bool


def _lanes_live(live: Mapping[str, Live]) -> dict[tuple[str, str], LaneLive]:
    """(edge, lane) -> what it shows; nothing of edges not heard lately. What edges say is taken for text, no more."""
    shown = {}
    for edge, said in live.items():
        lanes = said.state.get("lanes") if said.age_ms < ONLINE_MS else None
        for lane in lanes if isinstance(lanes, list) else []:
            if isinstance(lane, dict):
                wrong = lane.get("wrong")
                devices = tuple(str(each) for each in wrong) if isinstance(wrong, list) else ()
                phase, verdict = str(lane.get("phase", "")), str(lane.get("verdict", ""))
                now = LaneLive(phase, verdict, devices, bool(lane.get("held")))
                shown[edge, str(lane.get("lane"))] = now
    return shown


async def dashboard(request: web.Request) -> web.Response:
    """Every lot at a glance; it follows by itself."""
    session = await allow(request, Right.VIEW_LOTS)
    values = await _board_values(request, session)
    return render(request, "dashboard.html", **values)


async def live(request: web.Request) -> web.StreamResponse:
    """The dashboard's moving part."""
    session = await allow(request, Right.VIEW_LOTS)
    shown = ""

    async def show(_fact: str) -> list[Event]:
        nonlocal shown
        await require_alive(request)
        board = render_part(request, "board.html", **await _board_values(request, session))
        if board == shown:
            return []
        shown = board
        return [Event("board", board)]

    return await stream(request, request.config_dict[CLOUD].hub, show)


async def lot_page(request: web.Request) -> web.Response:
    """The form for a new lot."""
    await allow(request, Right.MANAGE)
    usual = [("in", Direction.ENTRY, OUTSIDE, "inside"), ("out", Direction.EXIT, "inside", OUTSIDE)]
    return _lot_form(request, {"name": "", "places": ""}, usual)


def _lot_form(
    request: web.Request, form: Mapping[str, str], lanes: Sequence[tuple[str, ...]], error: str = ""
) -> web.Response:
    rows = [*lanes, *[("", Direction.ENTRY, "", "")] * (MOST_LANES - len(lanes))]
    shown = max(FEW_LANES, len(lanes))
    values: dict[str, Any] = {"error": error, "form": form, "rows": rows, "shown": shown, "directions": Direction}
    return render(request, "lot_new.html", status=422 if error else 200, **values)


async def create_lot(request: web.Request) -> web.Response:
    """A new lot from the form; a row of lanes without a name is none."""
    session = await allow(request, Right.MANAGE)
    form = {name: await field_of(request, name) for name in ("name", "places")}
    posted = await request.post()
    columns = ([str(each).strip() for each in posted.getall(f"lane_{one}", [])] for one in LANE_FIELDS)
    rows = [row for row in zip(*columns, strict=False) if row[0]]
    lanes, places = _lanes(rows), whole(form["places"])
    refused = Refused("lanes_malformed") if lanes is None else Refused("places_malformed") if places is None else None
    if lanes is not None and places is not None:
        zone = request.config_dict[CLOUD].settings.time_zone
        made = await change(request, login_of(session), service.create_lot, form["name"], zone, places, lanes)
        if not isinstance(made, Refused):
            raise done("/admin", "lot_created")
        refused = made
    return _lot_form(request, form, rows[:MOST_LANES], words(request, refused))


def _lanes(rows: Sequence[tuple[str, ...]]) -> list[LaneSpec] | None:
    if len({name for name, *_ in rows}) < len(rows):
        return None
    if not all(direction in set(Direction) and begins and ends for _, direction, begins, ends in rows):
        return None
    return [LaneSpec(name, Direction(direction), begins, ends) for name, direction, begins, ends in rows]


async def cars(request: web.Request) -> web.Response:
    """Cars inside, or those that left, found by a part of the plate."""
    session = await allow(request, Right.VIEW_LOTS)
    now_ms, within = request.config_dict[CLOUD].now_ms(), lots_of(session)
    sought = stays.sought(request.query, zone_of(request), now_ms)
    return render(
        request,
        "cars.html",
        page=await read(request, stays.listed, sought, page_number(request.query), within),
        sought=sought,
        names=await read(request, service.names, within),
        plates=may(session.role, Right.PLATES),
        now_ms=now_ms,
    )


async def incidents(request: web.Request) -> web.Response:
    """What a person should look at."""
    session = await allow(request, Right.VIEW_LOTS)
    everything = request.query.get("all") == "1"
    found = await read(
        request,
        lot_incidents.incidents,
        only_open=not everything,
        search=request.query.get("q", ""),
        page=page_number(request.query),
        within=lots_of(session),
    )
    return render(request, "incidents.html", page=found, everything=everything, run=may(session.role, Right.RUN_LOTS))


async def close_incident(request: web.Request) -> web.Response:
    """Somebody looked at it."""
    session = await allow(request, Right.RUN_LOTS)
    incident_id = await field_of(request, "incident_id")
    await change(
        request, login_of(session), lot_incidents.close_incident, incident_id, await field_of(request, "reason")
    )
    raise done("/admin/incidents", "incident_closed")


async def edges(request: web.Request) -> web.Response:
    """Every edge: state, how far its log is known, what waits."""
    session = await allow(request, Right.VIEW)
    return await _edges(request, session.role)


async def _listed_edges(request: web.Request) -> ShortList[Mapping[str, Any]]:
    t, zone = texts(request), zone_of(request)

    def cells(row: Mapping[str, Any]) -> list[sheets.Cell]:
        behind = None if row["seq"] is None else max(0, row["told_seq"] - row["seq"])
        heard = sheets.written(row["seen_ms"], zone)
        state = t(f"edge.{row['state']}")
        return [row["edge_id"], row["name"], row["lot_name"], state, row["epoch"], row["seq"], behind, heard]

    names = ("col.edge", "edges.name", "col.lot", "col.state", "col.epoch", "col.cursor", "col.backlog",
             "col.last_heard")  # fmt: skip
    return short_list(request, [t(name) for name in names], await read(request, lot_edges.edges), cells)


async def edges_file(request: web.Request) -> web.Response:
    """The same as a file."""
    await allow(request, Right.VIEW)
    return await (await _listed_edges(request)).file(request, "edges", texts(request)("nav.edges"))


async def _edges(request: web.Request, role: str, error: str = "", claim: Claim | None = None) -> web.Response:
    return render(
        request,
        "edges.html",
        status=422 if error else 200,
        page=(await _listed_edges(request)).page(request),
        channels=await read(request, channels.standings),
        lot_choices=[(row["lot_id"], row["name"]) for row in await read(request, service.lots)],
        error=error,
        claim=write_claim(claim) if claim else "",
        manage=may(role, Right.MANAGE),
        now_ms=request.config_dict[CLOUD].now_ms(),
    )


async def create_edge(request: web.Request) -> web.Response:
    """A new edge for a lot; its claim is shown this once."""
    session = await allow(request, Right.MANAGE)
    cloud = request.config_dict[CLOUD]
    lot_id, name = whole(await field_of(request, "lot_id")), await field_of(request, "name")
    key = cloud.config_key.public.raw
    made = await change(request, login_of(session), lot_edges.create_edge, lot_id or 0, name, cloud.public_url, key)
    return await _claim_shown(request, session, made)


async def renew_claim(request: web.Request) -> web.Response:
    """A fresh claim for an edge nobody has claimed."""
    return await _claim_of(request, lot_edges.renew_claim)


async def replace_edge(request: web.Request) -> web.Response:
    """Put a dead device out and show the claim for the one that takes its place."""
    return await _claim_of(request, replacing.replace_edge)


async def _claim_of(
    request: web.Request, make: Callable[[Connection, Act, str, str, bytes], Claim | Refused]
) -> web.Response:
    session = await allow(request, Right.MANAGE)
    cloud = request.config_dict[CLOUD]
    edge_id, key = await field_of(request, "edge_id"), cloud.config_key.public.raw
    made = await change(request, login_of(session), make, edge_id, cloud.public_url, key)
    return await _claim_shown(request, session, made)


async def _claim_shown(request: web.Request, session: Session, made: Claim | Refused) -> web.Response:
    if isinstance(made, Refused):
        return await _edges(request, session.role, error=words(request, made))
    return await _edges(request, session.role, claim=made)


async def revoke_edge(request: web.Request) -> web.Response:
    """Stop believing an edge."""
    session = await allow(request, Right.MANAGE)
    edge_id = await field_of(request, "edge_id")
    reason = texts(request)("edges.revoked_here")
    refused = await change(request, login_of(session), put_out, edge_id, reason)
    if refused is not None:
        return await _edges(request, session.role, error=words(request, refused))
    raise done("/admin/edges", "edge_revoked")


def add_routes(app: web.Application) -> None:
    """Pages of lots, lanes and edges."""
    app.router.add_get("/admin", dashboard)
    app.router.add_get("/admin/live", live)
    app.router.add_get("/admin/lots/new", lot_page)
    app.router.add_post("/admin/lots/new", create_lot)
    app.router.add_get("/admin/cars", cars)
    app.router.add_get("/admin/incidents", incidents)
    list_files.add_routes(app)
    app.router.add_post("/admin/incidents/close", close_incident)
    app.router.add_get("/admin/edges", edges)
    app.router.add_get("/admin/edges.{kind:csv|xlsx}", edges_file)
    app.router.add_post("/admin/edges", create_edge)
    app.router.add_post("/admin/edges/claim", renew_claim)
    app.router.add_post("/admin/edges/replace", replace_edge)
    app.router.add_post("/admin/edges/revoke", revoke_edge)
