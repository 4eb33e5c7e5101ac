"""A device that died is replaced: put out and succeeded in one act, and its successor told what was known (sync §5)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping

from cloud.act import Act, Refused
from cloud.coupons import succession as coupons
from cloud.joining import put_out
from cloud.lots import edges as lot_edges
from cloud.lots import succession as lots
from cloud.lots.incidents import raise_incident
from cloud.sync import cursors, events
from domain.claim import Claim
from domain.moment import Moment, Quality
from domain.takeover import Inside, Known, Takeover

STARTED_MS = 60_000  # an entry's own event is never this much older than the entry


def replace_edge(
    conn: Connection, act: Act, edge_id: str, url: str, config_key: bytes, ca: bytes = b""
) -> Claim | Refused:
    """Put an edge out and make the one that takes its place; returns the claim for the new device.

    What the dead device may have known alone becomes an incident: people compare it with what they saw.
    """
    row = lot_edges.of_operator(conn, act.operator_id, edge_id)
    if row is None or row["claimed_ms"] is None:
        return Refused("edge_unknown")
    refused = put_out(conn, act, edge_id, "replaced")
    if refused is not None:
        return refused
    claim = lot_edges.create_edge(conn, act, row["lot_id"], row["name"], url, config_key, ca)
    at = cursors.position(conn, edge_id)
    if isinstance(claim, Refused) or at is None:
        return claim
    raise_incident(
        conn, act.operator_id, f"edge_replaced:{edge_id}", "edge_replaced", possible_loss(at), act.now_ms,
        lot_id=row["lot_id"], edge_id=edge_id,
    )  # fmt: skip
    return claim


def possible_loss(at: RowMapping) -> str:
    """What of a log may never come, in words: the events it told of, and everything after it was last heard."""
    told = f"; it told of {at['told_seq']}" if at["told_seq"] > at["seq"] else ""
    heard = f"{datetime.fromtimestamp(at['seen_ms'] / 1000, UTC):%Y-%m-%d %H:%M} UTC" if at["seen_ms"] else "the start"
    return f"known up to event {at['seq']} of epoch {at['epoch']}{told}; anything after {heard} may be lost"


def takeover_of(conn: Connection, edge_id: str) -> Takeover | Refused:
    """What an edge that took another's place begins with; refused once its own log has begun."""
    before, mine = lot_edges.replaced_by(conn, edge_id), cursors.position(conn, edge_id)
    known, who = None if before is None else cursors.position(conn, before), lot_edges.identity(conn, edge_id)
    if before is None or mine is None or known is None or who is None:
        return Refused("nothing_to_take_over")
    if mine["seq"]:
        return Refused("edge_has_begun")
    lot_id, operator_id = who["lot_id"], known["operator_id"]
    return Takeover(
        mine["epoch"],
        Known(before, known["epoch"], known["seq"], bytes(known["head"]), known["told_seq"], known["seen_ms"] or 0),
        tuple(_inside(conn, lot_id)),
        tuple(lots.paid_inside(conn, lot_id)),
        tuple(lots.owed(conn, operator_id, lot_id)),
        tuple(coupons.vouchers_used(conn, operator_id, lot_id)),
        events.files_of(conn, before),
    )


def _inside(conn: Connection, lot_id: int) -> list[Inside]:
    rows = lots.stays_inside(conn, lot_id)
    if not rows:
        return []
    entered = events.entries(conn, {row["edge_id"] for row in rows}, rows[0]["entered_ms"] - STARTED_MS)
    return [
        Inside(
            row["stay_id"], row["plate"], row["plate_raw"], row["vehicle_class"], row["zone"], row["entry_lane"],
            entered.get(row["stay_id"]) or Moment("", 0, row["entered_ms"], Quality.RESTORED),
        )
        for row in rows
    ]  # fmt: skip
