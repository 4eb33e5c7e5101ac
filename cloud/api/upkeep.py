"""Calls that keep lots and their devices running: incidents, claims, leases, events set aside, how slips look."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, rows
from cloud.api.schema import DONE, FLAG, ID, MOMENT, NAMED, PAGE, WHOLE, Schema, listing, maybe, one_of, record, text
from cloud.joining import put_out
from cloud.lots import edges as lot_edges
from cloud.lots import incidents, slips
from cloud.lots import service as lots
from cloud.lots.slips import OwnSlip
from cloud.merchants import leases
from cloud.sync import events
from domain.claim import write_claim
from domain.slip_samples import LAYOUTS


def close_incident(conn: Connection, act: Act, ask: Ask) -> Any:
    """Somebody looked at it."""
    return done(incidents.close_incident(conn, act, ask.path["incident_id"], ask.body["reason"]))


def renew_claim(conn: Connection, act: Act, ask: Ask) -> Any:
    """A fresh claim for an edge nobody has claimed."""
    key = ask.cloud.config_key.public.raw
    fresh = lot_edges.renew_claim(conn, act, ask.path["edge_id"], ask.cloud.public_url, key)
    return fresh if isinstance(fresh, Refused) else {"edge_id": fresh.edge_id, "claim": write_claim(fresh)}


def revoke_edge(conn: Connection, act: Act, ask: Ask) -> Any:
    """Stop believing an edge."""
    if lot_edges.of_operator(conn, act.operator_id, ask.path["edge_id"]) is None:
        raise NotThereError
    return done(put_out(conn, act, ask.path["edge_id"], ask.body["reason"]))


def call_back(conn: Connection, act: Act, ask: Ask) -> Any:
    """Ask the edge to close a lease; its money returns with the edge's word."""
    return done(leases.call_back(conn, act, ask.id("lease_id")))


def list_events(conn: Connection, act: Act, ask: Ask) -> Any:
    """What edges reported, without what it says: people's plates stand in it."""
    parked = ask.query.get("parked", False)
    return rows(events.listed(conn, act.operator_id, ask.query.get("q", ""), parked=parked, page=ask.page))


def rerun(conn: Connection, act: Act, ask: Ask) -> Any:
    """Try what is set aside once more."""
    return {"applied": events.rerun(conn, act)}


def _lot(conn: Connection, act: Act, ask: Ask) -> int:
    if lots.get_lot(conn, act.operator_id, ask.id("lot_id")) is None:
        raise NotThereError
    return ask.id("lot_id")


def get_slip(conn: Connection, act: Act, ask: Ask) -> Any:
    """What was set for one of a lot's slips; empty where its own file counts."""
    own = slips.own_of(conn, act.operator_id, _lot(conn, act, ask), ask.path["slip"])
    return asdict(own or OwnSlip()) | {"is_set": own is not None}


def set_slip(conn: Connection, act: Act, ask: Ask) -> Any:
    """How it is laid out from the next one printed."""
    head, foot = ("\n".join(ask.body.get(part, ())) for part in ("head", "foot"))
    own = slips.typed(head, foot, ask.body.get("text", ""), ask.path["slip"])
    return done(slips.set_own(conn, act, _lot(conn, act, ask), ask.path["slip"], own))


def drop_slip(conn: Connection, act: Act, ask: Ask) -> Any:
    """The lot's own file counts again."""
    return done(slips.set_own(conn, act, _lot(conn, act, ask), ask.path["slip"], None))


INCIDENT: Final[Schema] = {"type": "string", "pattern": "^[0-9A-Za-z_.:-]{1,200}$"}
_EVENT = record({
    "edge_id": text(), "epoch": WHOLE, "seq": WHOLE, "type": text(), "wall_ms": MOMENT,
    "parked_why": maybe(text(2000)),
})  # fmt: skip
_LINES = listing(text(200), 20)
_SLIP: dict[str, Schema] = {"head": _LINES, "foot": _LINES, "text": text(10_000)}
_OF_LOT = {"lot_id": ID, "slip": one_of(*LAYOUTS)}
_REASON = text(200, 1)

OPERATIONS = (
    Operation(
        "POST", "/incidents/{incident_id}/close", "close_incident", "Somebody looked at it", close_incident, DONE,
        Scope.MANAGE, within={"incident_id": INCIDENT}, body=record({"reason": _REASON}),
    ),
    Operation(
        "POST", "/edges/{edge_id}/claim", "renew_claim", "A fresh claim for an edge nobody has claimed", renew_claim,
        record({"edge_id": text(), "claim": text(2000)}), Scope.MANAGE, within={"edge_id": NAMED}, body=NO_BODY,
        status=201,
    ),
    Operation(
        "POST", "/edges/{edge_id}/revoke", "revoke_edge", "Stop believing an edge; what it holds stays frozen",
        revoke_edge, DONE, Scope.MANAGE, within={"edge_id": NAMED}, body=record({"reason": _REASON}),
    ),
    Operation(
        "POST", "/leases/{lease_id}/call-back", "call_back_lease", "Ask the lot to give a merchant's money back",
        call_back, DONE, Scope.MONEY, within={"lease_id": ID}, moves_money=True, body=NO_BODY,
    ),
    Operation(
        "GET", "/events", "list_events", "What edges reported, by kind, or only what was set aside", list_events,
        listing(_EVENT), Scope.READ, query={"q": text(60), "parked": FLAG, "page": PAGE},
    ),
    Operation(
        "POST", "/events/rerun", "rerun_events", "Try what was set aside once more", rerun, record({"applied": WHOLE}),
        Scope.MANAGE, body=NO_BODY,
    ),
    Operation(
        "GET", "/lots/{lot_id}/slips/{slip}", "get_slip_layout", "How a slip of a lot is laid out", get_slip,
        record({**_SLIP, "is_set": FLAG}), Scope.READ, within=_OF_LOT,
    ),
    Operation(
        "POST", "/lots/{lot_id}/slips/{slip}", "set_slip_layout", "How it is laid out from the next one printed",
        set_slip, DONE, Scope.MANAGE, within=_OF_LOT, body=record({}, _SLIP),
    ),
    Operation(
        "DELETE", "/lots/{lot_id}/slips/{slip}", "drop_slip_layout", "The lot's own file counts again", drop_slip, DONE,
        Scope.MANAGE, within=_OF_LOT,
    ),
)  # fmt: skip
