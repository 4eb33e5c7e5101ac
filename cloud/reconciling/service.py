"""A lot's day made and made again; its differences stay until a person has worked them off, or they are gone (E72)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.days import span_ms
from cloud.db import paged
from cloud.lots import incidents
from cloud.lots import service as lots
from cloud.reconciling import comparing, gathering
from cloud.reconciling.comparing import Difference, Sums
from cloud.reconciling.tables import day_difference, lot_day
from domain.wire import canonical
from plumbing.web.paging import Page

READY_HOUR = 10  # by then the lots have sent the day before, and providers' bills are there
BACK_DAYS = 3  # days looked at again, for what lots send late
REASON_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Day:
    """A lot's day as it was laid side by side last; *open*: differences nobody has worked off."""

    lot_id: int
    day: str
    sums: Sums
    open: int
    made_ms: int


def days_due(conn: Connection, operator_id: int, now_ms: int) -> list[tuple[int, date]]:
    """(lot, day) that should be there and was not made since ten o'clock of the lot's morning."""
    due = []
    for lot in lots.lots(conn, operator_id):
        now = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(lot["time_zone"]))
        ready = now.replace(hour=READY_HOUR, minute=0, second=0, microsecond=0)
        if now < ready:
            ready -= timedelta(days=1)
        last = ready.date() - timedelta(days=1)
        days = [last - timedelta(days=back) for back in reversed(range(BACK_DAYS))]
        query = select(lot_day.c.day).where(
            lot_day.c.lot_id == lot["lot_id"], lot_day.c.made_ms >= round(ready.timestamp() * 1000)
        )
        made = set(conn.execute(query).scalars())
        due += [(lot["lot_id"], day) for day in days if day.isoformat() not in made]
    return due


def make(conn: Connection, act: Act, lot_id: int, day: date) -> Sequence[Difference] | Refused:
    """Lay a lot's day side by side. Made again, differences that are gone close by themselves; closed ones stay so."""
    lot = lots.get_lot(conn, act.operator_id, lot_id)
    if lot is None:
        return Refused("lot_missing")
    zone = ZoneInfo(lot["time_zone"])
    from_ms, until_ms = span_ms(day, day, zone)
    if act.now_ms < until_ms:
        return Refused("day_not_over")
    lots.lock_lot(conn, lot_id)  # two workers make it one after the other
    facts = gathering.lot_day(conn, act.operator_id, lot_id, from_ms, until_ms)
    found = comparing.compare(facts)
    at = (lot_day.c.lot_id == lot_id) & (lot_day.c.day == day.isoformat())
    conn.execute(delete(lot_day).where(at))
    kept = canonical(comparing.sums(facts).as_json()).decode()
    values = {"lot_id": lot_id, "day": day.isoformat(), "operator_id": act.operator_id}
    conn.execute(insert(lot_day).values(**values, sums=kept, made_ms=act.now_ms))
    if _keep(conn, act, lot_id, day.isoformat(), found):
        detail = f"{day.isoformat()}: {len(found)}"
        incidents.raise_incident(
            conn,
            act.operator_id,
            f"day:{lot_id}:{day.isoformat()}",
            "day_difference",
            detail,
            act.now_ms,
            lot_id=lot_id,
        )
    return found


