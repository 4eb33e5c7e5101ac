"""Plates that get no coupons, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from cloud import blocked
from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons.tables import coupon_blocked
from cloud.db import new_id, paged
from cloud.lots import edges as lot_edges
from cloud.sync.channels import put_row
from domain.plate import mask, normalise
from plumbing.web.paging import Page


def is_blocked(conn: Connection, operator_id: int, plate: str) -> bool:
    """Does this plate get no coupons?"""
    return conn.execute(_live(operator_id).where(coupon_blocked.c.plate == plate).limit(1)).first() is not None


def _live(operator_id: int) -> Select[Any]:
    return select(coupon_blocked).where(
        coupon_blocked.c.operator_id == operator_id, coupon_blocked.c.ended_ms.is_(None)
    )


def block(conn: Connection, act: Act, typed: str, reason: str) -> int | Refused:
    """No coupon for this plate from now on, of no merchant; what it has already is not touched."""
    plate = normalise(typed)
    refused = blocked.refusal(plate, typed, reason)
    if refused is not None:
        return refused
    if is_blocked(conn, act.operator_id, plate):
        return Refused("plate_blocked_already", {"plate": plate})
    values = {"operator_id": act.operator_id, "plate": plate, "reason": reason.strip()}
    blocked_id = new_id(conn, insert(coupon_blocked).values(**values, created_ms=act.now_ms, created_by=act.by))
    audit.record(conn, act, "coupon_plate.blocked", f"plate:{blocked_id}", reason=reason, after={"plate": mask(plate)})
    _tell(conn, act.operator_id, plate, act.now_ms, blocked=True)
    return blocked_id


def unblock(conn: Connection, act: Act, blocked_id: int, reason: str) -> Refused | None:
    """Let it have coupons again."""
    if not reason.strip():
        return Refused("reason_missing")
    row = conn.execute(_live(act.operator_id).where(coupon_blocked.c.blocked_id == blocked_id)).one_or_none()
    if row is None:
        return Refused("blocked_unknown")
    conn.execute(
        update(coupon_blocked)
        .where(coupon_blocked.c.blocked_id == blocked_id)
        .values(ended_ms=act.now_ms, ended_by=act.by)
    )
    audit.record(conn, act, "coupon_plate.unblocked", f"plate:{blocked_id}", reason=reason)
    _tell(conn, act.operator_id, row.plate, act.now_ms, blocked=False)
    return None


def _tell(conn: Connection, operator_id: int, plate: str, now_ms: int, *, blocked: bool) -> None:
    value = {"plate": plate} if blocked else None
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        put_row(conn, operator_id, edge_id, "rules", f"no_coupons:{plate}", value, now_ms)


def tell_plates(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge every plate of the list."""
    for row in conn.execute(_live(operator_id)).all():
        _tell(conn, operator_id, row.plate, now_ms, blocked=True)


def listed(conn: Connection, operator_id: int, search: str = "", page: int = 1) -> Page[RowMapping]:
    """Plates that get none, the newest first."""
    return paged(conn, _found(operator_id, search), page)


def every(conn: Connection, operator_id: int, search: str, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, for a file."""
    return conn.execute(_found(operator_id, search).limit(most)).mappings().all()


def _found(operator_id: int, search: str) -> Select[Any]:
    query = _live(operator_id)
    if plate := normalise(search):
        query = query.where(coupon_blocked.c.plate.contains(plate, autoescape=True))
    return query.order_by(coupon_blocked.c.blocked_id.desc())
