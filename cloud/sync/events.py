"""Questions about the raw events, and another try for those set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from cloud.access import audit
from cloud.act import Act
from cloud.db import paged
from cloud.lots import edges as lot_edges
from cloud.sync.commands import lock_edge
from cloud.sync.context import ApplyContext
from cloud.sync.inbox import rerun_parked
from cloud.sync.tables import inbox
from domain.events import SettingsKept, StayOpened, TimeCorrected, open_envelope
from domain.moment import Moment
from plumbing.web.paging import Page


def listed(
    conn: Connection, operator_id: int, search: str = "", *, parked: bool = False, page: int = 1
) -> Page[RowMapping]:
    """Raw events, latest first by the edges' own clocks."""
    return paged(conn, _query(operator_id, search, parked=parked), page)


def every(conn: Connection, operator_id: int, search: str, most: int, *, parked: bool) -> Sequence[RowMapping]:
    """The same up to *most*, for a file."""
    return conn.execute(_query(operator_id, search, parked=parked).limit(most)).mappings().all()


def _query(operator_id: int, search: str, *, parked: bool) -> Select[Any]:
    query = select(inbox).where(inbox.c.operator_id == operator_id)
    if parked:
        query = query.where(inbox.c.parked_why.is_not(None))
    if search:
        query = query.where(inbox.c.type.like(f"%{search}%") | (inbox.c.edge_id == search))
    return query.order_by(inbox.c.wall_ms.desc(), inbox.c.seq.desc())


def parked_count(conn: Connection, operator_id: int) -> int:
    """How many events wait for a person."""
    query = select(func.count()).select_from(inbox)
    return int(
        conn.execute(query.where(inbox.c.operator_id == operator_id, inbox.c.parked_why.is_not(None))).scalar_one()
    )


def entries(conn: Connection, edge_ids: Collection[str], since_ms: int) -> dict[str, Moment]:
    """By stay: when it began by the clocks of the edge that let the car in, as these edges know it by now."""
    query = (
        select(inbox.c.body)
        .where(inbox.c.edge_id.in_(edge_ids), inbox.c.type.in_((StayOpened.TYPE, TimeCorrected.TYPE)))
        .where(inbox.c.wall_ms >= since_ms)
        .order_by(inbox.c.edge_id, inbox.c.epoch, inbox.c.seq)
    )
    found: dict[str, Moment] = {}
    for body in conn.execute(query).scalars():
        envelope = open_envelope(bytes(body))
        stay_id, moment = str(envelope.payload.get("stay_id")), envelope.moment
        if envelope.type == StayOpened.TYPE:
            found[stay_id] = moment
        elif stay_id in found:
            clocks = {"wall_ms": envelope.payload["wall_ms"], "quality": moment.quality}
            found[stay_id] = replace(found[stay_id], **clocks, uncertainty_ms=moment.uncertainty_ms)
    return found


def files_of(conn: Connection, edge_id: str) -> tuple[tuple[str, str], ...]:
    """The files an edge ran by, each as it was told last."""
    mine = (inbox.c.edge_id == edge_id) & (inbox.c.type == SettingsKept.TYPE)
    found: dict[str, str] = {}
    for body in conn.execute(select(inbox.c.body).where(mine).order_by(inbox.c.epoch, inbox.c.seq)).scalars():
        payload = open_envelope(bytes(body)).payload
        found[str(payload.get("name"))] = str(payload.get("text"))
    return tuple(found.items())


def rerun(conn: Connection, act: Act) -> int:
    """Apply what is parked once more, edge by edge; returns how many events are parked no more (I16)."""
    done = 0
    for row in lot_edges.edges(conn, act.operator_id):
        locked = lock_edge(conn, row["edge_id"])
        if locked is not None:
            ctx = ApplyContext(row["edge_id"], row["lot_id"], act.operator_id, locked, act.now_ms)
            done += rerun_parked(conn, ctx, act.by)
    audit.record(conn, act, "events.rerun", "parked", after={"applied": done})
    return done
