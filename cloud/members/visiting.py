"""Visitors the booths let park free, as their lots reported them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, or_, select

from cloud.db import paged
from cloud.members.tables import booth_visitor
from cloud.reach import EVERY, Lots
from domain.plate import normalise
from plumbing.web.paging import Page


def listed(
    conn: Connection, operator_id: int, search: str = "", page: int = 1, within: Lots = EVERY
) -> Page[RowMapping]:
    """The newest first; *search* is part of a plate, a host or the name of who added it."""
    return paged(conn, _query(operator_id, search, within), page)


def every(conn: Connection, operator_id: int, search: str, most: int, within: Lots = EVERY) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_query(operator_id, search, within).limit(most)).mappings())


def _query(operator_id: int, search: str, within: Lots) -> Select[Any]:
    query = select(booth_visitor).where(booth_visitor.c.operator_id == operator_id, within.hold(booth_visitor.c.lot_id))
    if search:
        wanted = [booth_visitor.c[name].contains(search, autoescape=True) for name in ("host", "added_by")]
        if plate := normalise(search):
            wanted.append(booth_visitor.c.plate.contains(plate, autoescape=True))
        query = query.where(or_(*wanted))
    return query.order_by(booth_visitor.c.begins_ms.desc(), booth_visitor.c.visitor_id)
