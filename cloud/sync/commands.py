"""Commands to one edge: numbered, kept until it says what came of them (sync §4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

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


_OVERDUE: Final = (
    update(command)
    .where(
        command.c.edge_id == bindparam("edge"), command.c.state == "waiting", command.c.expires_ms < bindparam("now")
    )
    .values(state="done", result="expired")
)
_OUTSTANDING: Final = (
    select(command.c.cmd_seq, command.c.epoch, command.c.kind, command.c.body, command.c.expires_ms)
    .join(edge_cursor, (edge_cursor.c.edge_id == command.c.edge_id) & (edge_cursor.c.epoch == command.c.epoch))
    .where(command.c.edge_id == bindparam("edge"), command.c.state == "waiting")
    .order_by(command.c.cmd_seq)
    .limit(100)
)
MOVES = frozenset({"barrier.open", "lane.ask", "voucher.print"})
"""Kinds that move something: sent once, in answer to a hello seconds old, and never again by themselves."""


def outstanding(conn: Connection, edge_id: str, now_ms: int) -> list[Json]:
    """Commands the edge has not reported on, in order, as they go over the line; those past their time are closed."""
    conn.execute(_OVERDUE, {"edge": edge_id, "now": now_ms})
    rows = conn.execute(_OUTSTANDING, {"edge": edge_id})
    return [
        {"ep": row.epoch, "cmd_seq": row.cmd_seq, "kind": row.kind, "body": json.loads(row.body)}
        | ({} if row.expires_ms is None else {"not_after": row.expires_ms})
        for row in rows
    ]


def set_sent(conn: Connection, edge_id: str, cmd_seq: int) -> None:
    """A command that moves something has gone out: it is not sent again."""
    conn.execute(update(command).where(command.c.edge_id == edge_id, command.c.cmd_seq == cmd_seq).values(state="sent"))


def recent(conn: Connection, edge_id: str, kind: str, most: int) -> Sequence[RowMapping]:
    """The newest commands of a kind with what came of them."""
    query = select(command).where(command.c.edge_id == edge_id, command.c.kind == kind)
    rows = conn.execute(query.order_by(command.c.cmd_seq.desc()).limit(most)).mappings()
    return [{**row, "body": json.loads(row["body"])} for row in rows]  # type: ignore[misc]


def take_result(conn: Connection, edge_id: str, cmd_seq: int) -> str | None:
    """What came of a command, None so far; neither its body nor its result is kept afterwards."""
    this = (command.c.edge_id == edge_id) & (command.c.cmd_seq == cmd_seq)
    result: str | None = conn.execute(
        select(command.c.result).where(this, command.c.state == "done")
    ).scalar_one_or_none()
    if result is not None:
        conn.execute(update(command).where(this).values(body="{}", result=""))
    return result
