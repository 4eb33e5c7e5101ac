"""Stays as people look for them: cars inside, and those that left on some days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Select, select

from cloud.days import day_at, parse_day, span_ms
from cloud.db import paged
from cloud.lots.tables import lot, payment, stay
from cloud.reach import EVERY, Lots
from domain.plate import normalise
from plumbing.web.paging import Page

DAYS: Final = 7  # shown where no day is asked for
MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Sought:
    """Part of a plate in normal form, a lot, and whether cars inside or those *gone* in [from, until) (UTC ms)."""

    search: str = ""
    lot_id: int | None = None
    gone: bool = False
    first: date = date.min
    last: date = date.min
    from_ms: int = 0
    until_ms: int = 0


def sought(query: Mapping[str, str], zone: ZoneInfo, now_ms: int) -> Sought:
    """What a page's address asks for; days that make no sense are the last week."""
    search, lot = normalise(query.get("q", "")[:20]), query.get("lot", "")
    lot_id = int(lot) if lot.isascii() and lot.isdigit() and len(lot) < 16 else None
    if query.get("state") != "gone":
        return Sought(search, lot_id)
    last = parse_day(query.get("to", "")) or day_at(now_ms, zone)
    first = min(parse_day(query.get("from", "")) or last - timedelta(DAYS - 1), last)
    first = max(first, last - timedelta(MOST_DAYS - 1))
    return Sought(search, lot_id, True, first, last, *span_ms(first, last, zone))


def listed(conn: Connection, operator_id: int, what: Sought, page: int = 1, within: Lots = EVERY) -> Page[RowMapping]:
    """A page of them: the last that came in first, or the last that left."""
    return paged(conn, _query(operator_id, what, within), page)


def every(conn: Connection, operator_id: int, what: Sought, most: int, within: Lots = EVERY) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_query(operator_id, what, within).limit(most)).mappings())


def _query(operator_id: int, what: Sought, within: Lots) -> Select[Any]:
    query = (
        select(stay, lot.c.name.label("lot_name"))
        .join(lot, lot.c.lot_id == stay.c.lot_id)
        .where(stay.c.operator_id == operator_id, within.hold(stay.c.lot_id))
    )
    if what.gone:
        own = select(lot.c.lot_id).where(lot.c.operator_id == operator_id)  # the index goes by lot
        query = query.where(stay.c.lot_id.in_(own), stay.c.left_ms >= what.from_ms, stay.c.left_ms < what.until_ms)
        query = query.order_by(stay.c.left_ms.desc(), stay.c.stay_id)
    else:
        query = query.where(stay.c.left_ms.is_(None)).order_by(stay.c.entered_ms.desc(), stay.c.stay_id)
    if what.search:
        query = query.where(stay.c.plate.contains(what.search, autoescape=True))
    return query if what.lot_id is None else query.where(stay.c.lot_id == what.lot_id)


def only_one_inside(conn: Connection, operator_id: int, lot_id: int, plate: str) -> RowMapping | None:
    """The car of exactly this plate that is inside; None for no car and for two."""
    query = select(stay).where(
        stay.c.operator_id == operator_id, stay.c.lot_id == lot_id, stay.c.plate == plate,
        stay.c.left_ms.is_(None), stay.c.entered_ms.is_not(None),
    )  # fmt: skip
    found = conn.execute(query.limit(2)).mappings().all()
    return found[0] if len(found) == 1 else None


def entered_between(conn: Connection, car: RowMapping, from_ms: int, until_ms: int) -> bool:
    """Did the car of this stay come to the lot before, in [from, until)?"""
    query = select(stay.c.stay_id).where(
        stay.c.lot_id == car["lot_id"], stay.c.plate == car["plate"], stay.c.stay_id != car["stay_id"],
        stay.c.entered_ms >= from_ms, stay.c.entered_ms < until_ms,
    )  # fmt: skip
    return conn.execute(query.limit(1)).first() is not None


def has_paid(conn: Connection, stay_id: str) -> bool:
    """Was money taken for this stay?"""
    return conn.execute(select(payment.c.payment_id).where(payment.c.stay_id == stay_id).limit(1)).first() is not None
