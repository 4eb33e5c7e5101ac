"""Events of a closed epoch, told late: of this edge, or of the dead one whose place it took (sync §5)."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.lots import edges as lot_edges
from cloud.lots.incidents import raise_incident
from cloud.sync import commands, cursors
from cloud.sync.context import ApplyContext
from cloud.sync.inbox import apply_events, hash_at, last_of
from domain.sync.batch import Batch
from domain.sync.inbox import Apply, Cursor, Known, Nak, judge
from domain.wire import BadMessageError, Json


def apply_salvage(
    conn: Connection, ctx: ApplyContext, teller: str, epoch: int, batch: Batch, hashes: list[bytes]
) -> Json:
    """Apply what *teller*, now in *epoch*, kept of the log of ``ctx.edge_id``, each event once; returns the answer.

    Facts are never refused: only what does not continue the chain that is held is left to a person. Raises
    BadMessageError.
    """
    if ctx.edge_id not in (teller, lot_edges.replaced_by(conn, teller)):
        raise BadMessageError("salvage of an edge that is nothing to this one")
    if batch.epoch >= epoch:
        raise BadMessageError("salvage of an epoch that is not closed")
    commands.lock_edge(conn, ctx.edge_id)
    at = Cursor(batch.epoch, *last_of(conn, ctx.edge_id, batch.epoch))
    verdict = judge(at, batch, hashes, lambda seq: hash_at(conn, ctx.edge_id, batch.epoch, seq))
    match verdict:
        case Apply():
            apply_events(conn, ctx, batch.bodies[verdict.skip :], hashes[verdict.skip :], verdict.first)
            cursors.advance(conn, ctx.edge_id, batch.epoch, batch.last, hashes[-1])
            return {"what": "salvaged", "s": batch.last}
        case Known():
            return {"what": "salvaged", "s": batch.last}
    detail = f"events {batch.start}-{batch.last} of epoch {batch.epoch} do not continue what is held at {at.seq}"
    finding = f"salvage_refused:{ctx.edge_id}:{batch.epoch}:{batch.start}"
    raise_incident(
        conn, ctx.operator_id, finding, "salvage_refused", detail, ctx.now_ms, lot_id=ctx.lot_id, edge_id=ctx.edge_id
    )
    return {"what": "salvage_refused", "why": "gap" if isinstance(verdict, Nak) else "fork"}
