"""Commands of the cloud: each carried out at most once, in time, and its result reported as a fact (sync §4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from domain.events import CommandDone
from domain.moment import Moment
from domain.wire import BadMessageError, Json, canonical, text, whole
from edge.db import log
from edge.db.database import transaction

Handler = Callable[[sqlite3.Connection, Moment, Json], str]  # runs in the command's transaction, returns its result
Actuator = Callable[[Json], Awaitable[str]]  # moves something after the command is on record; returns its result

EXPIRED = "expired"  # its time was over, or nobody can say that it was not: nothing was done
STALE = "stale"  # moves something, and was not given within seconds: nothing was done
UNKNOWN = "unknown"  # the process ended while something was being moved


@dataclass(frozen=True, slots=True)
class Begun:
    """A command on record as started: its actuator runs now, once, and never again by itself."""

    epoch: int
    cmd_seq: int
    kind: str
    body: Json


def carry_out(
    db: Database, handlers: Mapping[str, Handler], moves: frozenset[str], message: Json, now: Moment, *, fresh: bool
) -> Begun | None:
    """Do what *message* says, once per (epoch, cmd_seq); effect, record and report are one transaction.

    A kind of *moves* is only begun here, and only when it is *fresh*: whoever called runs its actuator and then calls
    ``finish``. Raises BadMessageError when the command makes no sense; it is then neither done nor recorded.
    """
    epoch, cmd_seq, kind = whole(message, "ep"), whole(message, "cmd_seq"), text(message, "kind")
    body = message.get("body")
    if not isinstance(body, dict):
        raise BadMessageError("a command has a body")
    late = "not_after" in message and _is_over(whole(message, "not_after"), now)
    with transaction(db) as conn:
        if conn.execute("SELECT 1 FROM cmd_log WHERE epoch = ? AND cmd_seq = ?", (epoch, cmd_seq)).fetchone():
            return None
        if kind in moves and fresh and not late:
            _record(conn, message, "started", "")
            return Begun(epoch, cmd_seq, kind, body)
        result = EXPIRED if late else STALE if kind in moves else _handled(conn, handlers, kind, body, now)
        _record(conn, message, "done", result)
        log.append(conn, CommandDone(cmd_seq, result), now)
        return None


def finish(db: Database, begun: Begun, result: str, now: Moment) -> None:
    """Report what came of a command that moved something."""
    with transaction(db) as conn:
        conn.execute(
            "UPDATE cmd_log SET state = 'done', result = ? WHERE epoch = ? AND cmd_seq = ?",
            (result, begun.epoch, begun.cmd_seq),
        )
        log.append(conn, CommandDone(begun.cmd_seq, result), now)


def close_unfinished(db: Database, now: Moment) -> None:
    """Say of commands the last process had begun that nobody knows what came of them. Call once at start."""
    with transaction(db) as conn:
        query = "UPDATE cmd_log SET state = 'unknown', result = ? WHERE state = 'started' RETURNING cmd_seq"
        for (cmd_seq,) in conn.execute(query, (UNKNOWN,)).fetchall():
            log.append(conn, CommandDone(cmd_seq, UNKNOWN), now)


def _is_over(not_after_ms: int, now: Moment) -> bool:
    return not now.is_vouched or now.wall_ms - now.uncertainty_ms > not_after_ms


def _handled(conn: sqlite3.Connection, handlers: Mapping[str, Handler], kind: str, body: Json, now: Moment) -> str:
    handler = handlers.get(kind)
    return handler(conn, now, body) if handler else "unknown_command"


def _record(conn: sqlite3.Connection, message: Json, state: str, result: str) -> None:
    conn.execute(
        "INSERT INTO cmd_log (epoch, cmd_seq, kind, body, state, result) VALUES (?, ?, ?, ?, ?, ?)",
        (message["ep"], message["cmd_seq"], message["kind"], canonical(message["body"]).decode(), state, result),
    )
