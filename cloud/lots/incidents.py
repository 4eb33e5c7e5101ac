"""What a person should look at: raised once, closed by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import paged
from cloud.lots.tables import incident
from cloud.reach import EVERY, Lots
from plumbing.web.paging import Page


def incidents(
    conn: Connection, operator_id: int, *, only_open: bool, search: str = "", page: int = 1, within: Lots = EVERY
) -> Page[RowMapping]:
    """Incidents newest first."""
    return paged(conn, _query(operator_id, search, within, only_open=only_open), page)


def every(
    conn: Connection, operator_id: int, search: str, most: int, within: Lots = EVERY, *, only_open: bool
) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_query(operator_id, search, within, only_open=only_open).limit(most)).mappings())


def _query(operator_id: int, search: str, within: Lots, *, only_open: bool) -> Select[Any]:
    query = (
        select(incident)
        .where(incident.c.operator_id == operator_id, within.hold(incident.c.lot_id))
        .order_by(incident.c.raised_ms.desc(), incident.c.incident_id)
    )
    if only_open:
        query = query.where(incident.c.closed_ms.is_(None))
    if search:
        query = query.where(incident.c.code.like(f"%{search}%") | incident.c.detail.like(f"%{search}%"))
    return query


def close_incident(conn: Connection, act: Act, incident_id: str, reason: str) -> Refused | None:
    """A person looked at it."""
    closed = update(incident).where(
        incident.c.incident_id == incident_id,
        incident.c.operator_id == act.operator_id,
        act.within.hold(incident.c.lot_id),
        incident.c.closed_ms.is_(None),
    )
    values = {"closed_ms": act.now_ms, "closed_by": act.by}
    row = conn.execute(closed.values(**values).returning(incident.c.code, incident.c.detail)).one_or_none()
    if row is None:
        return Refused("incident_not_open")
    before = {"incident": row.code, "detail": row.detail}
    audit.record(conn, act, "incident.closed", f"incident:{incident_id}", reason=reason, before=before, after={})
    return None


def raise_incident(
    conn: Connection,
    operator_id: int,
    incident_id: str,
    code: str,
    detail: str,
    now_ms: int,
    *,
    lot_id: int | None = None,
    edge_id: str | None = None,
) -> None:
    """Put something before a person. The same *incident_id* twice is one incident."""
    known = conn.execute(select(incident.c.incident_id).where(incident.c.incident_id == incident_id)).first()
    if known is not None:
        return
    conn.execute(
        insert(incident).values(
            incident_id=incident_id,
            operator_id=operator_id,
            lot_id=lot_id,
            edge_id=edge_id,
            code=code,
            lane="",
            detail=detail,
            raised_ms=now_ms,
        )
    )


def settle_incident(conn: Connection, incident_id: str, by: str, now_ms: int) -> None:
    """Close an incident whose cause is gone; nothing happens when it is closed already or was never raised."""
    open_one = (incident.c.incident_id == incident_id) & incident.c.closed_ms.is_(None)
    conn.execute(update(incident).where(open_one).values(closed_ms=now_ms, closed_by=by))
