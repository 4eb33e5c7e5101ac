"""Which merchants serve which lots: where a merchant has a contract that has not ended its coupons can be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, exists, func, or_, select

from cloud.db import paged
from cloud.merchants.tables import contract, merchant
from cloud.reach import EVERY, Lots
from plumbing.web.paging import Page


@dataclass(frozen=True, slots=True)
class Sought:
    """Part of a merchant's name, account or phone; a lot it serves; the lots somebody may see."""

    search: str = ""
    lot_id: int | None = None
    within: Lots = EVERY


@dataclass(frozen=True, slots=True)
class Serving:
    """One merchant and, by lot, the version of its contract there and when that began (UTC ms)."""

    merchant: RowMapping
    lots: dict[int, tuple[int, int]]


def served(conn: Connection, merchant_id: int) -> Lots:
    """The lots a merchant serves."""
    query = select(contract.c.lot_id).where(contract.c.merchant_id == merchant_id, ~contract.c.ended).distinct()
    return Lots(frozenset(conn.execute(query).scalars()))


def listed(conn: Connection, operator_id: int, sought: Sought, page: int = 1) -> Page[Serving]:
    """Merchants by name; who has not every lot sees those that serve one of the own."""
    found = paged(conn, _query(operator_id, sought), page)
    return Page(_with_lots(conn, found.items, sought.within), found.number, found.total, found.size, found.more)


def every(conn: Connection, operator_id: int, sought: Sought, most: int) -> list[Serving]:
    """The same up to *most*, for an export."""
    rows = conn.execute(_query(operator_id, sought).limit(most)).mappings().all()
    parts = (rows[start : start + 500] for start in range(0, len(rows), 500))
    return [one for part in parts for one in _with_lots(conn, part, sought.within)]


def _query(operator_id: int, sought: Sought) -> Select[Any]:
    query = select(merchant).where(merchant.c.operator_id == operator_id)
    if sought.search:
        names = ("name", "account_no", "phone")
        query = query.where(or_(*(merchant.c[name].contains(sought.search, autoescape=True) for name in names)))
    its = and_(contract.c.merchant_id == merchant.c.merchant_id, ~contract.c.ended)
    if sought.within != EVERY:
        query = query.where(exists().where(its, sought.within.hold(contract.c.lot_id)))
    if sought.lot_id is not None:
        query = query.where(exists().where(its, contract.c.lot_id == sought.lot_id))
    return query.order_by(merchant.c.enabled.desc(), merchant.c.name, merchant.c.merchant_id)


def _with_lots(conn: Connection, rows: Sequence[RowMapping], within: Lots) -> list[Serving]:
    newest = (
        select(
            contract.c.merchant_id,
            contract.c.lot_id,
            func.max(contract.c.version).label("version"),
            func.max(contract.c.starts_ms).label("starts_ms"),
        )
        .where(contract.c.merchant_id.in_([row["merchant_id"] for row in rows]), within.hold(contract.c.lot_id))
        .where(~contract.c.ended)
        .group_by(contract.c.merchant_id, contract.c.lot_id)
    )
    served: dict[int, dict[int, tuple[int, int]]] = {}
    for row in conn.execute(newest):
        served.setdefault(row.merchant_id, {})[row.lot_id] = (int(row.version), int(row.starts_ms))
    return [Serving(row, served.get(row["merchant_id"], {})) for row in rows]
