"""A barrier held open in an emergency: a second, named state beside the pulses, set and let go by a person (E33).

It outlives restarts and power cuts of the appliance and ends only by an act. Nobody owes for a passage meanwhile,
unless whoever set it chose so.
"""

from __future__ import annotations

from domain.decision import Refuse
from domain.moment import Moment
from edge.db import holds, journal
from edge.db.database import Database, transaction
from edge.db.holds import Hold
from edge.services.lot import Done, Lot, Result
from edge.services.staffing import SUPERVISOR, is_at_least

EMERGENCIES = ("fire", "accident")  # anybody at the booth may act on these
ORDERED = ("convoy", "full", "repair")  # these a manager decides
REASONS = EMERGENCIES + ORDERED


def hold_open(
    db: Database, lot: Lot, lane: str, by: str, role: str, reason: str, note: str, owes: bool, now: Moment
) -> Result:
    """Commit to holding the barrier of *lane* open; the caller latches it. Done names the barrier.

    Refuses ``no_such_lane``, ``no_barrier``, ``reason_missing`` and ``manager_only``.
    """
    refused = _refused(lot, lane, role, reason)
    if refused is not None:
        return refused
    barrier = lot.lanes[lane].barrier
    with transaction(db) as conn:
        holds.put(conn, Hold(barrier, reason, by, owes, now.wall_ms), now)
        said = " ".join(word for word in (reason, "owes" if owes else "", note) if word)
        journal.act(conn, by, "barrier.hold", lane, said, now)
        journal.incident(conn, "held_open", lane, reason, now)
        return Done(barrier)


def release(db: Database, lot: Lot, lane: str, by: str, role: str, now: Moment) -> Result:
    """Commit to letting go; the caller lets go. Refuses ``not_held`` and, as for holding, ``manager_only``."""
    if lane not in lot.lanes:
        return Refuse("no_such_lane")
    barrier = lot.lanes[lane].barrier
    with transaction(db) as conn:
        held = holds.get(conn, barrier)
        if held is None:
            return Refuse("not_held")
        if not _may(role, held.reason):
            return Refuse("manager_only")
        holds.drop(conn, barrier)
        journal.act(conn, by, "barrier.release", lane, held.reason, now)
        return Done(barrier)


def _refused(lot: Lot, lane: str, role: str, reason: str) -> Refuse | None:
    if lane not in lot.lanes:
        return Refuse("no_such_lane")
    if not lot.lanes[lane].barrier:
        return Refuse("no_barrier")
    if reason not in REASONS:
        return Refuse("reason_missing")
    return None if _may(role, reason) else Refuse("manager_only")


def _may(role: str, reason: str) -> bool:
    return reason in EMERGENCIES or is_at_least(role, SUPERVISOR)
