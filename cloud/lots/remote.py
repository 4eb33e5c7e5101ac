"""Opening a barrier from afar: asked for by name and reason, good for seconds, done by the lot or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.lots.edges import edge_of_lot
from cloud.lots.tables import lane
from cloud.sync import commands

OPEN = "barrier.open"
GOOD_MS = 15_000
SHOWN = 10


def open_barrier(conn: Connection, act: Act, lot_id: int, name: str, reason: str) -> Refused | None:
    """Ask the lot's edge for one pulse at lane *name*; after 15 seconds it is too late and nothing opens.

    The answer comes as a fact: see ``asked``.
    """
    if not reason.strip():
        return Refused("reason_missing")
    known = select(lane.c.lane_id).where(
        lane.c.lot_id == lot_id, lane.c.name == name, lane.c.operator_id == act.operator_id
    )
    edge_id = edge_of_lot(conn, lot_id) if lot_id in act.within and conn.execute(known).first() else None
    if edge_id is None:
        return Refused("lane_unknown")
    body = {"lane": name, "by": act.by, "reason": reason.strip()}
    commands.add_command(conn, act.operator_id, edge_id, OPEN, body, act.now_ms, act.now_ms + GOOD_MS)
    audit.record(conn, act, "barrier.open_asked", f"lane:{lot_id}/{name}", after={"lane": name}, reason=reason)
    return None


def asked(conn: Connection, operator_id: int, lot_id: int) -> Sequence[RowMapping]:
    """The last openings asked for at a lot, with what came of them."""
    edge_id = edge_of_lot(conn, lot_id)
    rows = commands.recent(conn, edge_id, OPEN, SHOWN) if edge_id else []
    return [row for row in rows if row["operator_id"] == operator_id]
