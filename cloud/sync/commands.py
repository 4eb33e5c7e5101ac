"""Commands to one edge: numbered, kept until it says what came of them (sync §4)."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from cloud.sync.tables import command, edge_cursor
from domain.wire import Json, canonical


def lock_edge(conn: Connection, edge_id: str) -> int | None:
    """The edge's epoch, its cursor locked until the transaction ends; None before it was claimed."""
    query = select(edge_cursor.c.epoch).where(edge_cursor.c.edge_id == edge_id)
    return conn.execute(query.with_for_update()).scalar_one_or_none()


def add_command(
    conn: Connection, operator_id: int, edge_id: str, kind: str, body: Json, now_ms: int, expires_ms: int | None = None
) -> int:
    """Queue a command for the edge's current epoch; returns its number. It goes out once this is committed."""
    epoch = lock_edge(conn, edge_id)
    if epoch is None:
        raise LookupError(f"edge {edge_id} was never claimed")
    last = conn.execute(select(func.max(command.c.cmd_seq)).where(command.c.edge_id == edge_id)).scalar_one()
    cmd_seq = (last or 0) + 1
    conn.execute(
        insert(command).values(
            edge_id=edge_id,
            cmd_seq=cmd_seq,
            operator_id=operator_id,
            epoch=epoch,
            kind=kind,
            body=canonical(body).decode(),
            expires_ms=expires_ms,
            state="waiting",
            result="",
            made_ms=now_ms,
        )
    )
    return int(cmd_seq)