def _keep(conn: Connection, act: Act, lot_id: int, day: str, found: Sequence[Difference]) -> int:
    """Write what is new, close what is gone; returns how many are open."""
    at = (day_difference.c.lot_id == lot_id) & (day_difference.c.day == day)
    known = {(row["kind"], row["subject"]): row for row in conn.execute(select(day_difference).where(at)).mappings()}
    now = {(one.kind, one.subject): one for one in found}
    for key, row in known.items():
        its, one = day_difference.c.difference_id == row["difference_id"], now.get(key)
        if one is None and row["closed_ms"] is None:
            gone = {"closed_ms": act.now_ms, "closed_by": act.by, "reason": ""}
            conn.execute(update(day_difference).where(its).values(**gone))
        elif one is not None and (one.here, one.there) != (row["here"], row["there"]):
            other = {"here": one.here, "there": one.there, "closed_ms": None, "closed_by": "", "reason": ""}
            conn.execute(update(day_difference).where(its).values(**other))
    whose = {"operator_id": act.operator_id, "lot_id": lot_id, "day": day, "closed_by": "", "reason": ""}
    fresh = [
        {**whose, "kind": one.kind, "subject": one.subject, "here": one.here, "there": one.there}
        for key, one in now.items()
        if key not in known
    ]
    if fresh:
        conn.execute(insert(day_difference), fresh)
    still = select(func.count()).select_from(day_difference).where(at, day_difference.c.closed_ms.is_(None))
    return int(conn.execute(still).scalar_one())


def close(conn: Connection, act: Act, difference_id: int, reason: str) -> Refused | None:
    """A person has worked a difference off, and says how."""
    if not reason.strip() or len(reason) > REASON_LENGTH:
        return Refused("reason_missing")
    done = conn.execute(
        update(day_difference)
        .where(
            day_difference.c.difference_id == difference_id, day_difference.c.operator_id == act.operator_id,
            day_difference.c.closed_ms.is_(None),
        )
        .values(closed_ms=act.now_ms, closed_by=act.by, reason=reason.strip())
    )  # fmt: skip
    if done.rowcount != 1:
        return Refused("difference_not_open")
    audit.record(conn, act, "day_difference.closed", f"day_difference:{difference_id}", reason=reason)
    return None


def listed(conn: Connection, operator_id: int, search: str = "", lot_id: int | None = None, page: int = 1) -> Page[Day]:
    """Days, the newest first, of one lot or all; *search* is part of a date."""
    found = paged(conn, _days(operator_id, search, lot_id), page)
    return Page([_day(row) for row in found.items], found.number, found.total, found.size)


def every(conn: Connection, operator_id: int, search: str, lot_id: int | None, most: int) -> list[Day]:
    """The same up to *most*, for a file."""
    return [_day(row) for row in conn.execute(_days(operator_id, search, lot_id).limit(most)).mappings()]


def _days(operator_id: int, search: str, lot_id: int | None) -> Select[Any]:
    mine = (day_difference.c.lot_id == lot_day.c.lot_id) & (day_difference.c.day == lot_day.c.day)
    unsettled = select(func.count()).select_from(day_difference).where(mine, day_difference.c.closed_ms.is_(None))
    query = select(lot_day, unsettled.scalar_subquery().label("open"))
    if search:
        query = query.where(lot_day.c.day.contains(search, autoescape=True))
    if lot_id is not None:
        query = query.where(lot_day.c.lot_id == lot_id)
    return query.where(lot_day.c.operator_id == operator_id).order_by(lot_day.c.day.desc(), lot_day.c.lot_id)


def _day(row: RowMapping) -> Day:
    return Day(row["lot_id"], row["day"], Sums(**json.loads(row["sums"])), row["open"], row["made_ms"])


def open_differences(conn: Connection, operator_id: int, most: int) -> Sequence[RowMapping]:
    """Differences nobody worked off, the newest day first, up to *most*."""
    return conn.execute(_differences(operator_id, only_open=True).limit(most)).mappings().all()


def differences(conn: Connection, operator_id: int, *, only_open: bool, page: int = 1) -> Page[RowMapping]:
    """Differences, the newest day first."""
    return paged(conn, _differences(operator_id, only_open=only_open), page)


def _differences(operator_id: int, *, only_open: bool) -> Select[Any]:
    query = (
        select(day_difference)
        .where(day_difference.c.operator_id == operator_id)
        .order_by(day_difference.c.day.desc(), day_difference.c.difference_id.desc())
    )
    return query.where(day_difference.c.closed_ms.is_(None)) if only_open else query
