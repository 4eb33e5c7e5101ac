"""The durable log of facts (outbox): gapless, hash-chained, forgotten only after the cloud's own ack (sync §2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import Event, Priority, encode, open_envelope
from domain.moment import Anchor, Moment
from domain.wire import GENESIS, chain_hash

Fact = tuple[Event, str | None]  # what happened, and what it belongs to


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: the chain hash *head* after event *seq* of *epoch*."""

    epoch: int
    seq: int
    head: bytes


def append(conn: sqlite3.Connection, payload: Event, moment: Moment, correlation: str | None = None) -> int:
    """Write one event inside the caller's transaction; returns its seq."""
    return append_all(conn, [(payload, correlation)], moment)


def append_all(conn: sqlite3.Connection, facts: Sequence[Fact], moment: Moment) -> int:
    """Write events of one moment, each with its correlation, in the caller's transaction; returns the last seq.

    Telemetry is left out while it is shed.
    """
    facts = [fact for fact in facts if fact[0].PRIORITY < Priority.P2 or not _sheds(conn)]
    epoch, seq, head = conn.execute("SELECT epoch, next_seq, head FROM stream").fetchone()
    rows = []
    for place, (payload, correlation) in enumerate(facts, seq):
        body = encode(place, moment, payload, correlation)
        head = chain_hash(head, body)
        rows.append((epoch, place, payload.TYPE, payload.VERSION, int(payload.PRIORITY), moment.wall_ms, body, head))
    conn.executemany(
        "INSERT INTO outbox (epoch, seq, type, tv, prio, wall_ms, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
    )
    conn.execute("UPDATE stream SET next_seq = ?, head = ?", (seq + len(rows), head))
    return int(seq) + len(rows) - 1


def _sheds(conn: sqlite3.Connection) -> bool:
    """Count one telemetry event as not kept, if that is how it stands."""
    return conn.execute("UPDATE shed SET dropped = dropped + 1 WHERE shedding").rowcount == 1


def is_shedding(conn: sqlite3.Connection) -> bool:
    """Is telemetry left out of the log?"""
    return bool(conn.execute("SELECT shedding FROM shed").fetchone()[0])


def set_shedding(conn: sqlite3.Connection, *, on: bool) -> int:
    """Leave telemetry out from now on, or keep it again; returns how much was left out until now."""
    dropped = int(conn.execute("SELECT dropped FROM shed").fetchone()[0])
    conn.execute("UPDATE shed SET shedding = ?, dropped = 0", (int(on),))
    return dropped


def newest(conn: sqlite3.Connection) -> Position:
    """Where the log ends."""
    epoch, next_seq, head = conn.execute("SELECT epoch, next_seq, head FROM stream").fetchone()
    return Position(epoch, next_seq - 1, head)


def acked(conn: sqlite3.Connection) -> Position:
    """Up to where the cloud has the log, as it last told us."""
    epoch, seq, head = conn.execute("SELECT epoch, seq, hash FROM acked").fetchone()
    return Position(epoch, seq, head)


def hash_at(conn: sqlite3.Connection, epoch: int, seq: int) -> bytes | None:
    """The chain hash after event *seq*; None when this log does not hold it (any more)."""
    if seq == 0:
        return GENESIS
    row = conn.execute("SELECT hash FROM outbox WHERE epoch = ? AND seq = ?", (epoch, seq)).fetchone()
    return row[0] if row else None


def bodies(conn: sqlite3.Connection, epoch: int, start: int, most: int) -> list[tuple[bytes, bytes]]:
    """(body, hash) of up to *most* events from *start* on."""
    rows = conn.execute(
        "SELECT body, hash FROM outbox WHERE epoch = ? AND seq >= ? ORDER BY seq LIMIT ?", (epoch, start, most)
    )
    return [(body, after) for body, after in rows]


def set_acked(conn: sqlite3.Connection, position: Position, parked: list[tuple[int, str]]) -> None:
    """Remember how far the cloud holds the log, and which events it set aside."""
    conn.execute("UPDATE acked SET epoch = ?, seq = ?, hash = ?", (position.epoch, position.seq, position.head))
    conn.executemany(
        "INSERT OR IGNORE INTO parked (epoch, seq, why) VALUES (?, ?, ?)",
        [(position.epoch, seq, why) for seq, why in parked],
    )


