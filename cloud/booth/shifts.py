"""Shift reports of the lots: listed, summed, one by one, and whether they stand on the log we hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, or_, select

from cloud.booth.tables import COUNTS, SUMS, booth_shift
from cloud.db import paged
from cloud.reach import EVERY, Lots
from cloud.sync import inbox
from plumbing.web.paging import Page

FIGURES = (*COUNTS, *SUMS)
"""What a shift counts and adds up, by the names of its columns."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which shifts: begun in [start, end); *differs*: only those whose count was not what it should be."""

    start_ms: int
    end_ms: int
    lot_id: int | None = None
    search: str = ""
    differs: bool = False
    within: Lots = EVERY


def _query(operator_id: int, asked: Asked) -> Select[Any]:
    of = booth_shift.c
    query = select(booth_shift).where(
        of.operator_id == operator_id,
        asked.within.hold(of.lot_id),
        of.opened_ms >= asked.start_ms,
        of.opened_ms < asked.end_ms,
    )
    if asked.lot_id is not None:
        query = query.where(of.lot_id == asked.lot_id)
    if asked.differs:
        query = query.where(of.closed_ms.is_not(None), of.counted_fen != of.expected_fen)
    if asked.search:
        names = ("workstation", "opened_by", "closed_by", "takes_over")
        query = query.where(or_(*(of[name].contains(asked.search, autoescape=True) for name in names)))
    return query


def listed(conn: Connection, operator_id: int, asked: Asked, page: int = 1) -> Page[RowMapping]:
    """A page of them, the newest first."""
    return paged(
        conn, _query(operator_id, asked).order_by(booth_shift.c.opened_ms.desc(), booth_shift.c.shift_id), page
    )


def every(conn: Connection, operator_id: int, asked: Asked, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, the oldest first, for an export."""
    query = _query(operator_id, asked).order_by(booth_shift.c.opened_ms, booth_shift.c.shift_id)
    return conn.execute(query.limit(most)).mappings().all()


def totals(conn: Connection, operator_id: int, asked: Asked) -> tuple[int, int, int, int]:
    """How many shifts ended, the cash they took, what was paid otherwise, and the sum of their differences, in fen."""
    found = _query(operator_id, asked).where(booth_shift.c.closed_ms.is_not(None)).subquery()
    sums = (found.c.cash_fen, found.c.electronic_fen, found.c.counted_fen - found.c.expected_fen)
    row = conn.execute(
        select(func.count(), *(func.coalesce(func.sum(one), 0) for one in sums)).select_from(found)
    ).one()
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def one(conn: Connection, operator_id: int, shift_id: str, within: Lots = EVERY) -> RowMapping | None:
    """One shift."""
    query = select(booth_shift).where(
        booth_shift.c.operator_id == operator_id,
        booth_shift.c.shift_id == shift_id,
        within.hold(booth_shift.c.lot_id),
    )
    return conn.execute(query).mappings().one_or_none()


def stands_on_our_log(conn: Connection, shift: RowMapping) -> bool:
    """Is the head the lot named at the end of this shift the one its log has here?"""
    head = inbox.hash_at(conn, shift["edge_id"], shift["epoch"], shift["log_seq"])
    return head is not None and head.hex() == shift["log_head"]
