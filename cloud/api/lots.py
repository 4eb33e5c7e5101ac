"""Calls about lots, their edges and what stands in them."""

from __future__ import annotations

from dataclasses import replace as replaced
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, made, rows
from cloud.api.schema import (
    AT_MS,
    END_MS,
    FLAG,
    ID,
    MOMENT,
    NAMED,
    PAGE,
    WHOLE,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)  # fmt: skip
from cloud.coupons import sharing
from cloud.lots import edges as lot_edges
from cloud.lots import incidents as lot_incidents
from cloud.lots import openings, remote, stays
from cloud.lots import service as lots
from cloud.lots.service import LaneSpec
from cloud.merchants import leases
from cloud.replacing import replace_edge
from cloud.sync import channels
from domain.claim import write_claim
from domain.plate import mask, normalise
from domain.stay import Direction
from plumbing.web import Page

FEWEST_TYPED = 3  # characters of a plate before a merchant is shown cars


def list_lots(conn: Connection, act: Act, ask: Ask) -> Any:
    """Lots with cars inside and lanes."""
    lanes = lots.lanes(conn, act.operator_id)
    return [
        dict(row) | {"lanes": [dict(lane) for lane in lanes if lane["lot_id"] == row["lot_id"]]}
        for row in lots.lots(conn, act.operator_id)
    ]


def create_lot(conn: Connection, act: Act, ask: Ask) -> Any:
    """A lot and its lanes."""
    zone = ask.body.get("time_zone", ask.cloud.settings.time_zone)
    if zone not in available_timezones():
        return Refused("time_zone_unknown", {"zone": zone})
    lanes = [
        LaneSpec(each["name"], Direction(each["direction"]), each["from"], each["to"])
        for each in ask.body.get("lanes", [])
    ]
    if len({lane.name for lane in lanes}) < len(lanes):
        return Refused("lane_twice")
    return made(lots.create_lot(conn, act, ask.body["name"], zone, ask.body["places"], lanes), "lot_id")


def open_barrier(conn: Connection, act: Act, ask: Ask) -> Any:
    """One pulse at a lane, good for seconds."""
    refused = remote.open_barrier(conn, act, ask.id("lot_id"), ask.path["lane"], ask.body["reason"])
    return refused or {"asked": True}


def list_openings(conn: Connection, act: Act, ask: Ask) -> Any:
    """The last openings asked for from here, and what came of them."""
    return [{**row["body"], **dict(row)} for row in remote.asked(conn, act.operator_id, ask.id("lot_id"))]


def list_hand_openings(conn: Connection, act: Act, ask: Ask) -> Any:
    """The last openings by a person, there or from here, each with its car where somebody said."""
    found = openings.by_hand(conn, act.operator_id, ask.id("lot_id"))
    return [plates_shown(ask, dict(row)) if row["plate"] else dict(row) for row in found]


def create_edge(conn: Connection, act: Act, ask: Ask) -> Any:
    """An edge and its claim text, this once."""
    key = ask.cloud.config_key.public.raw
    fresh = lot_edges.create_edge(conn, act, ask.body["lot_id"], ask.body["name"], ask.cloud.public_url, key)
    return fresh if isinstance(fresh, Refused) else {"edge_id": fresh.edge_id, "claim": write_claim(fresh)}


def replace(conn: Connection, act: Act, ask: Ask) -> Any:
    """Put the edge out; the claim text is for the device that takes its place."""
    fresh = replace_edge(conn, act, ask.path["edge_id"], ask.cloud.public_url, ask.cloud.config_key.public.raw)
    return fresh if isinstance(fresh, Refused) else {"edge_id": fresh.edge_id, "claim": write_claim(fresh)}


def list_edges(conn: Connection, act: Act, ask: Ask) -> Any:
    """Edges with where their logs stand."""
    held = channels.standings(conn, act.operator_id)
    return [
        dict(row) | {"channels": [dict(each) for each in held.get(row["edge_id"], [])]}
        for row in lot_edges.edges(conn, act.operator_id)
    ]


