"""What went wrong stays before the booth's people until one of them says they have seen it; their name is kept."""

from __future__ import annotations

from domain.moment import Moment
from edge.db import alarms, journal
from edge.db.database import Database, transaction


def see(db: Database, oldest: int, newest: int, by: str, now: Moment) -> int:
    """Somebody has seen the alarms from *oldest* to *newest*; returns how many nobody had seen before."""
    with transaction(db) as conn:
        seen = alarms.see(conn, oldest, newest, by, now)
        if seen:
            journal.act(conn, by, "alarm.seen", str(oldest) if seen == 1 else f"{oldest}-{newest}", "", now)
        return seen
