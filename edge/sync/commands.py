"""Commands of the cloud: each carried out at most once, and its result reported as a fact (sync §4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from sqlite_utils import Database

from domain.events import CommandDone
from domain.moment import Moment
from domain.wire import BadMessageError, Json, canonical, text, whole
from edge.db import log
from edge.db.database import transaction

Handler = Callable[[sqlite3.Connection, Moment, Json], str]  # runs in the command's transaction, returns its result


def carry_out(db: Database, handlers: Mapping[str, Handler], message: Json, now: Moment) -> None:
    """Do what *message* says, once per (epoch, cmd_seq); effect, record and report are one transaction.

    Raises BadMessageError when the command makes no sense; it is then neither done nor recorded.
    """
    epoch, cmd_seq, kind = whole(message, "ep"), whole(message, "cmd_seq"), text(message, "kind")
    body = message.get("body")
    if not isinstance(body, dict):
        raise BadMessageError("a command has a body")
    with transaction(db) as conn:
        if conn.execute("SELECT 1 FROM cmd_log WHERE epoch = ? AND cmd_seq = ?", (epoch, cmd_seq)).fetchone():
            return
        handler = handlers.get(kind)
        result = handler(conn, now, body) if handler else "unknown_command"
        conn.execute(
            "INSERT INTO cmd_log (epoch, cmd_seq, kind, body, state, result) VALUES (?, ?, ?, ?, 'done', ?)",
            (epoch, cmd_seq, kind, canonical(body).decode(), result),
        )
        log.append(conn, CommandDone(cmd_seq, result), now)
