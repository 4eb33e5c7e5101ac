"""How far the log of each edge is known here: what other capabilities may ask, and where a log begins."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, insert, select

from cloud.sync.tables import edge_cursor
from domain.wire import GENESIS


def begin(conn: Connection, operator_id: int, edge_id: str) -> int:
    """A claimed edge's log begins; returns its epoch."""
    conn.execute(
        insert(edge_cursor).values(
            edge_id=edge_id, operator_id=operator_id, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps=""
        )
    )
    return 1


def positions(conn: Connection, operator_id: int) -> dict[str, RowMapping]:
    """By edge: epoch, last applied event, where the edge said its log ends, when it was last heard."""
    of = edge_cursor.c
    query = select(of.edge_id, of.epoch, of.seq, of.told_seq, of.seen_ms).where(of.operator_id == operator_id)
    return {row["edge_id"]: row for row in conn.execute(query).mappings()}
