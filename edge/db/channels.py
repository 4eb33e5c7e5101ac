"""The cloud's lists as held here: rows visible a whole version at a time, parts kept aside until the last (I17)."""

from __future__ import annotations

import json
import sqlite3

from domain.sync.channel import (
    BUCKETS,
    CHANNELS,
    Kept,
    Part,
    Row,
    Step,
    advance,
    bucket_of,
    digest_from,
    digest_text,
    open_part,
)
from domain.wire import Json, canonical


def version(conn: sqlite3.Connection, channel: str) -> int:
    """The version of *channel* that services see; 0 before the first."""
    row = conn.execute("SELECT ver FROM applied WHERE channel = ?", (channel,)).fetchone()
    return row[0] if row else 0


def get(conn: sqlite3.Connection, channel: str, key: str) -> Json | None:
    """One row's value, or None."""
    row = conn.execute("SELECT value FROM channel_row WHERE channel = ? AND key = ?", (channel, key)).fetchone()
    return json.loads(row[0]) if row else None


def for_plate(conn: sqlite3.Connection, channel: str, plate: str) -> list[tuple[str, Json]]:
    """(key, value) of the rows of *channel* whose value names *plate*, in key order."""
    rows = conn.execute(
        "SELECT key, value FROM channel_row INDEXED BY channel_row_plate WHERE channel = ? AND plate = ? ORDER BY key",
        (channel, plate),
    )
    return [(key, json.loads(value)) for key, value in rows]


def plates(conn: sqlite3.Connection, channel: str) -> list[str]:
    """Every plate that a row of *channel* names, in order."""
    query = "SELECT DISTINCT plate FROM channel_row INDEXED BY channel_row_plate WHERE channel = ? AND plate > ''"
    return [plate for (plate,) in conn.execute(f"{query} ORDER BY plate", (channel,))]


def containing(conn: sqlite3.Connection, channel: str, text: str, most: int, offset: int = 0) -> tuple[list[Json], int]:
    """Values of *channel* whose plate has *text* in it, by plate, and how many there are in all.

    One pass over the list: the text is looked for in the value first, so that few are read as JSON.
    """
    found = conn.execute(
        "SELECT value, count(*) OVER () FROM channel_row WHERE channel = ? AND instr(value, ?) > 0"
        " AND plate IS NOT NULL AND instr(plate, ?) > 0 ORDER BY plate, key LIMIT ? OFFSET ?",
        (channel, text, text, most, offset),
    ).fetchall()
    return [json.loads(value) for value, _ in found], found[0][1] if found else 0


def rows(conn: sqlite3.Connection, channel: str) -> list[Row]:
    """All rows of *channel*."""
    found = conn.execute("SELECT key, ver, value FROM channel_row WHERE channel = ? ORDER BY key", (channel,))
    return [Row(key, ver, json.loads(value)) for key, ver, value in found]


def standing(conn: sqlite3.Connection) -> dict[str, tuple[int, list[int]]]:
    """(version, digest buckets) of every channel, for the hello."""
    return {channel: (version(conn, channel), _buckets(conn, channel)) for channel in CHANNELS}


def _buckets(conn: sqlite3.Connection, channel: str) -> list[int]:
    row = conn.execute("SELECT digest FROM applied WHERE channel = ?", (channel,)).fetchone()
    return digest_from(row[0]) if row else [0] * BUCKETS


def kept(conn: sqlite3.Connection, channel: str) -> Kept | None:
    """How far the newest step has come whose last part is not there yet."""
    staged = conn.execute(
        "SELECT start, end, parts, part FROM stage WHERE channel = ? AND (start, end, parts) ="
        " (SELECT start, end, parts FROM stage WHERE channel = ?1 ORDER BY end DESC, start DESC, parts LIMIT 1)"
        " ORDER BY part",
        (channel,),
    ).fetchall()
    if not staged:
        return None
    start, end, parts, _ = staged[0]
    return Kept(start, end, parts, sum(row["part"] == place for place, row in enumerate(staged, 1)))


def take(conn: sqlite3.Connection, part: Part) -> Step | None:
    """Keep *part*; when it completes its step, make the whole step visible and return it.

    A part that does not start where we stand is dropped: the next hello or digest brings the right one.
    Raises BadMessageError when the complete step does not give its digest (nothing becomes visible then).
    """
    held = version(conn, part.channel)
    if part.end < held or part.start > held or (part.end == held and not part.repair):
        return None
    conn.execute(
        "INSERT OR REPLACE INTO stage (channel, start, end, part, parts, message) VALUES (?, ?, ?, ?, ?, ?)",
        (part.channel, part.start, part.end, part.part, part.parts, canonical(part.message()).decode()),
    )
    step_of = (part.channel, part.start, part.end, part.parts)
    of_step = "FROM stage WHERE channel = ? AND start = ? AND end = ? AND parts = ?"
    if conn.execute(f"SELECT count(*) {of_step}", step_of).fetchone()[0] < part.parts:
        return None
    staged = conn.execute(f"SELECT message {of_step} ORDER BY part", step_of).fetchall()
    parts = [open_part(json.loads(message)) for (message,) in staged]
    conn.execute("DELETE FROM stage WHERE channel = ?", (part.channel,))
    step = advance(_buckets(conn, part.channel), _named(conn, parts), parts)
    if part.end == held and not step.changed and not step.gone:
        return None
    _write(conn, part.channel, step)
    conn.execute(
        "INSERT OR REPLACE INTO applied (channel, ver, digest) VALUES (?, ?, ?)",
        (part.channel, part.end, digest_text(step.buckets)),
    )
    return step


def forget_versions(conn: sqlite3.Connection) -> None:
    """These lists were told to another device: they hold until the cloud has told this one its own, whole."""
    conn.execute("UPDATE applied SET ver = 0")
    conn.execute("DELETE FROM stage")


def _named(conn: sqlite3.Connection, parts: list[Part]) -> dict[str, Row]:
    """Our rows among those the parts name, and all of the buckets they repair."""
    channel = parts[0].channel
    query = "SELECT key, ver, value FROM channel_row WHERE channel = ? AND "
    found = [
        row for part in parts for named in part.rows for row in conn.execute(query + "key = ?", (channel, named.key))
    ]
    for bucket in parts[0].repair:
        found += conn.execute(query + "bucket = ?", (channel, bucket))
    return {key: Row(key, ver, json.loads(value)) for key, ver, value in found}


def _write(conn: sqlite3.Connection, channel: str, step: Step) -> None:
    conn.executemany("DELETE FROM channel_row WHERE channel = ? AND key = ?", [(channel, key) for key in step.gone])
    conn.executemany(
        "INSERT OR REPLACE INTO channel_row (channel, key, bucket, ver, value) VALUES (?, ?, ?, ?, ?)",
        [(channel, row.key, bucket_of(row.key), row.version, canonical(row.value).decode()) for row in step.changed],
    )
