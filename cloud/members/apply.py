"""What edges report of people: visitors the booth let park free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, update

from cloud.bulk import insert_new
from cloud.members.tables import booth_visitor
from cloud.sync.context import Applied, ApplyContext, Projection


def visitors_added(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``visitor.added``: somebody parks free today at this lot."""
    rows = [
        {
            "visitor_id": event.visitor_id,
            "operator_id": ctx.operator_id,
            "lot_id": ctx.lot_id,
            "edge_id": ctx.edge_id,
            "plate": event.plate,
            "host": event.host,
            "begins_ms": event.from_ms,
            "ends_ms": event.until_ms,
            "added_by": event.by,
            "ended_by": "",
        }
        for _, event in applied
    ]
    insert_new(conn, booth_visitor, rows, "visitor_id")


def visitors_ended(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``visitor.ended``: the booth took it back; only its own (I19)."""
    for _, event in applied:
        own = (booth_visitor.c.visitor_id == event.visitor_id) & (booth_visitor.c.edge_id == ctx.edge_id)
        conn.execute(update(booth_visitor).where(own).values(ends_ms=event.until_ms, ended_by=event.by))


PROJECTIONS: Final[dict[str, Projection]] = {"visitor.added": visitors_added, "visitor.ended": visitors_ended}
