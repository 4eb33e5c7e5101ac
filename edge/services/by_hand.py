"""What people set by hand of a stay's fee, on top of what the price lists say."""

from __future__ import annotations

import sqlite3

from edge.db import fees_set, stays
from edge.db.stays import StayRow


def by_hand_fen(conn: sqlite3.Connection, stay: StayRow, *, again: bool) -> int:
    """By how much the price lists' fee was raised by hand, below 0 where it was lowered.

    *again*: it is priced anew since it was settled last, and what was set before that is in the settled fee.
    """
    rows = fees_set.of_stay(conn, stay.stay_id)
    if again:
        since = stay.settled.wall_ms if stay.settled else 0
        return sum(row.more_fen for row in rows if row.settled_wall_ms == since)
    before = stays.get(conn, stay.continues) if stay.continues else None
    earlier = by_hand_fen(conn, before, again=False) if before is not None else 0
    return earlier + sum(row.more_fen for row in rows)
