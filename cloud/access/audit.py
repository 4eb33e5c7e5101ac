"""The audit log: who did what, each row vouching for all before it, so that a removed one shows (E69, I24)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, or_, select, update

from cloud.access.tables import audit_head, audit_log
from cloud.act import Act
from cloud.db import paged
from cloud.prepared import Found, Prepared, adding
from domain.wire import Json, canonical
from plumbing.web.paging import Page

_HASHED = ("audit_id", "operator_id", "lot_id", "made_by", "act", "subject", "reason", "before", "after", "made_ms")

HEAD = select(audit_head.c.audit_id, audit_head.c.hash).with_for_update()
"""Where the log ends, locked until the transaction ends, as a part of another question."""

_HEAD = Prepared(HEAD)
_ADD = Prepared(adding(audit_log, (*_HASHED, "hash")))
_MOVE_HEAD = Prepared(update(audit_head).values(audit_id=bindparam("last"), hash=bindparam("tip")))


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person did, here or at a lot."""

    made_by: str
    act: str
    subject: str
    reason: str
    made_ms: int
    lot_id: int | None = None
    before: str = ""
    after: str = ""


def record(
    conn: Connection,
    act: Act,
    what: str,
    subject: str,
    *,
    reason: str = "",
    before: Json | None = None,
    after: Json | None = None,
    head: Found | None = None,
) -> None:
    """Add one act of a person at the cloud to the log; *head* is the answer to ``HEAD`` where it was asked already."""
    deed = Deed(act.by, what, subject, reason, act.now_ms, None, _text(before), _text(after))
    append(conn, act.operator_id, [deed], head)


def _text(values: Json | None) -> str:
    return "" if values is None else canonical(values).decode()


def lock(conn: Connection) -> None:
    """Let nobody else add a row until this transaction ends."""
    conn.execute(select(audit_head.c.head_id).with_for_update()).one()


def append(conn: Connection, operator_id: int, deeds: Sequence[Deed], head: Found | None = None) -> None:
    """Add *deeds* in their order; writers wait for each other, so the chain has no forks."""
    if not deeds:
        return
    head = head or _HEAD(conn, {}).mappings().one()
    audit_id, tip = int(head["audit_id"]), bytes(head["hash"])
    rows: list[dict[str, Any]] = []
    for deed in deeds:
        audit_id += 1
        row: dict[str, Any] = {
            "audit_id": audit_id,
            "operator_id": operator_id,
            "lot_id": deed.lot_id,
            "made_by": deed.made_by,
            "act": deed.act,
            "subject": deed.subject,
            "reason": deed.reason,
            "before": deed.before,
            "after": deed.after,
            "made_ms": deed.made_ms,
        }
        tip = _link(tip, row)
        rows.append(row | {"hash": tip})
    _ADD.many(conn, rows)
    _MOVE_HEAD(conn, {"last": audit_id, "tip": tip})


def _link(tip: bytes, row: dict[str, Any]) -> bytes:
    return hashlib.sha256(tip + canonical([row[name] for name in _HASHED])).digest()


def first_broken(conn: Connection) -> int | None:
    """Number of the first audit row that was changed or whose predecessor is missing; None when all is whole."""
    tip, last = bytes(32), 0
    for row in conn.execute(select(audit_log).order_by(audit_log.c.audit_id)).mappings():
        tip = _link(tip, dict(row))
        last = int(row["audit_id"])
        if tip != bytes(row["hash"]):
            return last
    head = conn.execute(select(audit_head)).one()
    return None if (head.audit_id, bytes(head.hash)) == (last, tip) else last + 1


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows somebody looks for; empty: all. *acts* are those whose words contain what was typed as *what*."""

    who: str = ""
    what: str = ""
    acts: tuple[str, ...] = ()
    from_ms: int | None = None
    until_ms: int | None = None


def listed(conn: Connection, operator_id: int, sought: Sought | None = None, page: int = 1) -> Page[RowMapping]:
    """Rows sought, newest first."""
    return paged(conn, _query(operator_id, sought or Sought()), page)


def every(conn: Connection, operator_id: int, sought: Sought, most: int) -> Sequence[RowMapping]:
    """The *most* newest of the rows sought."""
    return conn.execute(_query(operator_id, sought).limit(most)).mappings().all()


def _query(operator_id: int, sought: Sought) -> Select[Any]:
    query = select(audit_log).where(audit_log.c.operator_id == operator_id).order_by(audit_log.c.audit_id.desc())
    if sought.who:
        query = query.where(audit_log.c.made_by.contains(sought.who, autoescape=True))
    if sought.what:
        texts = (audit_log.c.act, audit_log.c.subject, audit_log.c.reason)
        like = [column.contains(sought.what, autoescape=True) for column in texts]
        query = query.where(or_(audit_log.c.act.in_(sought.acts), *like))
    if sought.from_ms is not None:
        query = query.where(audit_log.c.made_ms >= sought.from_ms)
    if sought.until_ms is not None:
        query = query.where(audit_log.c.made_ms < sought.until_ms)
    return query
