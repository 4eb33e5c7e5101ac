"""Visitors for today, added at the booth: this lot alone writes them, the cloud hears of them (sync §1)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from domain.decision import Refuse
from domain.events import VisitorAdded, VisitorEnded
from domain.moment import Moment
from domain.plate import normalise
from edge.db import journal, log, visitors
from edge.db.database import Database, transaction
from edge.db.visitors import VisitorRow
from edge.services import manual
from edge.services.lot import Done, Lot, Result
from edge.services.staffing import ATTENDANT, SUPERVISOR, is_at_least
from edge.settings import VisitorsBy

LONGEST_HOST = 60


def may_add(lot: Lot, role: str) -> bool:
    """May somebody in this role let visitors park free?"""
    match lot.rules.visitors_by:
        case VisitorsBy.ATTENDANT:
            return is_at_least(role, ATTENDANT)
        case VisitorsBy.MANAGER:
            return is_at_least(role, SUPERVISOR)
        case _:
            return False


def add(db: Database, lot: Lot, typed: str, host: str, by: str, role: str, now: Moment) -> Result:
    """Let a plate park free from now until the day ends here; also the part of its stay that is over is charged.

    Refuses ``not_allowed``, ``not_a_plate``, ``host_missing`` and ``visitor_known``.
    """
    plate = normalise(typed)
    if not may_add(lot, role):
        return Refuse("not_allowed")
    if not manual.is_plate(plate):
        return Refuse("not_a_plate")
    if not host.strip() or len(host) > LONGEST_HOST:
        return Refuse("host_missing")
    with transaction(db) as conn:
        if any(one.plate == plate for one in visitors.good_at(conn, now.wall_ms, plate)):
            return Refuse("visitor_known")
        visitor = VisitorRow(lot.new_id(now), plate, host.strip(), now.wall_ms, _midnight_ms(lot, now), by)
        visitors.insert(conn, visitor)
        event = VisitorAdded(visitor.visitor_id, plate, visitor.host, visitor.from_ms, visitor.until_ms, by)
        log.append(conn, event, now)
        journal.act(conn, by, "visitor.add", visitor.visitor_id, visitor.host, now)
        return Done(visitor.visitor_id)


def end(db: Database, lot: Lot, visitor_id: str, by: str, role: str, now: Moment) -> Result:
    """Let a visitor park free no longer."""
    if not may_add(lot, role):
        return Refuse("not_allowed")
    with transaction(db) as conn:
        visitor = visitors.get(conn, visitor_id)
        if visitor is None or visitor.until_ms <= now.wall_ms:
            return Refuse("no_such_visitor")
        visitors.end(conn, visitor_id, now.wall_ms)
        log.append(conn, VisitorEnded(visitor_id, now.wall_ms, by), now)
        journal.act(conn, by, "visitor.end", visitor_id, "", now)
        return Done(visitor_id)


def _midnight_ms(lot: Lot, now: Moment) -> int:
    today = lot.local(now.wall_ms).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, lot.tz)
    return round(midnight.timestamp() * 1000)