def open_epoch(conn: sqlite3.Connection, epoch: int) -> None:
    """Move what the cloud never acked to salvage and start an empty log for *epoch* (sync §5)."""
    old = acked(conn)
    conn.execute(
        "INSERT OR IGNORE INTO salvage (epoch, seq, hash, body) "
        "SELECT epoch, seq, hash, body FROM outbox WHERE epoch > ? OR (epoch = ? AND seq > ?)",
        (old.epoch, old.epoch, old.seq),
    )
    conn.execute("UPDATE stream SET epoch = ?, next_seq = 1, head = ?", (epoch, GENESIS))
    conn.execute("UPDATE acked SET epoch = ?, seq = 0, hash = ?", (epoch, GENESIS))
    conn.execute("UPDATE lease SET state = 'frozen' WHERE state = 'active'")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Events of a closed epoch that the cloud has not got: *previous* is the chain hash before the first."""

    of: str
    epoch: int
    start: int
    previous: bytes
    rows: list[tuple[bytes, bytes]]  # body, hash


def salvage(conn: sqlite3.Connection, own: str, most: int) -> Salvaged | None:
    """The oldest of what was set aside when an epoch ended, up to *most* events of one epoch; None when all is told."""
    first = conn.execute("SELECT epoch, seq FROM salvage ORDER BY epoch, seq LIMIT 1").fetchone()
    if first is None:
        return None
    epoch, seq = first
    previous = hash_at(conn, epoch, seq - 1)
    rows = conn.execute("SELECT body, hash FROM salvage WHERE epoch = ? ORDER BY seq LIMIT ?", (epoch, most))
    of = conn.execute("SELECT value FROM note WHERE name = 'salvage_of'").fetchone()
    return Salvaged(of[0] if of else own, epoch, seq, previous or GENESIS, [(body, after) for body, after in rows])


def salvaged(conn: sqlite3.Connection, epoch: int, seq: int) -> None:
    """The cloud holds *epoch* up to *seq*."""
    conn.execute("DELETE FROM salvage WHERE epoch = ? AND seq <= ?", (epoch, seq))


def salvage_left(conn: sqlite3.Connection) -> int:
    """How many events of closed epochs the cloud does not hold."""
    return int(conn.execute("SELECT count(*) FROM salvage").fetchone()[0])


def prune(conn: sqlite3.Connection, before_wall_ms: int) -> int:
    """Delete acked events up to the first that is not older than *before_wall_ms*.

    Only from the front: a wall clock that was set back must not leave holes in the chain. The last acked event stays,
    its hash joins the chain.
    """
    cursor = acked(conn)
    younger = conn.execute(
        "SELECT epoch, seq FROM outbox WHERE wall_ms >= ? ORDER BY epoch, seq LIMIT 1", (before_wall_ms,)
    ).fetchone()
    first_kept = min((cursor.epoch, cursor.seq), tuple(younger) if younger else (cursor.epoch, cursor.seq))
    return conn.execute("DELETE FROM outbox WHERE (epoch, seq) < (?, ?)", first_kept).rowcount


def backlog(conn: sqlite3.Connection) -> int:
    """How many events the cloud does not hold yet."""
    return newest(conn).seq - acked(conn).seq


def oldest_unacked_wall_ms(conn: sqlite3.Connection) -> int | None:
    """When the oldest waiting event was written, by the wall clock as believed then; None when nothing waits."""
    cursor = acked(conn)
    row = conn.execute(
        "SELECT wall_ms FROM outbox WHERE epoch = ? AND seq = ?", (cursor.epoch, cursor.seq + 1)
    ).fetchone()
    return row[0] if row else None


def money_between(conn: sqlite3.Connection, epoch: int, first: int, last: int) -> int:
    """The sum of every money field of the events *first … last*."""
    rows = conn.execute("SELECT body FROM outbox WHERE epoch = ? AND seq BETWEEN ? AND ?", (epoch, first, last))
    return sum(open_envelope(body).money_fen() for (body,) in rows)


def last_of_type(conn: sqlite3.Connection, epoch: int, name: str) -> int:
    """Seq of the newest event of type *name* in *epoch*; 0 when there is none."""
    row = conn.execute(
        "SELECT seq FROM outbox WHERE epoch = ? AND type = ? ORDER BY seq DESC LIMIT 1", (epoch, name)
    ).fetchone()
    return row[0] if row else 0


def keep_anchor(conn: sqlite3.Connection, anchor: Anchor) -> None:
    """Remember a comparison with the cloud's clock."""
    conn.execute(
        "INSERT OR REPLACE INTO anchor (boot, boot_ms, utc_ms, uncertainty_ms) VALUES (?, ?, ?, ?)",
        (anchor.boot, anchor.boot_ms, anchor.utc_ms, anchor.uncertainty_ms),
    )


def anchors(conn: sqlite3.Connection, boot: str) -> list[Anchor]:
    """All comparisons made during *boot*."""
    rows = conn.execute("SELECT boot, boot_ms, utc_ms, uncertainty_ms FROM anchor WHERE boot = ?", (boot,))
    return [Anchor(*row) for row in rows]


def newest_anchor_ms(conn: sqlite3.Connection) -> int | None:
    """The cloud's time (UTC ms) when its clock was last compared with ours, over all boots; None if it never was."""
    row = conn.execute("SELECT max(utc_ms) FROM anchor").fetchone()
    return row[0] if row else None


def refuse(conn: sqlite3.Connection, why: str) -> None:
    """Remember that the cloud holds another history than this database: it must never run again."""
    conn.execute("INSERT INTO refused (why) VALUES (?)", (why,))


def refusal(conn: sqlite3.Connection) -> str | None:
    """Why the cloud refused this database (behind, fork, epoch), or None. Asked at every start."""
    row = conn.execute("SELECT why FROM refused LIMIT 1").fetchone()
    return row[0] if row else None
