"""How far the log of each edge is known here: what other capabilities may ask, and where a log begins."""

from __future__ import annotations

import json

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.sync.tables import edge_cursor
from domain.wire import GENESIS
from plumbing.paper.profile import Profile, profiles_told


def begin(conn: Connection, operator_id: int, edge_id: str, before: str | None = None) -> int:
    """A claimed edge's log begins, in an epoch after all of the edge *before* it; returns its epoch."""
    earlier = None if before is None else position(conn, before)
    values = {"operator_id": operator_id, "epoch": earlier["epoch"] + 1 if earlier else 1, "seq": 0, "head": GENESIS}
    conn.execute(insert(edge_cursor).values(edge_id=edge_id, told_seq=0, boot="", sid="", caps="", **values))
    return int(values["epoch"])


def position(conn: Connection, edge_id: str) -> RowMapping | None:
    """How far the log of one edge is known, with the chain hash there; None before it was claimed."""
    return conn.execute(select(edge_cursor).where(edge_cursor.c.edge_id == edge_id)).mappings().one_or_none()


def printers(conn: Connection, edge_id: str) -> dict[str, Profile]:
    """The edge's printers by name, as its last hello told them."""
    told = conn.execute(select(edge_cursor.c.printers).where(edge_cursor.c.edge_id == edge_id)).scalar_one_or_none()
    return profiles_told(json.loads(told or "{}"))


def advance(conn: Connection, edge_id: str, epoch: int, seq: int, head: bytes) -> None:
    """An edge that is gone had more to tell: its log is known further, if it is that epoch's."""
    mine = (edge_cursor.c.edge_id == edge_id) & (edge_cursor.c.epoch == epoch) & (edge_cursor.c.seq < seq)
    conn.execute(update(edge_cursor).where(mine).values(seq=seq, head=head))


def positions(conn: Connection, operator_id: int) -> dict[str, RowMapping]:
    """By edge: epoch, last applied event, where the edge said its log ends, when it was last heard."""
    of = edge_cursor.c
    query = select(of.edge_id, of.epoch, of.seq, of.told_seq, of.seen_ms).where(of.operator_id == operator_id)
    return {row["edge_id"]: row for row in conn.execute(query).mappings()}
