"""What edges report of people: visitors the booth let park free, stays that ended unpaid for a good reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, update

from cloud.bulk import insert_new, upsert_own
from cloud.members.tables import booth_visitor, excused_stay
from cloud.sync.context import Applied, ApplyContext, Projection

SAID_ANEW = ("lane", "plate", "why", "detail", "excused_by", "waived_fen", "decision_id", "happened_ms")


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


def stays_excused(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.excused``: somebody left without paying; the last word on a stay counts, and "" takes it back."""
    last = {event.stay_id: (envelope, event) for envelope, event in applied}
    rows = [
        {
            "stay_id": event.stay_id,
            "operator_id": ctx.operator_id,
            "lot_id": ctx.lot_id,
            "edge_id": ctx.edge_id,
            "lane": event.lane,
            "plate": event.plate,
            "why": event.why,
            "detail": event.detail,
            "excused_by": event.by,
            "waived_fen": event.waived_fen,
            "decision_id": event.decision_id,
            "happened_ms": envelope.moment.wall_ms,
        }
        for envelope, event in last.values()
        if event.why
    ]
    upsert_own(conn, excused_stay, rows, "stay_id", SAID_ANEW)
    for stay_id in (stay_id for stay_id, (_, event) in last.items() if not event.why):
        own = (excused_stay.c.stay_id == stay_id) & (excused_stay.c.edge_id == ctx.edge_id)
        conn.execute(delete(excused_stay).where(own))


PROJECTIONS: Final[dict[str, Projection]] = {
    "visitor.added": visitors_added,
    "visitor.ended": visitors_ended,
    "stay.excused": stays_excused,
}