def refill(conn: Connection, act: Act, ask: Ask) -> Any:
    """Lease what the edge may need now, in place of waiting for the next round."""
    if lot_edges.of_operator(conn, act.operator_id, ask.path["edge_id"]) is None:
        raise NotThereError
    limits = ask.cloud.settings.leases
    return {"granted": sharing.refill(conn, act, ask.path["edge_id"], leases.Terms(limits.cap, limits.spend_until_h))}


def cars(conn: Connection, act: Act, ask: Ask) -> Any:
    """Cars inside; a merchant must know a part of the plate, as on its page."""
    wanted = normalise(ask.query.get("q", ""))
    if ask.caller.merchant_id is not None and len(wanted) < FEWEST_TYPED:
        return Refused("plate_short", {"least": FEWEST_TYPED})
    return rows(lots.cars_inside(conn, act.operator_id, wanted, ask.query.get("lot_id"), ask.page))


def gone(conn: Connection, act: Act, ask: Ask) -> Any:
    """Cars that left, the last first; looked for by who may see plates."""
    query = ask.query
    search = normalise(query.get("q", "")) if ask.may(Scope.PLATES) else ""
    times = {"from_ms": query.get("from_ms", 0), "until_ms": query.get("until_ms", END_MS)}
    sought = stays.Sought(search, query.get("lot_id"), gone=True, **times)
    return shown_page(ask, stays.listed(conn, act.operator_id, sought, ask.page))


def list_incidents(conn: Connection, act: Act, ask: Ask) -> Any:
    """Incidents, newest first."""
    only_open = not ask.query.get("all", False)
    found = rows(lot_incidents.incidents(conn, act.operator_id, only_open=only_open, page=ask.page))
    if not ask.may(Scope.PLATES):
        for row in found.items:
            row["detail"] = ""  # people write plates into it
    return found


