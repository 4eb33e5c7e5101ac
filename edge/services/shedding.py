"""Telemetry gives way first: on a nearly full disk or behind a very long backlog it is counted, not kept (sync §3).

Money, barrier, audit and passages are never dropped; what a car owes does not depend on telemetry.
"""

from __future__ import annotations

from domain.events import TelemetryShed
from domain.moment import Moment
from edge.db import log
from edge.db.database import Database, transaction
from edge.disk import Level

MOST_WAITING = 250_000  # events the cloud does not hold yet: weeks without a line


def weigh(db: Database, level: Level, now: Moment) -> bool:
    """Begin or end shedding as disk and backlog ask for; at its end the log says how much is missing."""
    wanted = level <= Level.TIGHT or log.backlog(db.conn) > MOST_WAITING
    if wanted == log.is_shedding(db.conn):
        return wanted
    with transaction(db) as conn:
        dropped = log.set_shedding(conn, on=wanted)
        if dropped:
            log.append(conn, TelemetryShed(dropped), now)
    return wanted
