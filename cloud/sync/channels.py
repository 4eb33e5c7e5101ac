"""Rows the cloud owns and one edge holds: each change gives its channel the next version (sync §4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, RowMapping, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from cloud.prepared import Found, Prepared, adding
from cloud.sync.tables import channel_row, channel_version
from domain.sync.channel import (
    BUCKETS,
    CHANNELS,
    Kept,
    Part,
    Row,
    bucket_of,
    differing,
    digest_from,
    digest_text,
    next_parts,
    replaced,
    split,
)
from domain.wire import Json, canonical

KEYS_AT_ONCE: Final = 400

# Asked at every message of every edge: built once, SQLAlchemy takes longer to build them than a database to answer.
_THIS: Final = and_(channel_version.c.edge_id == bindparam("edge"), channel_version.c.channel == bindparam("of"))
_SET_DIGEST: Final = Prepared(
    update(channel_version).where(_THIS).values(ver=bindparam("version"), digest=bindparam("text"))
)
_SET_HELD: Final = update(channel_version).where(_THIS).values(held_ver=bindparam("version"))
_NOT_BACK: Final = _SET_HELD.where(channel_version.c.held_ver < bindparam("version"))
_TOLD: Final = _SET_HELD.values(held_digest=bindparam("text"))
_VERSIONS: Final = select(channel_version.c.channel, channel_version.c.ver).where(
    channel_version.c.edge_id == bindparam("edge")
)
_BEHIND: Final = (
    select(channel_version.c.channel, channel_version.c.held_ver, channel_version.c.ver)
    .where(channel_version.c.edge_id == bindparam("edge"), channel_version.c.held_ver < channel_version.c.ver)
    .order_by(channel_version.c.channel)
)
_STANDING: Final = select(channel_version.c.ver, channel_version.c.digest).where(_THIS)
STANDING: Final = _STANDING.with_for_update()
"""Version and digest of a channel, locked until the transaction ends, as a part of another question."""
_AFTER: Final = (
    select(channel_row.c.key, channel_row.c.ver, channel_row.c.value)
    .where(channel_row.c.edge_id == bindparam("edge"), channel_row.c.channel == bindparam("of"))
    .where(channel_row.c.ver > bindparam("version"))
    .order_by(channel_row.c.ver, channel_row.c.key)
)
_ADD: Final = Prepared(adding(channel_row, ("edge_id", "channel", "operator_id", "key", "ver", "value", "changed_ms")))
_EMPTY: Final = digest_text([0] * BUCKETS)
_NEXT: Final = {
    dialect: Prepared(
        into(channel_version)
        .values({column.name: bindparam(f"first_{column.name}") for column in channel_version.c})
        .on_conflict_do_update(
            index_elements=[channel_version.c.edge_id, channel_version.c.channel],
            set_={"ver": channel_version.c.ver + 1},
        )
        .returning(channel_version.c.ver, channel_version.c.digest)
    )
    for dialect, into in (("sqlite", sqlite_insert), ("postgresql", postgres_insert))
}


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
    before = None if held is None else Row(key, int(held.ver), _value(held.value))
    return _change(conn, operator_id, edge_id, channel, {key: (before, value)}, now_ms)


def add_row(
    conn: Connection,
    operator_id: int,
    edge_id: str,
    channel: str,
    key: str,
    value: Json,
    now_ms: int,
    standing: Found | None = None,
) -> int:
    """The same for a key the channel never had: nobody looks for it. Raises IntegrityError where it had.

    *standing* is the answer to ``STANDING`` where it was asked already.
    """
    return _change(conn, operator_id, edge_id, channel, {key: (None, value)}, now_ms, standing)


def put_rows(
    conn: Connection, operator_id: int, edge_id: str, channel: str, rows: Mapping[str, Json | None], now_ms: int
) -> None:
    """Set (or with None remove) many rows of an edge's channel as one version; what is so already stays as it is."""
    if channel not in CHANNELS:
        raise ValueError(f"no channel named {channel!r}")
    changed: dict[str, tuple[Row | None, Json | None]] = {}
    held = _held(conn, edge_id, channel, list(rows))
    for key, value in rows.items():
        before = held.get(key)
        if value is None and before is None:
            continue
        if before is None or canonical(before.value) != canonical(value):
            changed[key] = (before, value)
    if changed:
        _change(conn, operator_id, edge_id, channel, changed, now_ms)


def _held(conn: Connection, edge_id: str, channel: str, keys: list[str]) -> dict[str, Row]:
    query = select(channel_row.c.key, channel_row.c.ver, channel_row.c.value).where(
        channel_row.c.edge_id == edge_id, channel_row.c.channel == channel
    )
    return {
        key: Row(key, int(ver), _value(text))
        for at in range(0, len(keys), KEYS_AT_ONCE)
        for key, ver, text in conn.execute(query.where(channel_row.c.key.in_(keys[at : at + KEYS_AT_ONCE])))
    }