def plates_shown(ask: Ask, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its plate masked for who may not see it."""
    return row if ask.may(Scope.PLATES) else row | {"plate": mask(row["plate"])}


def shown_page(ask: Ask, found: Page[Any]) -> Page[dict[str, Any]]:
    """A page of rows, their plates so."""
    page = rows(found)
    return replaced(page, items=[plates_shown(ask, row) for row in page.items])


_LANE_NAME = text(32, 1)
_LANE = record({
    "name": _LANE_NAME, "direction": one_of(*(each.value for each in Direction)), "from": text(32, 1),
    "to": text(32, 1),
})  # fmt: skip
_SHOWN_LANE = record({"name": text(), "direction": text(), "from_zone": text(), "to_zone": text()})
_LOT = record({
    "lot_id": WHOLE, "name": text(), "time_zone": text(), "places": WHOLE, "inside": WHOLE, "edges": WHOLE,
    "lanes": listing(_SHOWN_LANE),
})  # fmt: skip
_CHANNEL = record({"channel": text(), "ver": WHOLE, "held_ver": WHOLE, "agrees": FLAG})
_EDGE = record({
    "edge_id": text(), "lot_id": WHOLE, "lot_name": text(), "name": text(), "state": text(), "epoch": maybe(WHOLE),
    "seq": maybe(WHOLE), "told_seq": maybe(WHOLE), "seen_ms": maybe(MOMENT), "channels": listing(_CHANNEL),
})  # fmt: skip
_OPENING = record({
    "lane": text(), "by": text(), "reason": text(1000), "made_ms": MOMENT, "expires_ms": maybe(MOMENT), "state": text(),
    "result": maybe(text(1000)),
})  # fmt: skip
_HAND_OPENING = record({
    "lane": text(), "opened_by": text(), "reason": text(1000), "happened_ms": MOMENT, "decision_id": text(),
    "stay_id": text(), "plate": text(),
})  # fmt: skip
_CAR = record({
    "stay_id": text(), "lot_id": WHOLE, "lot_name": text(), "plate": text(), "vehicle_class": text(),
    "zone": text(), "entry_lane": text(), "entered_ms": maybe(MOMENT),
})  # fmt: skip
_GONE = record({
    "stay_id": text(), "lot_id": WHOLE, "lot_name": text(), "plate": text(), "vehicle_class": text(),
    "entered_ms": maybe(MOMENT), "left_ms": MOMENT, "fee_fen": maybe(WHOLE),
})  # fmt: skip
_INCIDENT = record({
    "incident_id": text(), "lot_id": maybe(WHOLE), "edge_id": maybe(text()), "code": text(), "lane": text(),
    "detail": text(10_000), "raised_ms": MOMENT, "closed_ms": maybe(MOMENT),
})  # fmt: skip
_LEASE = record({
    "lease_id": WHOLE, "edge_id": text(), "lot_id": WHOLE, "merchant_id": WHOLE, "merchant_name": text(),
    "commodity": text(), "funds": text(), "granted": WHOLE, "spent": WHOLE, "returned": WHOLE, "left": WHOLE,
    "state": text(), "is_applied": FLAG, "granted_ms": MOMENT, "closed_ms": maybe(MOMENT),
})  # fmt: skip
_CLAIM = record({"edge_id": text(), "claim": text(2000)})


def list_leases(conn: Connection, act: Act, ask: Ask) -> Any:
    """What lots hold of merchants' money, newest first."""
    return rows(leases.listed(conn, act.operator_id, page=ask.page))


OPERATIONS = (
    Operation("GET", "/lots", "list_lots", "Lots with cars inside and lanes", list_lots, listing(_LOT), Scope.READ),
    Operation(
        "POST", "/lots", "create_lot", "A lot and its lanes", create_lot, record({"lot_id": WHOLE}), Scope.MANAGE,
        status=201,
        body=record(
            {"name": text(60, 1), "places": whole(0, 100_000)},
            {"time_zone": text(60), "lanes": listing(_LANE, 40)},
        ),
    ),
    Operation(
        "POST", "/lots/{lot_id}/lanes/{lane}/open", "open_barrier", "Ask a lot for one pulse at a lane", open_barrier,
        record({"asked": {"const": True}}), Scope.MANAGE, within={"lot_id": ID, "lane": _LANE_NAME},
        body=record({"reason": text(200, 1)}), status=202,
    ),
    Operation(
        "GET", "/lots/{lot_id}/openings", "list_openings", "The last openings asked for, and what came of them",
        list_openings, listing(_OPENING), Scope.READ, within={"lot_id": ID},
    ),
    Operation(
        "GET", "/lots/{lot_id}/openings/by-hand", "list_hand_openings",
        "The last openings by a person, each with its car where somebody said", list_hand_openings,
        listing(_HAND_OPENING), Scope.READ, within={"lot_id": ID},
    ),
    Operation(
        "GET", "/edges", "list_edges", "Edges and where their logs stand", list_edges, listing(_EDGE), Scope.READ,
    ),
    Operation(
        "POST", "/edges", "create_edge", "An edge and its claim text, this once", create_edge, _CLAIM, Scope.MANAGE,
        body=record({"lot_id": ID, "name": text(60, 1)}), status=201,
    ),
    Operation(
        "POST", "/edges/{edge_id}/replace", "replace_edge", "Put an edge out and get its successor's claim", replace,
        _CLAIM, Scope.MANAGE, within={"edge_id": NAMED}, body=NO_BODY, status=201,
    ),
    Operation(
        "POST", "/edges/{edge_id}/refill", "refill_leases", "Lease what the edge may need now", refill,
        record({"granted": listing(WHOLE)}), Scope.MONEY, within={"edge_id": NAMED}, body=NO_BODY,
    ),
    Operation(
        "GET", "/cars", "list_cars", "Cars inside, by a part of the plate", cars, listing(_CAR), Scope.PLATES,
        for_merchants=True, query={"q": text(20), "lot_id": ID, "page": PAGE},
    ),
    Operation(
        "GET", "/cars/gone", "list_gone", "Cars that left, the last first", gone, listing(_GONE), Scope.READ,
        query={"from_ms": AT_MS, "until_ms": AT_MS, "lot_id": ID, "q": text(20), "page": PAGE},
    ),
    Operation(
        "GET", "/incidents", "list_incidents", "Incidents, newest first", list_incidents, listing(_INCIDENT),
        Scope.READ, query={"all": FLAG, "page": PAGE},
    ),
    Operation(
        "GET", "/leases", "list_leases", "What lots hold of merchants' money", list_leases, listing(_LEASE), Scope.READ,
        query={"page": PAGE},
    ),
)  # fmt: skip
