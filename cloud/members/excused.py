"""Stays that ended without their fee being paid, as lots reported them: one day at a time, with sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, or_, select

from cloud.db import paged
from cloud.members.tables import excused_stay
from cloud.reach import EVERY, Lots
from domain.plate import normalise
from plumbing.web.paging import Page

WHYS = ("free_kind", "waived", "covered")


@dataclass(frozen=True, slots=True)
class Day:
    """Which of them: [start, end) of a day, and what else is asked for."""

    start_ms: int
    end_ms: int
    lot_id: int | None = None
    why: str = ""
    search: str = ""
    within: Lots = EVERY


def _query(operator_id: int, day: Day) -> Select[Any]:
    table = excused_stay.c
    query = select(excused_stay).where(
        table.operator_id == operator_id,
        day.within.hold(table.lot_id),
        table.happened_ms >= day.start_ms,
        table.happened_ms < day.end_ms,
    )
    if day.lot_id is not None:
        query = query.where(table.lot_id == day.lot_id)
    if day.why:
        query = query.where(table.why == day.why)
    if day.search:
        wanted = [table[name].contains(day.search, autoescape=True) for name in ("detail", "excused_by", "lane")]
        if plate := normalise(day.search):
            wanted.append(table.plate.contains(plate, autoescape=True))
        query = query.where(or_(*wanted))
    return query


def listed(conn: Connection, operator_id: int, day: Day, page: int = 1) -> Page[RowMapping]:
    """A page of them, the newest first."""
    return paged(
        conn, _query(operator_id, day).order_by(excused_stay.c.happened_ms.desc(), excused_stay.c.stay_id), page
    )


def every(conn: Connection, operator_id: int, day: Day, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, the oldest first, for an export."""
    query = _query(operator_id, day).order_by(excused_stay.c.happened_ms, excused_stay.c.stay_id)
    return conn.execute(query.limit(most)).mappings().all()


def totals(conn: Connection, operator_id: int, day: Day) -> dict[str, tuple[int, int]]:
    """How many of each why, and the fen waived."""
    found = _query(operator_id, day).subquery()
    query = select(found.c.why, func.count(), func.coalesce(func.sum(found.c.waived_fen), 0)).group_by(found.c.why)
    return {why: (int(count), int(fen)) for why, count, fen in conn.execute(query)}
