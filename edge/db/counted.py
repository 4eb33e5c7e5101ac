"""Coupons and vouchers that cars inside have paid with: each is that car's until it leaves (sync §7)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from domain.events import CouponKept
from domain.sync.channel import Step
from edge.db import vouchers
from edge.db.log import Fact

_SETTLED = (
    "SELECT stay_id, settled_off FROM stay INDEXED BY stay_settled"
    " WHERE passed = 0 AND state = 'open' AND settled_boot IS NOT NULL"
)
_QUOTED = "SELECT stay_id, off FROM fee_quote JOIN stay USING (stay_id) WHERE passed = 0 AND state = 'open'"
INDEX = "CREATE INDEX stay_settled ON stay (stay_id) WHERE passed = 0 AND state = 'open' AND settled_boot IS NOT NULL"


def holders(conn: sqlite3.Connection) -> dict[str, str]:
    """The stay of every coupon and voucher that a car inside has paid with, or may still pay with as it was quoted."""
    return _holders(conn, _QUOTED) | _holders(conn, _SETTLED)


def by_others(conn: sqlite3.Connection, refs: Collection[str], stay_id: str) -> set[str]:
    """Which of *refs* another car inside has paid with."""
    held = _holders(conn, _SETTLED) if refs else {}
    return {ref for ref in refs if held.get(ref, stay_id) != stay_id}


def _holders(conn: sqlite3.Connection, query: str) -> dict[str, str]:
    # not by json_each: SQLite 3.40.1 crashes where it joins that to these tables
    return {ref: stay_id for stay_id, off in conn.execute(query) for ref, _ in json.loads(off)}


def withdraw(conn: sqlite3.Connection, channel: str, step: Step) -> list[Fact]:
    """Heed what *step* of the cloud's list withdraws; returns what the log must say: what a car inside has paid with.

    A coupon that lay on a stay because its exit was undone lies there no longer.
    """
    if channel == "coupons":
        withdrawn = set(step.gone)
        for ref in step.gone:
            vouchers.take_off(conn, ref)
    elif channel == "vstate":
        withdrawn = {row.key for row in step.changed if row.value and row.value.get("state") in vouchers.WITHDRAWN}
    else:
        return []
    held = holders(conn) if withdrawn else {}
    return [(CouponKept(ref, held[ref]), None) for ref in sorted(withdrawn & held.keys())]
