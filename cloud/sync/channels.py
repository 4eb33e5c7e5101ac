"""Rows the cloud owns and one edge holds: each change gives its channel the next version (sync §4)."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from cloud.sync.tables import channel_row, channel_version
from domain.sync.channel import CHANNELS
from domain.wire import Json, canonical


def put_row(
    conn: Connection, operator_id: int, edge_id: str, channel: str, key: str, value: Json | None, now_ms: int
) -> int:
    """Set (or with None remove) one row of an edge's channel; returns the channel version that carries the change.

    Setting a row to what it already is changes nothing and returns the version it was last changed at.
    """
    if channel not in CHANNELS:
        raise ValueError(f"no channel named {channel!r}")
    text = None if value is None else canonical(value).decode()
    held = conn.execute(
        select(channel_row.c.ver, channel_row.c.value).where(
            channel_row.c.edge_id == edge_id, channel_row.c.channel == channel, channel_row.c.key == key
        )
    ).one_or_none()
    if held is not None and held.value == text:
        return int(held.ver)
    version = _next_version(conn, operator_id, edge_id, channel)
    row = {"ver": version, "value": text, "changed_ms": now_ms}
    if held is None:
        named = {"edge_id": edge_id, "channel": channel, "key": key, "operator_id": operator_id}
        conn.execute(channel_row.insert().values(**named, **row))
    else:
        conn.execute(
            update(channel_row)
            .where(channel_row.c.edge_id == edge_id, channel_row.c.channel == channel, channel_row.c.key == key)
            .values(**row)
        )
    return version


def _next_version(conn: Connection, operator_id: int, edge_id: str, channel: str) -> int:
    insert = sqlite_insert if conn.dialect.name == "sqlite" else postgres_insert
    first = insert(channel_version).values(
        edge_id=edge_id, channel=channel, operator_id=operator_id, ver=1, held_ver=0, held_digest=""
    )
    bumped = first.on_conflict_do_update(
        index_elements=[channel_version.c.edge_id, channel_version.c.channel],
        set_={"ver": channel_version.c.ver + 1},
    ).returning(channel_version.c.ver)
    return int(conn.execute(bumped).scalar_one())


def get_row(conn: Connection, edge_id: str, channel: str, key: str) -> Json | None:
    """The value of one row, or None when there is none (any more)."""
    text = conn.execute(
        select(channel_row.c.value).where(
            channel_row.c.edge_id == edge_id, channel_row.c.channel == channel, channel_row.c.key == key
        )
    ).scalar_one_or_none()
    if text is None:
        return None
    value: Json = json.loads(text)
    return value
