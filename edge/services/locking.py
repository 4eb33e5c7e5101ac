"""Who typed a wrong PIN too often waits, across restarts, or is let in again by a supervisor."""

from __future__ import annotations

import sqlite3

from domain.decision import Refuse
from domain.moment import Moment
from edge.db import journal, tries
from edge.db.database import Database, transaction
from edge.services import staffing
from edge.services.lot import Done, Result

MOST_WRONG = 8
LOCKED_MS = 15 * 60_000
FORGOTTEN_MS = 12 * 3_600_000  # wrong ones this long ago count no more


def locked_ms(conn: sqlite3.Connection, name: str, now: Moment) -> int:
    """For how much longer nobody signs in under *name*; 0 for anybody else. A clock set back locks nobody longer."""
    return _left(*tries.get(conn, name), now)


def _left(wrong: int, last_ms: int, now: Moment) -> int:
    left = last_ms + LOCKED_MS - now.wall_ms
    return left if wrong >= MOST_WRONG and 0 < left <= LOCKED_MS else 0


def locked(conn: sqlite3.Connection, now: Moment) -> set[str]:
    """Everybody who is."""
    return {name for name, (wrong, last_ms) in tries.everyone(conn).items() if _left(wrong, last_ms, now)}


def tried(db: Database, name: str, is_right: bool, now: Moment) -> None:
    """A PIN was typed for somebody known here; the last wrong one that is allowed is an incident."""
    with transaction(db) as conn:
        wrong, last_ms = tries.get(conn, name)
        if is_right:
            tries.forget(conn, name)
            return
        if not 0 <= now.wall_ms - last_ms <= FORGOTTEN_MS or (wrong >= MOST_WRONG and not _left(wrong, last_ms, now)):
            wrong = 0
        tries.put(conn, name, wrong + 1, now.wall_ms)
        if wrong + 1 == MOST_WRONG:
            journal.incident(conn, "pin_locked", "", name, now)


def unlock(db: Database, name: str, by: str, now: Moment) -> Result:
    """A supervisor lets somebody try again. Refuses ``not_allowed``."""
    with transaction(db) as conn:
        if not staffing.ranks(conn, by, staffing.SUPERVISOR) or name == by:
            return Refuse("not_allowed")
        if tries.forget(conn, name):
            journal.act(conn, by, "person.unlock", name, "", now)
        return Done(name)
