"""The exit is jammed: for a while nobody who has paid is charged again for not having left in time."""

from __future__ import annotations

from domain.decision import Refuse
from domain.leave_extension import Extension
from domain.moment import Moment
from edge.db import journal, leave_extensions
from edge.db.database import Database, transaction
from edge.services.lot import Done, Lot, Result
from edge.services.staffing import SUPERVISOR, is_at_least

MS_A_MINUTE = 60_000
SHORTEST_MIN, LONGEST_MIN = 5, 240


def extend(db: Database, lot: Lot, minutes: int, by: str, role: str, reason: str, now: Moment) -> Result:
    """From now on for *minutes*; Done names until when. Said again, the one that lasts longer counts.

    Refuses ``supervisor_only``, ``reason_missing`` and ``bad_extension``.
    """
    if not is_at_least(role, SUPERVISOR):
        return Refuse("supervisor_only")
    if not reason.strip():
        return Refuse("reason_missing")
    if not SHORTEST_MIN <= minutes <= LONGEST_MIN:
        return Refuse("bad_extension")
    until_ms = now.wall_ms + minutes * MS_A_MINUTE
    until = f"{lot.local(until_ms):%Y-%m-%d %H:%M}"
    with transaction(db) as conn:
        leave_extensions.add(conn, Extension(now.wall_ms, until_ms), by, reason)
        journal.act(conn, by, "leave.extend", until, reason, now)
    return Done(until)


def end(db: Database, by: str, role: str, now: Moment) -> Result:
    """Let times run out again from now on. Refuses ``supervisor_only`` and ``not_extended``."""
    if not is_at_least(role, SUPERVISOR):
        return Refuse("supervisor_only")
    with transaction(db) as conn:
        if not leave_extensions.end(conn, now):
            return Refuse("not_extended")
        journal.act(conn, by, "leave.extend_end", "", "", now)
    return Done("")
