"""A car at the exit that never entered by our books (E26): it gets a stay there, charged as the lot's rule says.

With a stay, everything else is as ever: money, coupons' books, debts, the passage out. The incident says that nobody
saw it come in.
"""

from __future__ import annotations

import sqlite3

from domain.decision import Ask, Decision, Priced
from domain.events import StayOpened
from domain.moment import Moment
from domain.plate import mask
from edge.db import journal, log, stays
from edge.db import unseen as rows
from edge.db.stays import StayRow
from edge.services import settling
from edge.services.lot import Arrival, Lot
from edge.settings import NoEntry


def begun_at_exit(
    conn: sqlite3.Connection, lot: Lot, arrival: Arrival, decision: Decision, decision_id: str, now: Moment
) -> StayRow | None:
    """A stay for a car without one, where the lot does not want a person asked; None where there is none."""
    rules = lot.rules
    if rules.no_entry is NoEntry.CALL or decision.verdict != Ask((), "no_open_stay"):
        return None
    lane, stay_id = lot.lanes[arrival.lane], lot.new_id(now)
    rule = f"fixed_fee:{rules.no_entry_fen}" if rules.no_entry is NoEntry.FIXED_FEE else "first_segment"
    stays.insert(
        conn, stay_id, arrival.plate, arrival.plate_raw, arrival.vehicle_class, lane.source, lane.name, decision_id, now
    )
    rows.put(conn, stay_id, rule)
    event = StayOpened(
        stay_id, lane.name, lane.source, arrival.plate, arrival.plate_raw, arrival.vehicle_class, decision_id
    )
    log.append(conn, event, now, decision_id)
    journal.incident(conn, "no_entry", lane.name, f"{mask(arrival.plate)} {decision_id}", now)
    return stays.get(conn, stay_id)


def take_back(conn: sqlite3.Connection, lot: Lot, lane: str, kept: str, decision_id: str, now: Moment) -> None:
    """The car at this exit turned out to be another than was read: what was begun for the misread plate never was."""
    for stay in rows.open_at(conn, lane):
        if stay.stay_id != kept:
            settling.close(
                conn, lot, stay, Priced(0, ()), now, lane=lane, decision_id=decision_id, cause="reversed", passed=True
            )
