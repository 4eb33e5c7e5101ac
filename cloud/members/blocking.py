"""The block list: plates that are not let in, and why."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, Select, insert, or_, select, update

from cloud import blocked
from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots import service as lots
from cloud.members import telling
from cloud.members.tables import blocked_plate
from cloud.reach import EVERY, Lots
from domain.plate import mask, normalise
from plumbing.web.paging import Page


def block(
    conn: Connection, act: Act, typed: str, reason: str, lot_id: int | None = None, ends_ms: int | None = None
) -> int | Refused:
    """Keep a plate out of one lot or (None) all of them, until *ends_ms* or for good."""
    plate = normalise(typed)
    refused = blocked.refusal(plate, typed, reason)
    if refused is not None:
        return refused
    if lot_id not in act.within or (lot_id is not None and lot_id not in lots.names(conn, act.operator_id)):
        return Refused("lot_unknown")
    if ends_ms is not None and ends_ms <= act.now_ms:
        return Refused("ends_in_the_past")
    if _is_blocked(conn, act, plate, lot_id):
        return Refused("plate_blocked_already", {"plate": plate})
    values = {"operator_id": act.operator_id, "plate": plate, "reason": reason.strip(), "lot_id": lot_id}
    values |= {"ends_ms": ends_ms, "created_ms": act.now_ms, "created_by": act.by, "is_told": True}
    blocked_id = new_id(conn, insert(blocked_plate).values(**values))
    telling.tell_blocked(conn, act.operator_id, [blocked_id], act.now_ms)
    after = {"plate": mask(plate), "lot": lot_id, "until_ms": ends_ms}
    audit.record(conn, act, "plate.blocked", f"blocked:{blocked_id}", reason=reason, after=after)
    return blocked_id


def unblock(conn: Connection, act: Act, blocked_id: int, reason: str) -> Refused | None:
    """Let a plate in again."""
    if not reason.strip():
        return Refused("reason_missing")
    ended = update(blocked_plate).where(
        blocked_plate.c.blocked_id == blocked_id,
        blocked_plate.c.operator_id == act.operator_id,
        blocked_plate.c.ended_ms.is_(None),
        act.within.hold(blocked_plate.c.lot_id),
    )
    values = {"ended_ms": act.now_ms, "ended_by": act.by}
    row = conn.execute(ended.values(**values).returning(blocked_plate.c.plate, blocked_plate.c.lot_id)).one_or_none()
    if row is None:
        return Refused("blocked_unknown")
    telling.tell_blocked(conn, act.operator_id, [blocked_id], act.now_ms)
    before = {"plate": mask(row.plate), "lot_id": row.lot_id}
    audit.record(conn, act, "plate.unblocked", f"blocked:{blocked_id}", reason=reason, before=before, after={})
    return None


def _is_blocked(conn: Connection, act: Act, plate: str, lot_id: int | None) -> bool:
    query = select(blocked_plate.c.blocked_id).where(
        blocked_plate.c.operator_id == act.operator_id,
        blocked_plate.c.plate == plate,
        blocked_plate.c.ended_ms.is_(None),
        or_(blocked_plate.c.ends_ms.is_(None), blocked_plate.c.ends_ms > act.now_ms),
        blocked_plate.c.lot_id.is_(None) if lot_id is None else blocked_plate.c.lot_id == lot_id,
    )
    return conn.execute(query.limit(1)).first() is not None


def _query(operator_id: int, search: str, now_ms: int, within: Lots, *, everything: bool) -> Select[tuple[object, ...]]:
    query = select(blocked_plate).where(
        blocked_plate.c.operator_id == operator_id,
        or_(blocked_plate.c.lot_id.is_(None), within.hold(blocked_plate.c.lot_id)),
    )
    if not everything:
        live = or_(blocked_plate.c.ends_ms.is_(None), blocked_plate.c.ends_ms > now_ms)
        query = query.where(blocked_plate.c.ended_ms.is_(None), live)
    if search:
        wanted = [blocked_plate.c.reason.contains(search, autoescape=True)]
        if plate := normalise(search):
            wanted.append(blocked_plate.c.plate.contains(plate, autoescape=True))
        query = query.where(or_(*wanted))
    return query.order_by(blocked_plate.c.blocked_id.desc())


def listed(
    conn: Connection,
    operator_id: int,
    now_ms: int,
    search: str = "",
    page: int = 1,
    within: Lots = EVERY,
    *,
    everything: bool = False,
) -> Page[RowMapping]:
    """Plates that are kept out, the newest first; with *everything* also those that are not any more."""
    return paged(conn, _query(operator_id, search, now_ms, within, everything=everything), page)


def every(
    conn: Connection, operator_id: int, now_ms: int, search: str, most: int, within: Lots = EVERY, *, everything: bool
) -> Sequence[RowMapping]:
    """The same up to *most*, for an export."""
    query = _query(operator_id, search, now_ms, within, everything=everything)
    return conn.execute(query.limit(most)).mappings().all()
