"""Commands to one edge: numbered, kept until it says what came of them (sync §4)."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from cloud.sync.tables import command, edge_cursor
from domain.wire import Json, canonical


def add_command(
    conn: Connection, operator_id: int, edge_id: str, kind: str, body: Json, now_ms: int, expires_ms: int | None = None
) -> int:
    """Queue a command for the edge's current epoch; returns its number. It goes out once this is committed."""
    epoch = conn.execute(
        select(edge_cursor.c.epoch).where(edge_cursor.c.edge_id == edge_id).with_for_update()
    ).scalar_one()
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
