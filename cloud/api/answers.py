"""A call that came before is answered as before: the answer is kept with the fact, in one transaction."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from cloud.act import Act
from cloud.api.tables import api_answer
from domain.wire import Json, canonical

KEPT_MS: Final = 72 * 3_600_000  # a caller that tries for longer must look first
_KEY: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_TAKE: Final = {
    "sqlite": sqlite_insert(api_answer).on_conflict_do_nothing().returning(api_answer.c.key),
    "postgresql": postgres_insert(api_answer).on_conflict_do_nothing().returning(api_answer.c.key),
}


class KeyReusedError(Exception):
    """The same key came with another call: one of the two is a mistake, so neither is carried out."""


def is_key(key: str) -> bool:
    """Whether *key* may be one."""
    return _KEY.match(key) is not None


def digest(method: str, pattern: str, path: Json, body: Json) -> bytes:
    """What two calls must share to be the same call."""
    return hashlib.sha256(canonical([method, pattern, path, body])).digest()


def begin(conn: Connection, act: Act, key: str, body_hash: bytes) -> tuple[int, str] | None:
    """Take *key* for this caller: None to go on, else status and text of the answer given before.

    The same call at the same moment waits here until the first is through. Raises KeyReusedError.
    """
    values = {"operator_id": act.operator_id, "caller": act.by, "key": key}
    fresh = {**values, "body_hash": body_hash, "status": 0, "body": "", "made_ms": act.now_ms}
    if conn.execute(_TAKE[conn.dialect.name], fresh).first() is not None:
        return None
    row = conn.execute(select(api_answer).filter_by(**values)).one()
    if bytes(row.body_hash) != body_hash:
        raise KeyReusedError
    return row.status, row.body


def keep(conn: Connection, act: Act, key: str, status: int, text: str) -> None:
    """Remember what *key* was answered with."""
    wanted = update(api_answer).where(
        api_answer.c.operator_id == act.operator_id, api_answer.c.caller == act.by, api_answer.c.key == key
    )
    conn.execute(wanted.values(status=status, body=text))


def forget(conn: Connection, now_ms: int) -> int:
    """Drop answers older than ``KEPT_MS``; returns how many."""
    return conn.execute(delete(api_answer).where(api_answer.c.made_ms < now_ms - KEPT_MS)).rowcount
