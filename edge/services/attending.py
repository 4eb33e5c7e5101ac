"""Who attends a lane for now, as a supervisor says it: the timetable of the lot file holds again afterwards."""

from __future__ import annotations

from domain.attendance import Override
from domain.decision import Refuse
from domain.moment import Moment
from edge.db import attendance, journal
from edge.db.database import Database, transaction
from edge.services.lot import Lot
from edge.services.staffing import SUPERVISOR, is_at_least

LONGEST_MS = 7 * 86_400_000


def attend(
    db: Database, lot: Lot, lane: str, attended: bool, until_wall_ms: int, by: str, role: str, now: Moment
) -> Override | Refuse:
    """Say that somebody is, or nobody is, at *lane* until *until_wall_ms*; a time that is past ends what was said.

    Refuses ``no_such_lane``, ``supervisor_only`` and ``time_too_far``.
    """
    if lane not in lot.lanes:
        return Refuse("no_such_lane")
    if not is_at_least(role, SUPERVISOR):
        return Refuse("supervisor_only")
    if until_wall_ms - now.wall_ms > LONGEST_MS:
        return Refuse("time_too_far")
    said = Override(attended, until_wall_ms, by)
    with transaction(db) as conn:
        attendance.put(conn, lane, said)
        over = until_wall_ms <= now.wall_ms
        until = f"{lot.local(until_wall_ms):%Y-%m-%d %H:%M}"
        word = "timetable" if over else f"{'attended' if attended else 'unattended'} until {until}"
        journal.act(conn, by, "lane.attend", lane, word, now)
    return said
