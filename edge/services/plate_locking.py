"""A car that must not leave (锁车): its owner asked, it was hit, the police look for it. No exit opens meanwhile.

It counts for the plate, whatever is paid meanwhile; opening by hand and a barrier held open stay a person's own doing.
"""

from __future__ import annotations

from domain.decision import Refuse
from domain.moment import Moment
from domain.plate import mask
from edge.db import journal, plate_locks, stays
from edge.db.database import Database, transaction
from edge.db.plate_locks import PlateLock
from edge.services import staffing
from edge.services.lot import Done, Result


def lock(db: Database, stay_id: str, by: str, reason: str, now: Moment) -> Result:
    """Keep the car of an open stay in. Refuses ``reason_missing`` and ``no_open_stay``."""
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        plate_locks.put(conn, PlateLock(stay.plate, by, reason, now.wall_ms))
        journal.act(conn, by, "plate.lock", stay_id, reason, now)
        journal.incident(conn, "plate_locked", "", mask(stay.plate), now)
        return Done(stay_id)


def unlock(db: Database, stay_id: str, by: str, now: Moment, *, approved_by: str = "") -> Result:
    """Let it go again: who locked it may, or a supervisor, or somebody with one beside.

    Refuses ``no_such_stay``, ``not_locked`` and ``supervisor_only``.
    """
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None:
            return Refuse("no_such_stay")
        held = plate_locks.get(conn, stay.plate)
        if held is None:
            return Refuse("not_locked")
        if held.by != by and not staffing.ranks(conn, approved_by or by, staffing.SUPERVISOR):
            return Refuse("supervisor_only")
        plate_locks.drop(conn, stay.plate)
        journal.approved(conn, approved_by, "plate.unlock", stay_id, by, now)
        journal.act(conn, by, "plate.unlock", stay_id, held.reason, now)
        return Done(stay_id)
