"""A nightly check figure over the log, for the cloud to compare with what it applied (sync §4)."""

from __future__ import annotations

from domain.events import LogTotalled
from domain.moment import Moment
from edge.db import log
from edge.db.database import Database, transaction


def total_log(db: Database, now: Moment) -> None:
    """Append ``log.totalled`` over everything since the last one; nothing when there is nothing new."""
    with transaction(db) as conn:
        newest = log.newest(conn)
        first = log.last_of_type(conn, newest.epoch, LogTotalled.TYPE) + 1  # the figure itself is checked by the chain
        if first <= newest.seq:
            total = log.money_between(conn, newest.epoch, first, newest.seq)
            log.append(conn, LogTotalled(first, newest.seq, total), now)