def _change(
    conn: Connection,
    operator_id: int,
    edge_id: str,
    channel: str,
    rows: Mapping[str, tuple[Row | None, Json | None]],
    now_ms: int,
    standing: Found | None = None,
) -> int:
    """Write *rows* (key -> as it was, as it shall be) as the channel's next version."""
    if standing is None:
        version, buckets = _next_version(conn, operator_id, edge_id, channel)
    else:
        version, buckets = int(standing["ver"]) + 1, digest_from(standing["digest"])
    fresh: list[dict[str, str | None]] = []
    known: list[dict[str, str | None]] = []
    for key, (before, value) in rows.items():
        buckets = replaced(buckets, before, Row(key, version, value))
        text = None if value is None else canonical(value).decode()
        (fresh if before is None else known).append({"of_key": key, "text": text})
    _SET_DIGEST(conn, {"edge": edge_id, "of": channel, "version": version, "text": digest_text(buckets)})
    stamp = {"ver": version, "changed_ms": now_ms}
    of = {"edge_id": edge_id, "channel": channel, "operator_id": operator_id}
    if fresh:
        _ADD.many(conn, [{**of, **stamp, "key": one["of_key"], "value": one["text"]} for one in fresh])
    if known:
        own = (channel_row.c.edge_id == edge_id) & (channel_row.c.channel == channel)
        mend = update(channel_row).where(own, channel_row.c.key == bindparam("of_key"))
        conn.execute(mend.values(value=bindparam("text"), **stamp), known)
    return version


def _next_version(conn: Connection, operator_id: int, edge_id: str, channel: str) -> tuple[int, list[int]]:
    fresh = {"edge_id": edge_id, "channel": channel, "operator_id": operator_id, "ver": 1, "held_ver": 0}
    fresh |= dict.fromkeys(("digest", "held_digest"), _EMPTY)
    row = _NEXT[conn.dialect.name](conn, {f"first_{name}": value for name, value in fresh.items()}).one()
    return int(row.ver), digest_from(row.digest)


def _value(text: str | None) -> Json | None:
    return None if text is None else json.loads(text)


def inherit(conn: Connection, operator_id: int, before: str, edge_id: str, now_ms: int) -> int:
    """Give an edge every row the edge *before* it held; returns how many."""
    rows = conn.execute(
        select(channel_row.c.channel, channel_row.c.key, channel_row.c.value)
        .where(channel_row.c.edge_id == before, channel_row.c.value.is_not(None))
        .order_by(channel_row.c.channel, channel_row.c.ver, channel_row.c.key)
    ).all()
    for channel, key, value in rows:
        put_row(conn, operator_id, edge_id, channel, key, _value(value), now_ms)
    return len(rows)


def set_held(conn: Connection, edge_id: str, channel: str, version: int, digest: str | None = None) -> None:
    """Remember what the edge says it holds, with a digest in a hello. An event alone (*digest* None) may be an old
    one applied late, and never takes back what is known to be held.
    """
    held = {"edge": edge_id, "of": channel, "version": version}
    if digest is None:
        conn.execute(_NOT_BACK, held)
    else:
        conn.execute(_TOLD, {**held, "text": digest})


def behind(conn: Connection, edge_id: str) -> list[tuple[str, int, int]]:
    """(channel, version the edge holds, our version) of every channel the edge is behind in."""
    return [(channel, int(held), int(ver)) for channel, held, ver in conn.execute(_BEHIND, {"edge": edge_id})]


def parts(conn: Connection, edge_id: str, channel: str, held: int, kept: Kept | None = None) -> list[Part]:
    """The step from version *held* to ours, cut to fit messages, from the first part the edge does not keep yet.

    An edge that holds nothing gets every bucket whole.
    """
    repair = range(BUCKETS) if held == 0 else ()
    version, written = _standing(conn, edge_id, channel)
    whole = split(channel, held, version, _rows(conn, edge_id, channel, held), digest_from(written), repair)
    return next_parts(whole, kept)


def repairs(conn: Connection, edge_id: str, channel: str, theirs: str) -> list[Part]:
    """The buckets that differ from *theirs* at our own version, whole; nothing when all are equal."""
    version, written = _standing(conn, edge_id, channel)
    wrong = differing(digest_from(written), digest_from(theirs))
    if not wrong:
        return []
    rows = [row for row in _rows(conn, edge_id, channel, 0) if row.value is not None and bucket_of(row.key) in wrong]
    return split(channel, version, version, rows, digest_from(written), wrong)


def versions(conn: Connection, edge_id: str) -> dict[str, int]:
    """Our version of every channel that has one."""
    return {channel: int(ver) for channel, ver in conn.execute(_VERSIONS, {"edge": edge_id})}


def _standing(conn: Connection, edge_id: str, channel: str) -> tuple[int, str]:
    row = conn.execute(_STANDING, {"edge": edge_id, "of": channel}).one()
    return int(row.ver), row.digest


def _rows(conn: Connection, edge_id: str, channel: str, after: int) -> list[Row]:
    found = conn.execute(_AFTER, {"edge": edge_id, "of": channel, "version": after})
    return [Row(key, int(ver), _value(text)) for key, ver, text in found]


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


def rows_of(conn: Connection, edge_id: str, channel: str) -> list[tuple[str, Json]]:
    """The live rows of an edge's channel."""
    found = conn.execute(
        select(channel_row.c.key, channel_row.c.value).where(
            channel_row.c.edge_id == edge_id, channel_row.c.channel == channel, channel_row.c.value.is_not(None)
        )
    )
    return [(key, json.loads(text)) for key, text in found]


def standings(conn: Connection, operator_id: int) -> dict[str, list[RowMapping]]:
    """By edge: every channel's version here and as the edge last told, and whether the digests agree."""
    query = (
        select(channel_version, (channel_version.c.digest == channel_version.c.held_digest).label("agrees"))
        .where(channel_version.c.operator_id == operator_id)
        .order_by(channel_version.c.edge_id, channel_version.c.channel)
    )
    found: dict[str, list[RowMapping]] = {}
    for row in conn.execute(query).mappings():
        found.setdefault(row["edge_id"], []).append(row)
    return found
